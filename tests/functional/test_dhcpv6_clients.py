"""Sockets of DHCPv6 clients in namespaces of the kernel: from where, to whom, and who is heard. Needs root."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor as twisted_reactor
from twisted.internet.task import deferLater
from zope.interface.verify import verifyObject

from quantumd.edge.dhcpv6.interfaces import ALL_SERVERS, MOST_ANSWER_BYTES, SERVER_PORT, IClients
from quantumd.edge.dhcpv6.kernel import KernelClients
from quantumd.edge.netns.interfaces import Address, PutAddress
from tests.bed.openvswitch import run
from tests.contracts.namespaces import GATEWAY, INSIDE
from tests.functional.test_namespaces import KernelCase

reactor: Any = twisted_reactor

OWN, OTHER = "fe80::f816:3eff:fe00:2", "fe80::f816:3eff:fe00:1"
NEAR, FAR = "fe80::99", "fd00:99::1"


class ClientTests(KernelCase):
    """A router of two wires; at the other end of one is a server, at that of the other a VM."""

    async def make_clients(self) -> KernelClients:
        """Make the router, and listen in it."""
        await self.make_router(self.pairs[GATEWAY], PutAddress(Address(GATEWAY, "fd00:99::2/64")))
        for pair in self.pairs.values():
            for address in (NEAR, FAR):
                run("ip", "-6", "address", "add", f"{address}/64", "dev", pair.device.outer, "nodad")
        await self.until(lambda: OWN in self.ip("-6", "address") and "tentative" not in self.ip("-6", "address"))
        self.heard: list[tuple[str, str, bytes]] = []
        clients = KernelClients(reactor, self.namespaces)
        self.addCleanup(clients.stop)
        clients.on_answer(lambda *said: self.heard.append(said))
        await clients.open(self.name)
        return clients

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something; no longer than five seconds."""
        for _ in range(100):
            if is_so():
                return
            await deferLater(reactor, 0.05)
        self.fail("not within five seconds")

    def server(self, device: str, address: str = "::") -> socket.socket:
        """Return a socket at the outer end of a wire."""
        outer = self.pairs[device].device.outer
        made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.addCleanup(made.close)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, outer.encode())
        index = socket.if_nametoindex(outer)
        group = socket.inet_pton(socket.AF_INET6, ALL_SERVERS) + index.to_bytes(4, "little")
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
        made.bind((address, SERVER_PORT, 0, index if address == NEAR else 0))
        made.setblocking(False)
        return made

    def say(self, server: socket.socket, payload: bytes, device: str = GATEWAY) -> None:
        """Answer a router's wire from the other end."""
        target = OWN if device == GATEWAY else OTHER
        server.sendto(payload, (target, 546, 0, socket.if_nametoindex(self.pairs[device].device.outer)))

    async def test_a_question_goes_to_the_servers_of_one_link(self) -> None:
        """From the device's own address there; what a server answers is heard, with the device by which it came."""
        clients = await self.make_clients()
        self.assertTrue(verifyObject(IClients, clients))
        outside, inside = self.server(GATEWAY), self.server(INSIDE)
        clients.send(self.name, GATEWAY, b"question")
        said: list[tuple[bytes, Any]] = []

        def has_come() -> bool:
            try:
                said.append(outside.recvfrom(100))
            except BlockingIOError:
                return False
            return True

        await self.until(has_come)
        (payload, source), *_ = said
        self.assertEqual((payload, source[0].partition("%")[0], source[1]), (b"question", OWN, 546))
        self.assertRaises(BlockingIOError, inside.recvfrom, 100)
        near = self.server(GATEWAY, NEAR)
        self.say(near, b"answer")
        self.say(self.server(INSIDE, NEAR), b"from inside", INSIDE)
        await self.until(lambda: len(self.heard) == 2)
        self.assertIn((self.name, GATEWAY, b"answer"), self.heard)
        self.assertIn((self.name, INSIDE, b"from inside"), self.heard)

    async def test_who_is_not_heard(self) -> None:
        """Somebody from beyond the link, and who says too much."""
        await self.make_clients()
        near, far = self.server(GATEWAY, NEAR), self.server(GATEWAY, FAR)
        far.sendto(b"from far", ("fd00:99::2", 546))
        self.say(near, b"x" * (MOST_ANSWER_BYTES + 1))
        self.say(near, b"x" * MOST_ANSWER_BYTES)
        await self.until(lambda: bool(self.heard))
        self.assertEqual([payload for *_, payload in self.heard], [b"x" * MOST_ANSWER_BYTES])

    async def test_the_end(self) -> None:
        """Nothing is heard of a namespace that is closed, and nothing goes where nobody can send."""
        clients = await self.make_clients()
        await clients.open(self.name)
        clients.send(self.name, "qg-none", b"nowhere")
        near = self.server(GATEWAY, NEAR)
        self.say(near, b"one")
        await self.until(lambda: bool(self.heard))
        clients.close(self.name)
        clients.close(self.name)
        clients.send(self.name, GATEWAY, b"nobody")
        await deferLater(reactor, 0.1)
        self.say(near, b"two")
        await deferLater(reactor, 0.2)
        self.assertEqual(len(self.heard), 1)
        await clients.open(self.name)
        self.say(near, b"three")
        await self.until(lambda: len(self.heard) == 2)
