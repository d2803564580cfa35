"""The systemd units are units."""

from __future__ import annotations

import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.bed.needs import CHECKOUT, missing

UNITS = CHECKOUT / "conf" / "systemd"


class UnitTests(SynchronousTestCase):
    """``conf/systemd``."""

    skip = missing("systemd-analyze", root=False)

    def test_systemd_finds_nothing_wrong(self) -> None:
        """Checked with programs that exist in place of the installed ones."""
        directory = Path(self.mktemp()).resolve()
        directory.mkdir()
        for unit in sorted(UNITS.glob("quantumd*")):
            text = unit.read_text().replace("/opt/quantumd/bin/quantumctl", "/bin/true")
            (directory / unit.name).write_text(text.replace("/opt/quantumd/bin/twistd", "/bin/true"))
        # What is not there is complained of, and systemd itself has instances only.
        template = directory / "quantumd-api@.service"
        template.rename(directory / "quantumd-api@1.service")
        paths = [str(path) for path in sorted(directory.iterdir())]
        done = subprocess.run(("systemd-analyze", "verify", *paths), capture_output=True, text=True, check=False)
        complaints = [line for line in done.stderr.splitlines() if "quantumd" in line]
        self.assertEqual((complaints, len(paths)), ([], 7))

    def test_the_socket_listens_where_the_settings_say(self) -> None:
        """The standard port, loopback only."""
        for name in ("quantumd.socket", "quantumd-api.socket"):
            self.assertIn("ListenStream=127.0.0.1:9696\n", (UNITS / name).read_text())
