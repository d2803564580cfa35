"""Datagrams between VMs, whose server says by which address it knows the client. Needs root."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self

from attrs import define, field

from tests.bed.host import Guest
from tests.bed.wire import inside

_CHUNK = 256


@define(eq=False)
class DatagramServer:
    """Answers every datagram with the address that it comes from."""

    guest: Guest
    port: int
    _socket: socket.socket = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Listen from now on."""
        self._socket = inside(self.guest.vm.namespace, self.opened)
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def opened(self) -> socket.socket:
        """Return the socket; runs in the VM."""
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.bind(("", self.port))
        return opened

    def answer(self, data: bytes, peer: str) -> bytes:
        """Return what somebody is told who sent something; b"" for nothing."""
        return peer.encode()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, peer = self._socket.recvfrom(_CHUNK)
                if not data:
                    return
                answer = self.answer(data, peer[0])
                if answer:
                    self._socket.sendto(answer, peer)


@define(eq=False)
class DatagramTalk:
    """Sends datagrams from a VM to an address, always from the same port."""

    client: Guest
    address: str
    port: int
    _socket: socket.socket = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Choose a port."""
        self._socket = inside(self.client.vm.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        # What is answered from elsewhere is not taken.
        self._socket.connect((self.address, self.port))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def seen_as(self, seconds: float = 2.0) -> str:
        """Send one; return by which address the server knows the client, '' when no answer comes in time."""
        self._socket.settimeout(seconds)
        try:
            self._socket.send(b"who am I?")
            return self._socket.recv(_CHUNK).decode()
        except OSError:
            return ""
