"""The laws of the driver of Linux bridges, on a host in memory that is interfered with at will."""

from __future__ import annotations

from itertools import product

from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import L2Settings
from quantumd.converge.records import Records
from quantumd.edge.netlink.interfaces import Fdb, Link
from quantumd.l2.drivers.linuxbridge.driver import LinuxBridgeDriver
from quantumd.l2.drivers.linuxbridge.memory import MemoryHost
from quantumd.l2.drivers.linuxbridge.watch import LOOK_SECONDS
from quantumd.model.messages import Gone, Update
from quantumd.model.records import FixedIp, NetworkRecord, PeerRecord, PortRecord, Record, RemotePortRecord
from quantumd.model.security_records import AddressSetRecord, SecurityGroupRecord, SecurityRule
from tests.bed.counts import count
from tests.contracts.l2_driver import HOST, DriverBed, site_for

NETWORKS = {
    name: NetworkRecord(f"{name}-0000-4000-8000-000000000000", 1, kind, physical, number, 1450, True, None, ())
    for name, kind, physical, number in (
        ("00000001", "local", None, None),
        ("00000002", "flat", "physnet1", None),
        ("00000003", "vxlan", None, 5001),
    )
}
PORTS = {
    port_id: PortRecord(
        port_id, 1, network.id, f"fa:16:3e:00:0{at}:0{n}", (FixedIp("s", f"10.0.0.{n}"),), True, "compute:nova",
        n != 2, ("g1",) if n == 1 else ("g1", "g2"),
    )
    for at, (network, n) in enumerate(product(NETWORKS.values(), (1, 2, 3)))
    for port_id in [f"1000000{at}-0000-4000-8000-000000000000"]
}  # fmt: skip
RULES = (SecurityRule("r1", "egress", "IPv4"), SecurityRule("r2", "ingress", "IPv4", 6, 80, 90, remote_set="g1"))
OTHERS: tuple[Record, ...] = (
    SecurityGroupRecord("g1", 1, True, RULES),
    SecurityGroupRecord("g2", 1, False, RULES[:1]),
    AddressSetRecord("g1/10", 1, ("10.0.0.1/32", "10.0.0.0/30", "fd00::1/128")),
    PeerRecord("host-b", 1, "192.0.2.2"),
    RemotePortRecord("far", 1, NETWORKS["00000003"].id, "host-b", "fa:16:3e:00:0e:01", ()),
)
STRANGERS = (Link("eth0", 0, is_up=True), Link("nic1", 0, is_up=True), Link("br-theirs", 0, "bridge"))
IDS = tuple(PORTS)

Action = tuple[str, str]
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(("plug", "unplug", "know", "forget", "disable", "steal", "flush", "lose", "open")),
        st.sampled_from(IDS),
    ),
    max_size=14,
)


@define(eq=False)
class World:
    """A host, and a process on it that may be started anew."""

    host: MemoryHost = field(init=False)
    clock: Clock = field(factory=Clock)
    bed: DriverBed = field(init=False)
    known: dict[str, PortRecord] = field(factory=dict)
    version: int = 10

    def __attrs_post_init__(self) -> None:
        """Start."""
        self.host = MemoryHost(self.clock)
        for link in STRANGERS:
            self.host.links.put(link)
        self.begin()

    def begin(self) -> None:
        """Start a process that knows nothing."""
        records = Records()
        site = evolve(
            site_for(records, self.clock),
            l2=L2Settings(interface_mappings=("physnet1:nic1",), tunnel_ip="192.0.2.1"),
        )
        parts = LinuxBridgeDriver().install_on(site, self.host.edges(), self.host.frame_parts())
        self.bed = DriverBed(parts, self.clock, records, self.host.plug, self.host.unplug)
        self.bed.start(*NETWORKS.values(), *OTHERS, *self.known.values())

    def act(self, action: Action) -> None:
        """Let something happen."""
        what, port_id = action
        self.version += 1
        tap = f"tap{port_id[:11]}"
        if what == "plug":
            self.host.plug(port_id)
        elif what == "unplug":
            self.host.unplug(port_id)
        elif what in ("know", "disable"):
            self.known[port_id] = evolve(PORTS[port_id], version=self.version, admin_state_up=what == "know")
            self.bed.put(self.known[port_id])
        elif what == "forget":
            self.known.pop(port_id, None)
            self.bed.update(Update(HOST, "l2", gone=(Gone(PortRecord.kind, port_id, self.version, True),)))
        elif what == "flush":
            self.host.nft.flush()
        elif what == "lose":
            for entry in tuple(self.host.links.known):
                self.host.links.lose(entry)
        elif tap in self.host.links.links():
            self.host.change(port_id, **({"master": "br-theirs"} if what == "steal" else {"flags": None}))
        self.bed.settle()

    def look(self) -> None:
        """Let what is waited for come, long before the clock's next look at the host."""
        self.clock.advance(LOOK_SECONDS)
        self.bed.settle()

    def state(self) -> tuple[object, ...]:
        """Return all that the kernel holds, without what numbers it gave."""
        links = {name: evolve(link, index=0) for name, link in self.host.links.links().items()}
        nft = self.host.nft
        return links, frozenset(self.host.links.known), dict(nft.chains), dict(nft.sets), dict(nft.elements)


class LawTests(SynchronousTestCase):
    """Whatever happens."""

    @given(ACTIONS)
    @settings(max_examples=count(40, 800), deadline=None)
    def test_only_the_end_matters(self, actions: list[Action]) -> None:
        """Any path arrives where a host arrives that saw only its end, and then rests."""
        world, straight = World(), World()
        for action in actions:
            world.act(action)
        # Two processes on one host would undo each other's work for ever: a lock keeps them from it.
        straight.bed.stop()
        world.look()
        straight.known = dict(world.known)
        straight.begin()
        for port_id in IDS:
            if f"tap{port_id[:11]}" in world.host.links.links():
                straight.host.plug(port_id)
        straight.bed.settle()
        for each in (world, straight):
            self.assertTrue(each.bed.loop.is_converged, each.bed.loop.waits_for)
        held = _held(world) | _held(straight)
        self.assertEqual(_meant(world.state(), held), _meant(straight.state(), held))

    @given(ACTIONS)
    @settings(max_examples=count(40, 800), deadline=None)
    def test_an_empty_process_changes_nothing(self, actions: list[Action]) -> None:
        """Whatever it finds is as it must be."""
        world = World()
        for action in actions:
            world.act(action)
        world.look()
        before, made = world.state(), len(world.host.nft.changes)
        world.bed.stop()
        world.begin()
        self.assertEqual(world.state(), before)
        self.assertEqual(world.host.nft.changes[made:], [])

    @given(ACTIONS)
    @settings(max_examples=count(40, 800), deadline=None)
    def test_strangers_are_left_alone(self, actions: list[Action]) -> None:
        """Their devices, but for the NIC that the settings name, and entries of theirs."""
        world = World()
        theirs = Fdb("eth0", "fa:16:3e:99:99:99")
        world.host.links.known.add(theirs)
        for action in actions:
            if action[0] != "lose":
                world.act(action)
        links = world.host.links.links()
        for link in (STRANGERS[0], STRANGERS[2]):
            self.assertEqual(evolve(links[link.name], index=0), link)
        self.assertIn(theirs, world.host.links.known)


def _held(world: World) -> set[str]:
    """Return the bridges that devices of ports are in: such a bridge stays while a device is in it, whosever it is."""
    links = world.host.links.links()
    return {link.master for name, link in links.items() if name.startswith("tap") and link.master is not None}


def _meant(state: tuple[object, ...], held: set[str]) -> tuple[object, ...]:
    """Leave out what the hypervisor decides: that is what differs where a device came another way."""
    links, *rest = state
    if not isinstance(links, dict):
        raise AssertionError("devices are by name")
    # A device that is no port's any more stays in its bridge, and is closed there.
    ours = {name: link for name, link in links.items() if not name.startswith("tap") and name not in held}
    return ours, *_open(rest)


def _open(rest: list[object]) -> tuple[object, ...]:
    *others, elements = rest
    if not isinstance(elements, dict):
        raise AssertionError("elements are by place")
    return *others, {place: value for place, value in elements.items() if place[1] not in ("closed", "zones")}
