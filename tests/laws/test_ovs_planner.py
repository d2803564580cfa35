"""The planner's laws, on an Open vSwitch in memory that fails, restarts and is interfered with at will."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address
from itertools import product

from attrs import define, evolve, field
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.converge.loop import ConvergeService
from quantumd.converge.plan import Plan, merge
from quantumd.converge.records import Records
from quantumd.edge.openflow.interfaces import Flow, SwitchChange
from quantumd.edge.openflow.match import match
from quantumd.edge.openflow.memory import MemorySwitch
from quantumd.l2.drivers.ovs.bridges import OWNED, BridgePlan, TunnelPlan
from quantumd.l2.drivers.ovs.converger import OvsConverger
from quantumd.l2.drivers.ovs.desired import PuntSettings
from quantumd.l2.drivers.ovs.memory import MemoryOpenVswitch
from quantumd.l2.drivers.ovs.numbers import NetworkNumbers
from quantumd.l2.drivers.ovs.pipeline import LOG_METER
from quantumd.l2.drivers.ovs.view import HostView
from quantumd.model.messages import Gone, PortReport, Update
from quantumd.model.qos_records import QosLimit, QosPolicyRecord
from quantumd.model.records import FixedIp, NetworkRecord, PeerRecord, PortRecord, Record, RemotePortRecord
from quantumd.model.service_place import OUTER_DEVICE
from quantumd.model.services import DNS, METADATA
from quantumd.model.tap_mirror_records import TapMirrorRecord
from tests.bed.counts import count

NETWORKS = {
    "n-local": NetworkRecord("n-local", 1, "local", None, None, 1500, True, "fa:16:3e:00:01:00", ("10.0.0.2",)),
    "n-twin": NetworkRecord(
        "n-twin", 1, "local", None, None, 1500, True, "fa:16:3e:00:02:00", ("10.0.0.2",), dhcp_addresses6=("fd00:1::1",)
    ),
    "n-vlan": NetworkRecord("n-vlan", 1, "vlan", "physnet1", 100, 1500, True, None, (), "silver"),
    "n-flat": NetworkRecord(
        "n-flat", 1, "flat", "physnet1", None, 1500, True, "fa:16:3e:00:05:00", (), dhcp_addresses6=("fd00:2::1",)
    ),
    "n-vxlan": NetworkRecord("n-vxlan", 1, "vxlan", None, 5001, 1450, True, None, ()),
}
NETWORKS |= {name: evolve(NETWORKS[name], vlan_transparent=True) for name in ("n-twin", "n-vxlan")}
OTHERWISE = evolve(NETWORKS["n-vxlan"], network_type="vlan", physical_network="physnet1", segmentation_id=200)
"""The network in tunnels as a host knows it that carries it by another segment."""

PORTS = {
    port_id: PortRecord(port_id, 1, network, f"fa:16:3e:00:0{at}:0{n}", (), True, "compute:nova")
    for at, (network, n) in enumerate(product(NETWORKS, (1, 2)))
    for port_id in [f"0000000{at}-0000-4000-8000-000000000000"]
}
PORTS[min(PORTS)] = evolve(PORTS[min(PORTS)], qos_policy="gold")
LIMITS = (QosLimit("egress", "kbps", 1000), QosLimit("ingress", "kpps", 1))
POLICIES = {name: QosPolicyRecord(name, 1, LIMITS, 26) for name in ("gold", "silver")}
PEERS = {name: PeerRecord(name, 1, f"192.0.2.{n}") for n, name in enumerate(("host-b", "host-c"), start=2)}
REMOTE = {
    name: RemotePortRecord(name, 1, "n-vxlan", host, f"fa:16:3e:00:0e:0{n}", (FixedIp("s", f"10.0.0.{n}"),))
    for n, (name, host) in enumerate((("r1", "host-b"), ("r2", "host-b"), ("r3", "host-c")), start=1)
}
FIRST = min(PORTS)
MIRRORS = {
    "m1": TapMirrorRecord("m1", 1, FIRST, "gre", "198.51.100.1", 0, 7),
    "m2": TapMirrorRecord("m2", 1, FIRST, "erspanv1", "198.51.100.2", 8, 8),
    "m3": TapMirrorRecord("m3", 1, max(PORTS), "gre", "198.51.100.1", 0, 9),
}
COLLECTORS = {int(IPv4Address(each.remote_ip)) for each in MIRRORS.values()}
STRANGER = Flow(5, 7, match(in_port=99), 0x1234, b"")
PUNT = PuntSettings(7, 20, 20)
LOGGING = PuntSettings(8, 20, 20)
STORM_PPS, STORM_KIND, SERVICE_KIND = 1000, 5, 7


@define(eq=False)
class WatchedSwitch(MemorySwitch):
    """Calls ``watch`` after each change, before anybody learns that it is done."""

    watch: Callable[[], None] = lambda: None

    def change(self, change: SwitchChange) -> Deferred[None]:
        done = super().change(change)
        self.watch()
        return done


@define(eq=False)
class World:
    """A host in memory, and the process that serves it; ``restart`` replaces the process by an empty one."""

    removes_foreign: bool = True
    clock: Clock = field(factory=Clock)
    vswitch: MemoryOpenVswitch = field(init=False)
    records: Records = field(factory=Records)
    version: int = 1
    told: dict[str, PortReport] = field(factory=dict)
    converger: OvsConverger = field(init=False)
    loop: ConvergeService = field(init=False)

    @vswitch.default
    def _make_vswitch(self) -> MemoryOpenVswitch:
        return MemoryOpenVswitch(self.clock, "br-int", PUNT.controller_id, WatchedSwitch())

    def start(self) -> None:
        self.vswitch.ovsdb.startService()
        self.vswitch.switch.start()
        self.begin()

    def fill(self) -> None:
        """Make every network and port known, and plug every other port."""
        self.put(
            *NETWORKS.values(),
            *PORTS.values(),
            *PEERS.values(),
            *REMOTE.values(),
            *POLICIES.values(),
            *MIRRORS.values(),
        )
        for port_id in sorted(PORTS)[::2]:
            self.vswitch.plug(port_id)
        self.vswitch.ovsdb.plug("br-int", OUTER_DEVICE, OWNED)
        self.settle()

    def begin(self) -> None:
        """Start a process that knows nothing."""
        known, self.records = self.records, Records()
        self.converger = self.new_converger()
        self.loop = ConvergeService(self.converger, self.clock, self.tell, 1000.0)
        self.loop.startService()
        changed = self.records.apply(Update("h", "l2", tuple(known)))
        self.loop.records_changed(changed, True)
        self.settle()

    def new_converger(self) -> OvsConverger:
        view = HostView(self.records, NetworkNumbers())
        tunnels = TunnelPlan("192.0.2.1", ("vxlan",))
        plan = BridgePlan("br-int", {"physnet1": "br-ex"}, "netdev", tunnels, (METADATA, *DNS))
        edges = self.vswitch
        parts = (edges.ovsdb, edges.switch, view, plan, PUNT, self.clock, edges.connections)
        return OvsConverger("h", *parts, self.removes_foreign, LOGGING, STORM_PPS, service_pps=STORM_PPS)

    def tell(self, reports: tuple[PortReport, ...], is_complete: bool) -> None:
        if is_complete:
            self.told.clear()
        self.told.update((report.port_id, report) for report in reports)

    def restart(self) -> None:
        self.loop.stopService()
        self.begin()

    def settle(self) -> None:
        for _ in range(12):
            self.clock.pump([0.0] * 8 + [0.3])
        self.clock.pump([20.0] + [0.0] * 20)

    def put(self, *records: Record) -> None:
        self.version += 1
        put = tuple(evolve(record, version=self.version) for record in records)
        self.loop.records_changed(self.records.apply(Update("h", "l2", put)), False)

    def remove(self, kind: str, record_id: str) -> None:
        self.version += 1
        gone = (Gone(kind, record_id, self.version),)
        self.loop.records_changed(self.records.apply(Update("h", "l2", (), gone)), False)

    def everything_planned(self) -> Plan:
        return merge([self.converger.plan(self.converger.every_key()), self.converger.sweep()])


def _frame(source: str, target: str) -> bytes:
    return bytes.fromhex(target.replace(":", "") + source.replace(":", "")) + b"\x08\x00" + b"\x45" + bytes(45)


ACTIONS = st.one_of(
    st.tuples(st.just("network"), st.sampled_from(sorted(NETWORKS)), st.booleans()),
    st.tuples(st.just("port"), st.sampled_from(sorted(PORTS)), st.booleans()),
    st.tuples(st.just("forget"), st.sampled_from(sorted(PORTS)), st.none()),
    st.tuples(st.just("forget network"), st.sampled_from(sorted(NETWORKS)), st.none()),
    st.tuples(st.just("peer"), st.sampled_from(sorted(PEERS)), st.booleans()),
    st.tuples(st.just("elsewhere"), st.sampled_from(sorted(REMOTE)), st.booleans()),
    st.tuples(st.just("carry"), st.none(), st.booleans()),
    st.tuples(st.just("qos"), st.sampled_from(sorted(POLICIES)), st.booleans()),
    st.tuples(st.just("mirror"), st.sampled_from(sorted(MIRRORS)), st.booleans()),
    st.tuples(st.just("plug"), st.sampled_from(sorted(PORTS)), st.none()),
    st.tuples(st.just("unplug"), st.sampled_from(sorted(PORTS)), st.none()),
    st.tuples(st.just("refuse"), st.none(), st.none()),
    st.tuples(st.just("restart switch"), st.none(), st.none()),
    st.tuples(st.just("restart process"), st.none(), st.none()),
    st.tuples(st.just("lose database"), st.none(), st.none()),
    st.tuples(st.just("settle"), st.none(), st.none()),
)


def _act(world: World, action: tuple[str, str | None, bool | None]) -> None:
    what, name, is_up = action
    if what == "network":
        world.put(evolve(NETWORKS[str(name)], admin_state_up=bool(is_up)))
    elif what == "port":
        world.put(evolve(PORTS[str(name)], admin_state_up=bool(is_up)))
    elif what == "peer":
        _put_or_remove(world, PEERS[str(name)], bool(is_up))
    elif what == "elsewhere":
        _put_or_remove(world, REMOTE[str(name)], bool(is_up))
    elif what == "carry":
        world.put(NETWORKS["n-vxlan"] if is_up else OTHERWISE)
    elif what == "qos":
        world.put(evolve(POLICIES[str(name)], limits=LIMITS if is_up else LIMITS[1:]))
    elif what == "mirror":
        _put_or_remove(world, MIRRORS[str(name)], bool(is_up))
    elif what == "forget":
        world.remove("l2.port", str(name))
    elif what == "forget network":
        world.remove("l2.network", str(name))
    elif what == "plug":
        world.vswitch.plug(str(name))
    elif what == "unplug":
        world.vswitch.unplug(str(name))
    elif what == "refuse":
        world.vswitch.switch.refuse_next("by law")
    elif what == "restart switch":
        world.vswitch.restart_switch()
    elif what == "restart process":
        world.restart()
    elif what == "lose database":
        world.vswitch.ovsdb.disconnect()
        world.clock.pump([0.0, 0.1])
        world.vswitch.ovsdb.reconnect()
    else:
        world.settle()


def _put_or_remove(world: World, record: PeerRecord | RemotePortRecord | TapMirrorRecord, is_there: bool) -> None:
    if is_there:
        world.put(record)
    else:
        world.remove(record.kind, record.id)


def _live(world: World) -> set[str]:
    """The ports that must carry traffic, from the definition and not from the code."""
    live = set()
    for port_id in PORTS:
        port = world.records.get("l2.port", port_id)
        network = world.records.get("l2.network", port.network_id) if isinstance(port, PortRecord) else None
        if (
            isinstance(port, PortRecord)
            and isinstance(network, NetworkRecord)
            and port.admin_state_up
            and network.admin_state_up
            and world.vswitch.ofport_of(port_id) is not None
        ):
            live.add(port_id)
    return live


def _metered(world: World) -> set[int]:
    """The meters of limits, storms and services that there must be, from the definition and not from the code."""
    kinds = (STORM_KIND, SERVICE_KIND)
    found = {kind << 29 | (world.vswitch.ofport_of(port_id) or 0) for port_id in _live(world) for kind in kinds}
    for port_id in _live(world):
        port = world.records.get("l2.port", port_id)
        assert isinstance(port, PortRecord)
        network = world.records.get("l2.network", port.network_id)
        assert isinstance(network, NetworkRecord)
        policy = world.records.get("l2.qos_policy", port.qos_policy or network.qos_policy or "")
        for limit in policy.limits if isinstance(policy, QosPolicyRecord) else ():
            first = 1 if limit.unit == "kbps" else 4
            found.add(first << 29 | (world.vswitch.ofport_of(port_id) or 0))
    return found


def _unversioned(world: World) -> set[Record]:
    return {evolve(record, version=1) for record in world.records}


class PlannerLawTests(SynchronousTestCase):
    """Whatever happens, in whatever order."""

    def check_arrived(self, world: World) -> None:
        """Every pair of VMs is connected exactly when both are live and on one network."""
        live = _live(world)
        for sender, receiver in product(PORTS, PORTS):
            walk = None
            number = world.vswitch.ofport_of(sender)
            if number is not None:
                walk = world.vswitch.switch.walk(number, _frame(PORTS[sender].mac_address, PORTS[receiver].mac_address))
            reached = {out.ofport for out in walk.outputs} if walk is not None else set()
            is_reached = world.vswitch.ofport_of(receiver) in reached
            same = PORTS[sender].network_id == PORTS[receiver].network_id
            self.assertEqual(is_reached, {sender, receiver} <= live and same and sender != receiver)
        meters = {number for number in world.vswitch.switch.meters if number >> 16}
        self.assertEqual(meters, _metered(world) | {LOG_METER})
        for port_id, remote in product(live, REMOTE.values()):
            self.check_remote(world, PORTS[port_id], remote)
        for port_id in live:
            self.check_mirrored(world, PORTS[port_id])

    def check_mirrored(self, world: World, sender: PortRecord) -> None:
        """Copies of a broadcast leave for each mirror known of its sender and its receivers, and for no other."""
        number = world.vswitch.ofport_of(sender.id)
        assert number is not None
        walk = world.vswitch.switch.walk(number, _frame(sender.mac_address, "ff:ff:ff:ff:ff:ff"))
        left = {(said["tun_id"], said["tun_dst"]) for said in (dict(out.tunnel) for out in walk.outputs) if said}
        live, known = _live(world), _unversioned(world)
        others = {each for each in live if PORTS[each].network_id == sender.network_id} - {sender.id}
        mirrors = [each for each in MIRRORS.values() if each in known]
        sent = [(each.out_id, each) for each in mirrors if each.port_id == sender.id]
        got = [(each.in_id, each) for each in mirrors if each.port_id in others]
        wanted = {(number, int(IPv4Address(each.remote_ip))) for number, each in (*sent, *got) if number}
        self.assertEqual({each for each in left if each[1] in COLLECTORS}, wanted)

    def check_remote(self, world: World, sender: PortRecord, receiver: RemotePortRecord) -> None:
        """A port elsewhere is reached by a tunnel exactly when it and its host are known, on a network in tunnels."""
        number = world.vswitch.ofport_of(sender.id)
        assert number is not None
        walk = world.vswitch.switch.walk(number, _frame(sender.mac_address, receiver.mac_address))
        ends = {dict(out.tunnel).get("tun_dst") for out in walk.outputs if out.tunnel} - COLLECTORS
        is_known = {receiver, PEERS[receiver.host], NETWORKS["n-vxlan"]} <= _unversioned(world)
        end = int(IPv4Address(PEERS[receiver.host].tunnel_ip))
        self.assertEqual(ends, {end} if is_known and sender.network_id == receiver.network_id else set())

    @settings(max_examples=count(60, 1500), deadline=None)
    @example([("plug", FIRST, None), ("forget", FIRST, None), ("unplug", FIRST, None)])
    @example([("unplug", FIRST, None), ("restart process", None, None), ("refuse", None, None), ("plug", FIRST, None)])
    @example([("refuse", None, None), ("forget", FIRST, None), ("restart process", None, None)])
    @given(st.lists(ACTIONS, min_size=1, max_size=25))
    def test_any_path_arrives_and_rests(self, actions: list[tuple[str, str | None, bool | None]]) -> None:
        """After any history of changes and failures, packets go where the last records say, and no step is left."""
        world = World()
        world.start()
        world.fill()
        for action in actions:
            _act(world, action)
        world.settle()
        self.check_arrived(world)
        self.assertTrue(world.everything_planned().is_empty)
        self.assertEqual(world.loop.waits_for, "")
        plugged = {port_id for port_id, report in world.told.items() if report.version}
        self.assertEqual(plugged, _live(world))

    @settings(max_examples=count(40, 800), deadline=None)
    @given(st.lists(ACTIONS, min_size=1, max_size=25))
    def test_empty_process_plans_nothing(self, actions: list[tuple[str, str | None, bool | None]]) -> None:
        """A restarted process with no memory reads back what there is and leaves it alone."""
        world = World()
        world.start()
        world.fill()
        for action in actions:
            _act(world, action)
        world.settle()
        before = world.vswitch.switch.state()
        world.vswitch.switch.changes.clear()
        world.restart()
        self.assertEqual(list(world.vswitch.switch.changes), [])
        self.assertEqual(world.vswitch.switch.state(), before)

    @settings(max_examples=count(40, 800), deadline=None)
    @given(st.lists(ACTIONS, min_size=1, max_size=20))
    def test_only_the_last_records_matter(self, actions: list[tuple[str, str | None, bool | None]]) -> None:
        """What the switch holds after a history is what one pass over an empty switch makes of the same records."""
        world = World()
        world.start()
        world.fill()
        for action in actions:
            _act(world, action)
        world.settle()
        by_history = world.vswitch.switch.state()
        switch = world.vswitch.switch
        switch.flows.clear()
        switch.groups.clear()
        switch.meters.clear()
        world.restart()
        at_once = world.vswitch.switch.state()
        self.assertEqual(set(by_history.flows), set(at_once.flows))
        self.assertEqual(set(by_history.groups), set(at_once.groups))
        self.assertEqual(set(by_history.meters), set(at_once.meters))

    @settings(max_examples=count(40, 800), deadline=None)
    @given(st.lists(ACTIONS, min_size=1, max_size=20))
    def test_no_change_on_the_way_lets_networks_meet(self, actions: list[tuple[str, str | None, bool | None]]) -> None:
        """After each single change of the switch, a frame reaches at most ports of the sender's own network."""
        world = World()
        world.start()
        world.vswitch.switch.watch = lambda: self.check_apart(world)  # type: ignore[attr-defined]
        for action in actions:
            _act(world, action)
            self.check_apart(world)
        world.settle()
        self.check_apart(world)

    def check_apart(self, world: World) -> None:
        network_at = {
            number: port.network_id
            for port_id, port in PORTS.items()
            if (number := world.vswitch.ofport_of(port_id)) is not None
        }
        for number, network in network_at.items():
            walk = world.vswitch.switch.walk(number, _frame("fa:16:3e:99:99:99", "ff:ff:ff:ff:ff:ff"))
            for out in walk.outputs:
                self.assertIn(network_at.get(out.ofport, network), (network,))

    def test_strangers_flows_are_removed(self) -> None:
        """On the bridge that quantumd owns a stranger's flow is removed at the next look."""
        world = World()
        world.start()
        world.vswitch.switch.flows[STRANGER.key] = STRANGER
        world.restart()
        self.assertNotIn(STRANGER.key, world.vswitch.switch.flows)
        self.assertEqual(world.converger.drift.foreign_flows, 1)

    def test_strangers_flows_are_reported_only(self) -> None:
        """By setting, a stranger's flow is counted and stays."""
        world = World(removes_foreign=False)
        world.start()
        world.vswitch.switch.flows[STRANGER.key] = STRANGER
        world.restart()
        self.assertIn(STRANGER.key, world.vswitch.switch.flows)
        self.assertEqual(world.converger.drift.foreign_flows, 1)

    def test_unknown_iface_id_stays_dead(self) -> None:
        """A device that says it is a port nobody knows gets no flow of its own."""
        world = World()
        world.start()
        before = set(world.vswitch.switch.flows)
        world.vswitch.plug("nobody-knows-me")
        world.settle()
        self.assertEqual(set(world.vswitch.switch.flows), before)
        self.assertEqual(world.told["nobody-knows-me"], PortReport("nobody-knows-me", 0, True))
