"""A packet socket on a device of a namespace: frames as they are on the wire, tags included. Needs root."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

from attrs import define, field

_ALL_FRAMES = 0x0003
_NEW_NETWORK = 0x40000000
_SOL_PACKET, _PACKET_AUXDATA, _PACKET_OUTGOING = 263, 8, 4
# socket(7); Python has no name for it.
_SO_RCVBUFFORCE = 33
_AUXDATA = struct.Struct("=IIIHHHH")
_VLAN_VALID, _TPID_VALID = 1 << 4, 1 << 6
_DEFAULT_TPID = 0x8100
_LARGEST = 65_536
_ENTER_SECONDS = 30.0
_BUFFER_BYTES = 16 * 1024 * 1024

T = TypeVar("T")


def inside(namespace: str, work: Callable[[], T]) -> T:
    """Run ``work`` in a network namespace, on a thread of its own; what it opens stays in the namespace."""

    def enter() -> T:
        descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(descriptor, _NEW_NETWORK) != 0:
                raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
            return work()
        finally:
            os.close(descriptor)

    # The thread ends with the executor, so that nothing else ever runs in the namespace.
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(enter).result(_ENTER_SECONDS)


@define
class Wire:
    """Sends frames from a device and notes those that arrive there; what the machine itself sends is left out."""

    namespace: str
    device: str = "eth0"
    _socket: socket.socket = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Listen from now on."""
        self._socket = inside(self.namespace, self._open)

    def _open(self) -> socket.socket:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_FRAMES))
        opened.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
        opened.bind((self.device, 0))
        opened.setblocking(False)
        return opened

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()

    def send(self, *frames: bytes) -> None:
        """Put frames on the wire; a full queue is waited for."""
        self._socket.setblocking(True)
        for frame in frames:
            self._socket.send(frame)
        self._socket.setblocking(False)

    def received(self) -> list[bytes]:
        """Return the frames that have arrived since the last call."""
        frames: list[bytes] = []
        while True:
            try:
                frame, auxiliary, _, address = self._socket.recvmsg(_LARGEST, 256)
            except BlockingIOError:
                return frames
            if address[2] != _PACKET_OUTGOING:
                frames.append(_with_tag(frame, auxiliary))

    def await_frame(self, is_it: Callable[[bytes], bool], seconds: float = 5.0) -> bytes | None:
        """Wait for a frame; None when it does not come in time. Other frames are dropped."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for frame in self.received():
                if is_it(frame):
                    return frame
            time.sleep(0.002)
        return None


def _with_tag(frame: bytes, auxiliary: list[tuple[int, int, bytes]]) -> bytes:
    """Put back the tag that the kernel took off (packet(7), PACKET_AUXDATA)."""
    for level, kind, data in auxiliary:
        if (level, kind) != (_SOL_PACKET, _PACKET_AUXDATA) or len(data) < _AUXDATA.size:
            continue
        status, *_, tci, tpid = _AUXDATA.unpack_from(data)
        if status & _VLAN_VALID:
            kept = tpid if status & _TPID_VALID else _DEFAULT_TPID
            return frame[:12] + struct.pack("!HH", kept, tci) + frame[12:]
    return frame
