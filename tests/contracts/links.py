"""What every provider of ILinks keeps: its tests are run for the kernel's devices and for those in memory."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet import reactor as twisted_reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from quantumd.edge.netlink.interfaces import (
    BRIDGE,
    EVERYBODY,
    VXLAN,
    AddBridge,
    AddVxlan,
    ChangeLink,
    DeleteLink,
    Fdb,
    ILinks,
    Link,
    PortFlags,
    PutFdb,
    RemoveFdb,
)
from quantumd.errors import EdgeError

reactor: Any = twisted_reactor

MAC = "fa:16:3e:00:00:01"
_BRIDGE, _TUNNEL = AddBridge("brq1", "a bridge"), AddVxlan("vxlan-7", 7, "192.0.2.1", 1400, "a tunnel")


class LinksContract(TestCase):
    """The tests; a provider's own class says how to make one that is connected."""

    __test__ = False

    def make(self) -> ILinks:
        """Return a provider that has been started; it is stopped after the test."""
        raise AssertionError("each provider makes its own")

    async def connected(self) -> ILinks:
        """Return a provider that knows the devices."""
        links = self.make()
        if not links.is_connected:
            known: Deferred[None] = Deferred()
            links.on_connected(lambda: known.callback(None))
            await known.addTimeout(5, reactor)
        return links

    def link(self, links: ILinks, name: str) -> Link:
        """Return a device, without what differs from one to the next."""
        found: Link = links.links()[name]
        return evolve(found, index=0, mac="")

    def test_it_is_what_it_says(self) -> None:
        """All of the interface is there."""
        self.assertTrue(verifyObject(ILinks, self.make()))

    def test_bridges_and_tunnels_are_made_and_known_at_once(self) -> Deferred[None]:
        """As they were asked for; a bridge that is there is no error, a tunnel is."""

        async def run() -> None:
            links = await self.connected()
            await links.apply((_BRIDGE, _TUNNEL, _BRIDGE))
            made = Link("brq1", 0, BRIDGE, alias="a bridge", is_up=True, filters=True)
            self.assertEqual(self.link(links, "brq1"), made)
            tunnel = Link("vxlan-7", 0, VXLAN, alias="a tunnel", mtu_bytes=1400, vni=7, local_ip="192.0.2.1")
            self.assertEqual(self.link(links, "vxlan-7"), tunnel)
            with self.assertRaises(EdgeError):
                await links.apply((_TUNNEL,))

        return ensureDeferred(run())

    def test_a_device_is_changed_and_whoever_listens_is_told(self) -> Deferred[None]:
        """Its bridge, its flags, its alias, its MTU."""

        async def run() -> None:
            links = await self.connected()
            told: set[str] = set()
            links.on_links(told.update)
            await links.apply((_BRIDGE, _TUNNEL))
            flags = PortFlags(learning=False, flood=False)
            await links.apply((ChangeLink("vxlan-7", "brq1", "another", 1300, up=True, flags=flags),))
            changed = self.link(links, "vxlan-7")
            found = (changed.master, changed.alias, changed.mtu_bytes, changed.is_up, changed.flags)
            self.assertEqual(found, ("brq1", "another", 1300, True, flags))
            self.assertTrue({"brq1", "vxlan-7"} <= told)
            await links.apply((ChangeLink("vxlan-7", master=""),))
            self.assertEqual(self.link(links, "vxlan-7").master, "")

        return ensureDeferred(run())

    def test_what_is_not_there_cannot_be_changed_but_can_be_removed(self) -> Deferred[None]:
        """The rest of what was asked for is done all the same."""

        async def run() -> None:
            links = await self.connected()
            with self.assertRaises(EdgeError):
                await links.apply((ChangeLink("nothing", alias="x"), _BRIDGE))
            self.assertIn("brq1", links.links())
            await links.apply((DeleteLink("nothing"), DeleteLink("brq1"), RemoveFdb(Fdb("nothing", MAC))))
            self.assertNotIn("brq1", links.links())

        return ensureDeferred(run())

    def test_entries_come_and_go(self) -> Deferred[None]:
        """Those of a bridge, of a tunnel, for everybody, and for the host itself; each once, however often."""

        async def run() -> None:
            links = await self.connected()
            await links.apply((_BRIDGE, _TUNNEL, ChangeLink("vxlan-7", master="brq1", up=True)))
            entries = (
                Fdb("vxlan-7", MAC), Fdb("vxlan-7", MAC, "192.0.2.2"), Fdb("vxlan-7", EVERYBODY, "192.0.2.2"),
                Fdb("vxlan-7", EVERYBODY, "192.0.2.3"), Fdb("brq1", "fa:16:3e:00:00:02"),
            )  # fmt: skip
            await links.apply(map(PutFdb, entries * 2))
            self.assertEqual(await links.entries(), frozenset(entries))
            lost: list[Fdb] = []
            links.on_lost_entry(lost.append)
            await links.apply(map(RemoveFdb, entries * 2))
            self.assertEqual(await links.entries(), frozenset())
            self.assertEqual(set(lost), set(entries))

        return ensureDeferred(run())
