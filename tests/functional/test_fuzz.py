"""Requests that nobody would make, made from our own OpenAPI document: none is answered by a 5xx."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.bed.appliance import Appliance
from tests.bed.counts import count, is_soak
from tests.bed.figures import note
from tests.bed.needs import PREFIX, environment_python

CASES = count(1_000, 10_000)
_SECONDS = float(count(280, 2700))
_PREVIEW = {"api.preview": "true"}


@pytest.mark.time_limit(count(300, 2800))
class FuzzTests(SynchronousTestCase):
    """schemathesis against a running server with everything that can be served."""

    python = environment_python("fuzz")
    skip = None if python else f"{PREFIX}the environment .venv/fuzz (make test makes it)"

    def setUp(self) -> None:
        """Serve, over memory edges."""
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="quantumd-tests-")))
        self.appliance = Appliance(self.directory / "state", None, _PREVIEW)
        self.addCleanup(self.appliance.close)
        self.appliance.start()

    def test_no_request_is_answered_by_a_server_error(self) -> None:
        """Whatever a request holds, the answer says what is wrong with it."""
        document = self.appliance.request("GET", "/v2.0/openapi.json").body
        operations = sum(len(path.keys() - {"parameters"}) for path in document["paths"].values())
        # Some operations have less that can be varied.
        each = -(-CASES * 3 // 2 // operations)
        report = self._fuzz(each)
        self.assertEqual(_server_errors(report), [])
        made = sum(1 for _ in _interactions(report))
        note(f"fuzz: {made} requests to {operations} operations, no 5xx")
        self.assertGreaterEqual(made, CASES)
        self.assertNotIn(" critical ", self.appliance.log())

    def _fuzz(self, each: int) -> Path:
        report = self.directory / "report.har"
        command = [str(self.python), "-m", "schemathesis.cli", "run", f"{self.appliance.url}/v2.0/openapi.json"]
        command += [
            "--phases",
            "coverage,fuzzing" if is_soak() else "fuzzing",
            "--checks",
            "not_a_server_error",
            "--continue-on-failure",
        ]
        command += ["--max-examples", str(each), "--seed", "7", "--no-shrink", "--generation-database", "none"]
        command += ["--warnings", "off", "--suppress-health-check", "all", "--request-timeout", "20"]
        command += ["--report", "har", "--report-har-path", str(report), "--no-color"]
        done = subprocess.run(
            command, cwd=self.directory, capture_output=True, text=True, timeout=_SECONDS, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        # 0: all well; 1: failures, which are told below. Anything else is no run at all.
        self.assertIn(done.returncode, (0, 1), done.stdout[-3000:] + done.stderr[-3000:])
        return report


def _interactions(report: Path) -> Any:
    return json.loads(report.read_text(encoding="utf-8"))["log"]["entries"]


def _server_errors(report: Path) -> list[str]:
    """Return the requests that were answered by a 5xx: method, URL, body and answer, cut short."""
    return [
        f"{each['request']['method']} {each['request']['url'][:300]} "
        f"{each['request'].get('postData', {}).get('text', '')[:300]} -> {each['response']['status']}"
        for each in _interactions(report)
        if each["response"]["status"] >= 500
    ]
