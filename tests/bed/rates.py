"""How fast traffic gets from one VM to another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from attrs import frozen

from tests.bed.host import Guest

_PROGRAM = Path(__file__).with_name("rate_run.py")
_WAIT_SECONDS = 30.0


@frozen
class Rate:
    """What arrived: payload in all and a second, and packets a second (of TCP: pieces that were read)."""

    kbits: float
    kbps: float
    pps: float


def datagrams(
    sender: Guest, receiver: Guest, kbps: float, seconds: float = 5.0, size: int = 1400, to: str = ""
) -> Rate:
    """Offer datagrams at a rate, ``to`` another address of the receiver if one is named; return what arrived."""
    return _measure(sender, receiver, to, seconds, "udp", str(kbps), str(size))


def tcp_stream(sender: Guest, receiver: Guest, seconds: float = 8.0, congestion: str = "cubic", to: str = "") -> Rate:
    """Offer as much as TCP takes; see ``datagrams``."""
    return _measure(sender, receiver, to, seconds, "tcp", congestion)


def _measure(sender: Guest, receiver: Guest, to: str, seconds: float, kind: str, *more: str) -> Rate:
    with (
        _start(receiver, "receive", kind, receiver.ip, str(seconds)) as ear,
        _start(sender, "send", kind, to or receiver.ip, str(seconds), *more) if _is_ready(ear) else ear as mouth,
    ):
        said, _ = ear.communicate(timeout=seconds + _WAIT_SECONDS)
        mouth.kill()
    octets, packets, took = said.split()
    lasted = max(float(took), 0.001)
    kbits = int(octets) * 8 / 1000
    return Rate(kbits, kbits / lasted, int(packets) / lasted)


def _is_ready(ear: subprocess.Popen[str]) -> bool:
    return ear.stdout is not None and ear.stdout.readline() == "ready\n"


def _start(guest: Guest, *arguments: str) -> subprocess.Popen[str]:
    command = ("ip", "netns", "exec", guest.vm.namespace, sys.executable, str(_PROGRAM), *arguments)
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
