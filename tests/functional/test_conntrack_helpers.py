"""Connections that are agreed on in others, as FTP's: with a helper the router lets them come, with real packets."""

from __future__ import annotations

import contextlib
import socket
import threading
from functools import partial
from typing import Any

from quantumd.model.conntrack_helper import KERNEL_NAMES
from tests.bed.host import Guest
from tests.bed.routed import RouterCase
from tests.bed.wire import inside

_CONTROL = 21
_LIMIT_SECONDS = 3.0


class ActiveServer:
    """Speaks as much of FTP (RFC 959) as data connections in active mode need: USER, PORT, and one connection back."""

    def __init__(self, guest: Guest, port: int = _CONTROL) -> None:
        self._guest = guest
        self.asked: list[str] = []
        """What PORT said, with commas."""
        self._listening = inside(guest.vm.namespace, lambda: socket.create_server(("0.0.0.0", port)))
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Serve no more."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                control, _ = self._listening.accept()
                with control:
                    control.sendall(b"220 ready\r\n")
                    # The kernel looks at no line before it has seen where one ended.
                    control.recv(200)
                    control.sendall(b"230 ready\r\n")
                    said = control.recv(200).decode().strip().removeprefix("PORT ")
                    self.asked.append(said)
                    control.sendall(b"200 PORT\r\n")
                    inside(self._guest.vm.namespace, partial(_deliver, said))


def _deliver(said: str) -> None:
    numbers = said.split(",")
    where = ".".join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5])
    with contextlib.suppress(OSError), socket.create_connection(where, _LIMIT_SECONDS) as data:
        data.sendall(b"the file")


def fetch(client: Guest, server: str, port: int = _CONTROL) -> bytes:
    """Ask a server for a file by a connection of its own to the client; b'' when none comes."""
    listening: Any = inside(client.vm.namespace, lambda: socket.create_server((client.ip, 0)))
    with listening:
        listening.settimeout(_LIMIT_SECONDS)
        high, low = divmod(listening.getsockname()[1], 256)
        control = inside(client.vm.namespace, lambda: socket.create_connection((server, port), _LIMIT_SECONDS))
        with control:
            control.recv(200)
            control.sendall(b"USER anonymous\r\n")
            control.recv(200)
            control.sendall(f"PORT {client.ip.replace('.', ',')},{high},{low}\r\n".encode())
            control.recv(200)
            try:
                data, _ = listening.accept()
            except TimeoutError:
                return b""
            with data:
                return bytes(data.recv(200))


class ActiveTests(RouterCase):
    """A VM that is translated fetches a file in active mode: the server connects to it."""

    def setUp(self) -> None:
        """Make both, and the router between them."""
        super().setUp()
        inner, outside = self.make_network("10.0.0.0/24"), self.make_outside()
        self.router = self.make_router(inner, outside=outside)
        self.client, self.world = self.open_guest(inner), self.open_guest(outside)
        self.server = ActiveServer(self.world)
        self.addCleanup(self.server.close)
        self.path = f"/v2.0/routers/{self.router['id']}/conntrack_helpers"
        self.wait_for("the way out", lambda: self.client.can_reach(self.world.ip))

    def help(self, **said: Any) -> str:
        """Have the router help; return the helper's id once it does."""
        answer = self.appliance.request("POST", self.path, {"conntrack_helper": said})
        self.assertEqual(answer.status, 201, answer.body)
        self.wait_for("a helper", lambda: f'helper set "{said["helper"]}_{said["protocol"]}"' in self.filters())
        return str(answer.body["conntrack_helper"]["id"])

    def filters(self) -> str:
        """Return the router's filters."""
        return self.inside_router(self.router, "nft", "list", "ruleset")

    def test_a_file_comes_by_a_connection_of_the_server(self) -> None:
        """Without a helper it does not: the server is told of an address inside. And so it is again without it."""
        self.assertEqual(fetch(self.client, self.world.ip), b"")
        self.assertTrue(self.server.asked[-1].startswith("10,0,0,"), self.server.asked)
        helper_id = self.help(protocol="tcp", port=_CONTROL, helper="ftp")
        own = self.router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
        self.assertEqual(fetch(self.client, self.world.ip), b"the file")
        self.assertTrue(self.server.asked[-1].startswith(own.replace(".", ",") + ","), self.server.asked)
        self.appliance.restart("/readyz")
        self.assertEqual(fetch(self.client, self.world.ip), b"the file")
        self.inside_router(self.router, "nft", "flush", "chain", "inet", "quantumd", "helping")
        self.wait_for("its repair", lambda: "helper set" in self.filters(), 5.0)
        self.assertEqual(fetch(self.client, self.world.ip), b"the file")
        self.assertEqual(self.appliance.request("DELETE", f"{self.path}/{helper_id}").status, 204)
        self.wait_for("no helper", lambda: "ct helper" not in self.filters())
        self.assertEqual(fetch(self.client, self.world.ip), b"")

    def test_every_helper_is_one_of_the_kernel_s(self) -> None:
        """All at once, and the router is well."""
        for helper, protocols in KERNEL_NAMES.items():
            for protocol in protocols:
                self.help(protocol=protocol, port=1000, helper=helper)
        self.assertEqual(self.filters().count("ct helper set"), sum(map(len, KERNEL_NAMES.values())))
        self.assertEqual(self.appliance.show("router", self.router["id"])["status"], "ACTIVE")
