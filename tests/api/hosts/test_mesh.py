"""What hosts that carry the same tunnelled networks are told of each other."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.hosts.announce import updates_for
from quantumd.api.hosts.compiled import records_of_host, tell_of_reach
from quantumd.api.hosts.mesh import tell_of_end
from quantumd.api.hosts.outbox import Outbox
from quantumd.converge.records import Records
from quantumd.model.messages import HostReport, Update
from quantumd.model.records import NetworkRecord, PeerRecord, Record, RemotePortRecord
from quantumd.store.journal import read_after
from tests.api.resources.bed import Bed, View
from tests.bed.counts import count

HOSTS = ("a", "b", "c")
ENDS = {"a": "192.0.2.1", "b": "192.0.2.2", "c": "2001:db8::3"}
_OF_MESH = (PeerRecord.kind, RemotePortRecord.kind)


class World:
    """Three hosts with tunnels, one without, and what each was told; two tunnelled networks, and one that is not.

    The last network has two segments, of which the first is a VLAN that at first only host a reaches.
    """

    def __init__(self) -> None:
        self.bed = Bed()
        self.known = {host: Records() for host in (*HOSTS, "old")}
        self.told: list[Update] = []
        self.position = 0
        self.wired = {"a"}
        for host in HOSTS:
            self.report(host, ENDS[host])
        self.bed.hear(HostReport("old", "l2", "1", "ovs", "{}"))
        self.networks = [
            self.network(name, **{"provider:network_type": "vxlan", "provider:segmentation_id": number})
            for number, name in enumerate(("one", "two"), start=1)
        ]
        self.networks.append(self.network("local", **{"provider:network_type": "local"}))
        vlan = {"provider:network_type": "vlan", "provider:physical_network": "physnet1", "provider:segmentation_id": 5}
        tunnel = {"provider:network_type": "vxlan", "provider:segmentation_id": 5}
        self.networks.append(self.network("mixed", segments=[vlan, tunnel]))
        self.ports: list[View] = []
        self.tell()

    def network(self, name: str, **provider: Any) -> str:
        """Create a network with a subnet."""
        network_id: str = self.bed.create("network", name=name, **provider)["id"]
        self.bed.create("subnet", network_id=network_id, cidr="10.0.0.0/24", ip_version=4)
        return network_id

    def report(self, host: str, tunnel_ip: str) -> None:
        """Let a host say where its tunnels end."""
        types = ("vxlan",) if tunnel_ip else ()
        self.bed.hear(
            HostReport(
                host,
                "l2",
                "1",
                "ovs",
                "{}",
                tunnel_ip=tunnel_ip,
                tunnel_types=types,
                physical_networks=("physnet1",) if host in self.wired else (),
            )
        )

    def rewire(self, host: str) -> None:
        """Let a host get the physical network, or lose it, and say so; it and others are told what follows."""
        self.wired ^= {host}
        self.move_end(host, ENDS[host])

    def move_end(self, host: str, tunnel_ip: str) -> None:
        """Let a host say so, and tell the others."""
        self.report(host, tunnel_ip)
        outbox = Outbox()
        tell_of_reach(self.bed.connection, host, outbox)
        tell_of_end(self.bed.connection, host, outbox)
        self.take(outbox.updates(""))

    def port(self, network: int, host: str) -> View:
        """Create a port on a host ('' is none)."""
        port = self.bed.create("port", network_id=self.networks[network], binding__host_id=host, security_groups=[])
        self.ports.append(port)
        return port

    def tell(self, most: int = 1000) -> None:
        """Tell hosts of what was committed since the last time, and of no more than so many rows of the journal."""
        rows = read_after(self.bed.connection, self.position, most)
        self.take(updates_for(self.bed.connection, rows))
        self.position = rows[-1].position if rows else self.position

    def take(self, updates: list[Update]) -> None:
        """Let hosts hear updates."""
        self.told = [each for each in updates if each.role == "l2"]
        for update in self.told:
            self.known[update.host].apply(update)

    def has(self, host: str) -> set[Record]:
        """Return what a host was told of others."""
        return {record for kind in _OF_MESH for record in self.known[host].of_kind(kind)}

    def must_have(self, host: str) -> set[Record]:
        """Return what a comparison would find that it must know of others."""
        every = records_of_host(self.bed.connection, host, "l2", None)
        return {record for record in every if record.kind in _OF_MESH}


class MeshCase(SynchronousTestCase):
    """The world, and what to expect of it."""

    def setUp(self) -> None:
        self.world = World()
        self.addCleanup(self.world.bed.close)

    def expect(self, host: str, *names: str) -> None:
        """These are the ids of what a host knows of others, and a comparison would find no difference."""
        self.world.tell()
        self.assertEqual({record.id for record in self.world.has(host)}, set(names))
        for each in self.world.known:
            self.assertEqual(self.world.has(each), self.world.must_have(each), each)


class MeetingTests(MeshCase):
    """Hosts get ports of a network, and lose them."""

    def test_hosts_that_meet_on_a_network_know_each_other_and_their_ports(self) -> None:
        """The one that comes later is told of all that is there."""
        world = self.world
        first, more = world.port(0, "a"), world.port(0, "a")
        self.expect("a")
        second = world.port(0, "b")
        self.expect("b", "a", first["id"], more["id"])
        self.expect("a", "b", second["id"])
        self.expect("c")

    def test_a_host_is_told_where_tunnels_end_and_what_ports_have(self) -> None:
        """All that flows are made of."""
        world = self.world
        world.port(0, "a")
        port = world.port(0, "b")
        world.tell()
        peer, remote = sorted(world.has("a"), key=lambda record: record.kind)
        assert isinstance(peer, PeerRecord)
        assert isinstance(remote, RemotePortRecord)
        self.assertEqual((peer.id, peer.tunnel_ip), ("b", ENDS["b"]))
        self.assertEqual((remote.host, remote.mac_address), ("b", port["mac_address"]))
        self.assertEqual([ip.ip_address for ip in remote.fixed_ips], [port["fixed_ips"][0]["ip_address"]])

    def test_a_host_that_loses_its_last_port_forgets_and_is_forgotten(self) -> None:
        """While hosts that share another network still know each other."""
        world = self.world
        one, two, three = world.port(0, "a"), world.port(0, "b"), world.port(0, "c")
        others = [world.port(1, "a"), world.port(1, "b")]
        self.expect("a", "b", "c", two["id"], three["id"], others[1]["id"])
        world.bed.delete("port", one["id"])
        self.expect("a", "b", others[1]["id"])
        self.expect("c", "b", two["id"])

    def test_ports_that_go_are_forgotten(self) -> None:
        """Deleted, or bound to no host any more."""
        world = self.world
        world.port(0, "a")
        one, two, three = (world.port(0, "b") for _ in range(3))
        world.tell()
        world.bed.delete("port", one["id"])
        self.expect("a", "b", two["id"], three["id"])
        world.bed.update("port", two["id"], binding__host_id="")
        self.expect("a", "b", three["id"])

    def test_others_are_told_whether_a_port_was_deleted(self) -> None:
        """The connections of one that only left its host go on."""
        world = self.world
        world.port(0, "a")
        deleted, left = (world.port(0, "b")["id"] for _ in range(2))
        world.tell()
        world.bed.delete("port", deleted)
        world.bed.update("port", left, binding__host_id="")
        world.tell()
        known = world.known["a"]
        self.assertEqual([known.was_deleted(RemotePortRecord.kind, each) for each in (deleted, left)], [True, False])

    def test_a_port_that_moves_is_where_it_is(self) -> None:
        """No host thinks that its own port is elsewhere."""
        world = self.world
        world.port(0, "a")
        moving, staying = world.port(0, "b"), world.port(0, "c")
        self.expect("a", "b", "c", moving["id"], staying["id"])
        world.bed.update("port", moving["id"], binding__host_id="c")
        self.expect("c", "a", world.ports[0]["id"])
        self.expect("a", "c", moving["id"], staying["id"])
        world.bed.update("port", moving["id"], binding__host_id="a")
        self.expect("a", "c", staying["id"])

    def test_two_hosts_that_leave_at_once_forget_each_other(self) -> None:
        """Though neither is there any more when they are told."""
        world = self.world
        one, two = world.port(0, "a"), world.port(0, "b")
        world.tell()
        world.bed.update("port", one["id"], binding__host_id="")
        world.bed.update("port", two["id"], binding__host_id="")
        world.tell()
        self.assertEqual([each for host in HOSTS for each in world.has(host) if isinstance(each, PeerRecord)], [])


class SegmentTests(MeshCase):
    """Hosts that carry a network by different segments."""

    def types(self) -> dict[str, str]:
        """Return by which type of segment each host was told that it carries the network of two."""
        wanted = self.world.networks[3]
        found = {host: self.world.known[host].get(NetworkRecord.kind, wanted) for host in HOSTS}
        return {host: record.network_type for host, record in found.items() if isinstance(record, NetworkRecord)}

    def test_those_of_the_same_segment_know_each_other(self) -> None:
        """In tunnels; who carries it otherwise knows of nobody."""
        one, two, three = (self.world.port(3, host) for host in HOSTS)
        self.expect("a")
        self.expect("b", "c", three["id"])
        self.expect("c", "b", two["id"])
        self.assertEqual(self.types(), {"a": "vlan", "b": "vxlan", "c": "vxlan"})
        self.assertEqual({each["binding:vif_type"] for each in (one, two, three)}, {"ovs"})

    def test_a_host_that_is_carried_otherwise_changes_sides(self) -> None:
        """When it gets the physical network, and when it loses it; a network that both have keeps them peers."""
        world = self.world
        one, two, three = (world.port(3, host) for host in HOSTS)
        world.tell()
        world.rewire("b")
        self.expect("c")
        self.expect("b")
        self.assertEqual(self.types(), {"a": "vlan", "b": "vlan", "c": "vxlan"})
        both = [world.port(0, "a"), world.port(0, "c")]
        world.tell()
        world.rewire("a")
        self.expect("a", "c", three["id"], both[1]["id"])
        self.expect("c", "a", one["id"], both[0]["id"])
        world.rewire("a")
        self.expect("a", "c", both[1]["id"])
        world.rewire("b")
        self.expect("c", "a", "b", two["id"], both[0]["id"])

    def test_a_port_that_moves_to_another_segment_is_forgotten(self) -> None:
        """By those who reached it; they are told of it when it is back."""
        world = self.world
        for host in HOSTS:
            world.port(3, host)
        moving = world.port(3, "b")
        self.expect("c", "b", world.ports[1]["id"], moving["id"])
        world.bed.update("port", moving["id"], binding__host_id="a")
        self.expect("c", "b", world.ports[1]["id"])
        world.bed.update("port", moving["id"], binding__host_id="b")
        self.expect("c", "b", world.ports[1]["id"], moving["id"])

    def test_subnets_decide_which_segment_a_routed_network_is_carried_by(self) -> None:
        """Those that have some come first, also before ports are there."""
        world = self.world
        world.bed.delete("subnet", world.bed.listed("subnet", network_id=(world.networks[3],))[0]["id"])
        one, two = (world.port(3, host) for host in "ab")
        self.expect("a")
        (second,) = world.bed.listed("segment", network_id=(world.networks[3],), network_type=("vxlan",))
        world.bed.create(
            "subnet", segment_id=second["id"], network_id=world.networks[3], cidr="10.2.0.0/24", ip_version=4
        )
        self.expect("a", "b", two["id"])
        self.expect("b", "a", one["id"])
        self.assertEqual(self.types(), {"a": "vxlan", "b": "vxlan"})


class CostTests(MeshCase):
    """Who is not concerned hears nothing."""

    def test_hosts_without_the_network_are_told_nothing(self) -> None:
        """And a port of a network that all have is told to each."""
        world = self.world
        for host in HOSTS[:2]:
            world.port(0, host)
        world.tell()
        port = world.port(0, "a")
        world.tell()
        self.assertEqual(
            [(each.host, [record.id for record in each.put][-1]) for each in world.told][-1:], [("b", port["id"])]
        )
        self.assertEqual({each.host for each in world.told}, {"a", "b"})

    def test_another_port_of_a_host_tells_the_others_of_it_alone(self) -> None:
        """Who is known is not told again."""
        world = self.world
        for host in ("a", "a", "b", "b"):
            world.port(0, host)
        world.tell()
        port = world.port(0, "a")
        world.tell()
        told = {each.host: {record.id for record in each.put if record.kind in _OF_MESH} for each in world.told}
        self.assertEqual(told, {"a": set(), "b": {port["id"]}})

    def test_a_network_without_tunnels_tells_hosts_nothing_of_each_other(self) -> None:
        """Its frames find their way themselves."""
        for host in HOSTS:
            self.world.port(2, host)
        for host in HOSTS:
            self.expect(host)

    def test_a_host_that_knows_no_tunnels_is_told_of_none(self) -> None:
        """An older one would not understand."""
        for host in ("a", "old"):
            self.world.port(0, host)
        self.world.tell()
        self.assertEqual(self.world.has("old"), set())
        self.assertEqual(self.world.ports[1]["binding:vif_type"], "binding_failed")


class EndTests(MeshCase):
    """A host's tunnels end elsewhere."""

    def test_peers_are_told_where_they_end_now(self) -> None:
        """At another address, nowhere, and somewhere again."""
        world = self.world
        mine, theirs = world.port(0, "a"), world.port(0, "b")
        world.tell()
        for address in ("192.0.2.77", "", "192.0.2.78"):
            world.move_end("b", address)
            ends = [record.tunnel_ip for record in world.has("a") if isinstance(record, PeerRecord)]
            self.assertEqual(ends, [address] if address else [])
        self.expect("a", "b", theirs["id"])
        self.expect("b", "a", mine["id"])

    def test_a_host_that_says_the_same_again_changes_nothing(self) -> None:
        """Its record has the version that it had."""
        world = self.world
        world.port(0, "a")
        world.port(0, "b")
        world.tell()
        world.report("b", ENDS["b"])
        self.assertEqual(world.has("a"), world.must_have("a"))


ACTIONS = st.tuples(
    st.sampled_from(("create", "move", "unbind", "delete", "tell", "rewire")),
    st.integers(0, 30),
    st.sampled_from(HOSTS),
    st.sampled_from((0, 1, 3)),
)


class MeshLaws(SynchronousTestCase):
    """Whatever happens, in whatever pieces it is told."""

    @settings(max_examples=count(25, 300), deadline=None)
    @given(st.lists(ACTIONS, max_size=30))
    def test_hosts_know_what_a_comparison_would_tell_them(self, actions: list[tuple[str, int, str, int]]) -> None:
        """Of every network that they have ports of; what they know of others does not matter to them."""
        world = World()
        for what, number, host, network in actions:
            port = world.ports[number % len(world.ports)] if world.ports else None
            if what == "create":
                world.port(network, host)
            elif what == "tell":
                # Often the journal's end is further than what is told.
                world.tell(number % 4 + 1)
            elif what == "rewire":
                world.rewire(host)
            elif port is not None and what == "delete":
                world.bed.delete("port", port["id"])
                world.ports.remove(port)
            elif port is not None:
                world.bed.update("port", port["id"], binding__host_id=host if what == "move" else "")
        world.tell()
        for host in HOSTS:
            missing = world.must_have(host) - world.has(host)
            self.assertEqual(missing, set(), host)
            carried = {record.network_id for record in world.must_have(host) if isinstance(record, RemotePortRecord)}
            stale = {
                record
                for record in world.has(host) - world.must_have(host)
                if isinstance(record, RemotePortRecord) and record.network_id in carried
            }
            self.assertEqual(stale, set(), host)
        world.bed.close()
