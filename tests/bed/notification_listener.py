"""What hears notifications as Ceilometer does: oslo.messaging and its own code, in a process of its own."""

from __future__ import annotations

import json
import subprocess
from typing import Any, Final

from tests.bed.needs import CHECKOUT, PREFIX, environment_python
from tests.bed.rabbitmq import PASSWORD, RabbitmqServer, missing_rabbitmq

PYTHON: Final = environment_python("ceilometer")
METERS: Final = CHECKOUT / "conf" / "ceilometer"
SILENCE_SECONDS: Final = 8.0
"""After how long without a notification a listener ends."""


def missing_listener() -> str | None:
    """Return why nobody can listen here, or None."""
    return missing_rabbitmq() or (None if PYTHON else f"{PREFIX}.venv/ceilometer")


class Listener:
    """Listens from the start on, until it has heard so many or there was silence.

    It takes samples by quantumd's definitions of meters, and by Ceilometer's own if ``has_own_meters``.
    """

    def __init__(
        self,
        server: RabbitmqServer,
        expected: int = 1_000_000,
        silence: float = SILENCE_SECONDS,
        has_own_meters: bool = False,
    ) -> None:
        script = str(CHECKOUT / "tests" / "bed" / "listener.py")
        self._process = subprocess.Popen(
            [
                *server.inside, str(PYTHON), script, server.url, "neutron", str(silence), "durable", str(expected),
                str(METERS), *(("own",) if has_own_meters else ()),
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if self._process.stdin is not None:
            self._process.stdin.write(f"{PASSWORD}\n")
            self._process.stdin.close()
            self._process.stdin = None

    def heard(self, timeout: float = 300.0) -> list[dict[str, Any]]:
        """Wait until it has ended and return what it heard."""
        out, err = self._process.communicate(timeout=timeout)
        if self._process.returncode:
            raise AssertionError(err[-4000:])
        return [json.loads(line) for line in out.splitlines()]
