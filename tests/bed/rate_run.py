"""Sends or counts traffic in a VM: ``rate_run.py receive|send udp|tcp ADDRESS SECONDS``.

A sender takes kbit/s and the bytes of a datagram more, one of TCP the name of its congestion control. Standard library
only, and nothing of this checkout: it starts in a VM's namespace, and has to be quick.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import time

PORT = 5201
_QUIET_SECONDS = 1.0
_AHEAD_SECONDS = 0.002


def say(*words: object) -> None:
    """Tell who started this."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def receive(kind: str, address: str, seconds: float) -> None:
    """Say how many bytes and packets came, and in how many seconds from the first to the last."""
    if kind == "udp":
        heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        heard.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        heard.bind((address, PORT))
        say("ready")
        heard.settimeout(seconds)
    else:
        listener = socket.create_server((address, PORT))
        say("ready")
        listener.settimeout(seconds)
        heard, _ = listener.accept()
        heard.settimeout(seconds)
    octets = packets = 0
    first = last = 0.0
    end = None
    while end is None or time.monotonic() < end:
        try:
            got = len(heard.recv(1 << 16))
        except TimeoutError:
            break
        last = time.monotonic()
        if not got:
            break
        if not packets:
            first = last
            end = first + seconds
            heard.settimeout(_QUIET_SECONDS)
        octets += got
        packets += 1
    say(octets, packets, last - first)


def stream(address: str, seconds: float, congestion: str) -> None:
    """Send what TCP takes, with a way of congestion control."""
    end = time.monotonic() + seconds
    speaker = socket.socket()
    speaker.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, congestion.encode())
    speaker.settimeout(seconds)
    speaker.connect((address, PORT))
    data = bytes(1 << 16)
    while time.monotonic() < end:
        try:
            speaker.send(data)
        except (TimeoutError, ConnectionError):
            break


def send(address: str, seconds: float, kbps: float, size: int) -> None:
    """Send datagrams at a rate."""
    end = time.monotonic() + seconds
    speaker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    speaker.connect((address, PORT))
    data, gap = bytes(size), size * 8 / (kbps * 1000)
    due = time.monotonic()
    while due < end:
        now = time.monotonic()
        if due > now + _AHEAD_SECONDS:
            time.sleep(due - now)
        with contextlib.suppress(OSError):
            speaker.send(data)
        # What could not be sent in time is not made up for in a burst.
        due = max(due + gap, now - _AHEAD_SECONDS)


if __name__ == "__main__":
    mode, kind, address, seconds, *more = sys.argv[1:]
    if mode == "receive":
        receive(kind, address, float(seconds))
    elif kind == "tcp":
        stream(address, float(seconds), *more)
    else:
        send(address, float(seconds), float(more[0]), int(more[1]))
