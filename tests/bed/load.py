"""Steady load while something else happens: echo requests between VMs, requests to the API; nothing may be lost."""

from __future__ import annotations

import json
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv4Address
from typing import Any, Protocol, Self

from attrs import define, field, frozen

from tests.bed.host import Guest
from tests.bed.wire import Wire

_ECHO_REQUEST, _ECHO_REPLY, _ICMP = 8, 0, 1
_MARK = 0x5164
_LONGEST_CATCH_UP = 50


@define(eq=False)
class Stream:
    """Does something ``per_second`` times a second on a thread of its own, until its block is left."""

    per_second: int
    _stop: threading.Event = field(factory=threading.Event, init=False)
    _executor: ThreadPoolExecutor = field(factory=lambda: ThreadPoolExecutor(1), init=False)
    _done: Future[None] | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        self._done = self._executor.submit(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._executor.shutdown()
        if self._done is not None:
            self._done.result(0)

    def _run(self) -> None:
        raise AssertionError("each stream runs by itself")

    def _beats(self) -> Iterator[int]:
        """Yield how many are due now, again and again; what could not be done in time is caught up with slowly."""
        began, done = time.monotonic(), 0
        while not self._stop.is_set():
            due = min(int((time.monotonic() - began) * self.per_second) - done, _LONGEST_CATCH_UP)
            yield max(due, 0)
            done += max(due, 0)
            time.sleep(0.5 / self.per_second)


class Target(Protocol):
    """Who is asked: a VM, or an address behind the MAC of a router."""

    @property
    def ip(self) -> str:
        """The address."""

    @property
    def mac(self) -> str:
        """The MAC to which frames for it go."""


@frozen
class Behind:
    """An address behind the MAC of a router."""

    ip: str
    mac: str


@define(eq=False)
class EchoStream(Stream):
    """Echo requests from a VM to a target; ``lost`` counts those without an answer, once the block is left."""

    source: Guest = field(kw_only=True)
    target: Target = field(kw_only=True)
    straggler_seconds: float = field(default=5.0, kw_only=True)
    """How long the last answers are waited for."""
    sent: int = field(default=0, init=False)
    lost: int = field(default=0, init=False)
    longest_gap_seconds: float = field(default=0.0, init=False)
    """The longest time in which no answer came."""
    _waiting: set[int] = field(factory=set, init=False)
    heard_at: float = field(default=0.0, init=False)
    """When the last answer came, by the monotonic clock."""
    _began_at: float = field(default=0.0, init=False)

    @property
    def has_answer(self) -> bool:
        """Whether any answer came so far."""
        return self.heard_at > self._began_at

    def _run(self) -> None:
        with Wire(self.source.vm.namespace) as wire:
            self.heard_at = self._began_at = time.monotonic()
            for due in self._beats():
                wire.send(*(self._next() for _ in range(due)))
                self._note(wire.received())
            deadline = time.monotonic() + self.straggler_seconds
            while self._waiting and time.monotonic() < deadline:
                time.sleep(0.01)
                self._note(wire.received())
            self.lost = len(self._waiting)

    def _next(self) -> bytes:
        self._waiting.add(self.sent)
        frame = echo_request(self.source, self.target, self.sent)
        self.sent += 1
        return frame

    def _note(self, frames: list[bytes]) -> None:
        answers = echo_answers(frames)
        if answers:
            now = time.monotonic()
            self.longest_gap_seconds = max(self.longest_gap_seconds, now - self.heard_at)
            self.heard_at = now
            self._waiting -= answers


@define(eq=False)
class FrameStream(Stream):
    """The same frame from a VM again and again."""

    source: Guest = field(kw_only=True)
    frame: bytes = field(kw_only=True)
    sent: int = field(default=0, init=False)

    def _run(self) -> None:
        with Wire(self.source.vm.namespace) as wire:
            for due in self._beats():
                wire.send(*(self.frame,) * due)
                self.sent += due


def echo_request(source: Guest, target: Target, number: int) -> bytes:
    """Return the frame of an echo request that carries a number."""
    body = struct.pack("!BBHHHQ", _ECHO_REQUEST, 0, 0, _MARK, number & 0xFFFF, number)
    body = body[:2] + struct.pack("!H", _checksum(body)) + body[4:]
    addresses = IPv4Address(source.ip).packed + IPv4Address(target.ip).packed
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), number & 0xFFFF, 0, 64, _ICMP, 0) + addresses
    head = head[:10] + struct.pack("!H", _checksum(head)) + head[12:]
    macs = bytes.fromhex((target.mac + source.mac).replace(":", ""))
    return macs + b"\x08\x00" + head + body


def echo_answers(frames: Iterable[bytes]) -> set[int]:
    """Return the numbers that the answers among some frames carry."""
    return {number for frame in frames if (number := _answered(frame)) is not None}


def _answered(frame: bytes) -> int | None:
    if frame[12:14] != b"\x08\x00" or frame[23] != _ICMP or frame[34] != _ECHO_REPLY or len(frame) < 50:
        return None
    mark, _, number = struct.unpack_from("!HHQ", frame, 38)
    return int(number) if mark == _MARK else None


def _checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return int(0xFFFF - ((total & 0xFFFF) + (total >> 16)))


@define(eq=False)
class RequestStream(Stream):
    """GETs of one path, on one connection that is kept or on a fresh one each.

    ``broken`` says what went wrong with a request, ``answers`` is every different body that came. A connection that
    the server closed between two requests is opened anew, as HTTP clients do; a refused one is a broken request.
    """

    host: str = field(kw_only=True)
    port: int = field(kw_only=True)
    path: str = field(kw_only=True)
    is_kept: bool = field(kw_only=True)
    sent: int = field(default=0, init=False)
    longest_seconds: float = field(default=0.0, init=False)
    broken: list[str] = field(factory=list, init=False)
    answers: list[Any] = field(factory=list, init=False)
    _connection: HTTPConnection | None = field(default=None, init=False)

    def _run(self) -> None:
        for due in self._beats():
            for _ in range(due):
                self._ask()
        if self._connection is not None:
            self._connection.close()

    def _ask(self) -> None:
        self.sent += 1
        began = time.monotonic()
        try:
            status, body = self._get()
        except (OSError, HTTPException) as error:
            self.broken.append(f"request {self.sent}: {error!r}")
            self._connection = None
            return
        self.longest_seconds = max(self.longest_seconds, time.monotonic() - began)
        if status != 200:
            self.broken.append(f"request {self.sent}: {status} {body!r}")
        elif (answer := json.loads(body)) not in self.answers:
            self.answers.append(answer)

    def _get(self) -> tuple[int, bytes]:
        connection = self._connection or HTTPConnection(self.host, self.port, timeout=30)
        connection.request("GET", self.path, headers={} if self.is_kept else {"Connection": "close"})
        response = connection.getresponse()
        body = response.read()
        # http.client closes its side by itself when the answer says that the connection ends.
        self._connection = connection if self.is_kept and connection.sock is not None else None
        if self._connection is None:
            connection.close()
        return response.status, body
