"""The planner's laws for trunks: whatever happens to ports, sub-ports and devices, in whatever order."""

from __future__ import annotations

from itertools import product

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.records import PortRecord
from tests.bed.counts import count
from tests.laws.test_ovs_planner import NETWORKS, World

ON = ("n-local", "n-twin", "n-vlan")


def _port(n: int, network: str, parent_id: str = "", tag: int = 0) -> PortRecord:
    number = f"{n:08x}-0000-4000-8000-000000000000"
    return PortRecord(
        number, 1, network, f"fa:16:3e:00:02:{n:02x}", (), True, "", parent_id=parent_id, segmentation_id=tag
    )


PARENTS = tuple(_port(0x10 + n, network) for n, network in enumerate(ON[:2]))
LISTENERS = tuple(_port(0x20 + n, network) for n, network in enumerate(ON))
PLUGGED = (*PARENTS, *LISTENERS)
SUB_PORTS = range(4)
"""Each has a tag of its own, whichever trunk it is in, and whichever network it is on."""

ACTIONS = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(SUB_PORTS), st.sampled_from(PARENTS), st.sampled_from(ON), st.booleans()),
    st.tuples(st.just("take out"), st.sampled_from(SUB_PORTS)),
    st.tuples(st.just("enable"), st.sampled_from(PLUGGED), st.booleans()),
    st.tuples(st.just("forget"), st.sampled_from(PLUGGED)),
    st.tuples(st.sampled_from(("plug", "unplug")), st.sampled_from(PLUGGED)),
    st.tuples(st.sampled_from(("restart process", "restart switch", "refuse", "settle"))),
)


def sub_port(n: int, parent: PortRecord, network: str, is_enabled: bool) -> PortRecord:
    """Return a sub-port of a trunk."""
    return evolve(_port(0x30 + n, network, parent.id, 100 + n), admin_state_up=is_enabled)


def new_world() -> World:
    """Return a host on which two VMs may have trunks, and a VM listens on each network; all are plugged."""
    world = World()
    world.start()
    world.put(*(NETWORKS[name] for name in ON), *PLUGGED)
    world.put(*(sub_port(n, PARENTS[n % 2], ON[n % 3], is_enabled=True) for n in SUB_PORTS))
    for port in PLUGGED:
        world.vswitch.plug(port.id)
    world.settle()
    return world


def act(world: World, what: str, *said: object) -> None:
    """Let something happen."""
    if what == "put":
        world.put(sub_port(*said))  # type: ignore[arg-type] # as the strategy makes them
    elif what == "take out":
        world.remove("l2.port", _port(0x30 + said[0], "").id)  # type: ignore[operator] # a number
    elif what == "restart process":
        world.restart()
    elif what == "restart switch":
        world.vswitch.restart_switch()
    elif what == "refuse":
        world.vswitch.switch.refuse_next("by law")
    elif what == "settle":
        world.settle()
    else:
        (port, *is_enabled) = said
        assert isinstance(port, PortRecord)
        if what == "enable":
            world.put(evolve(port, admin_state_up=bool(is_enabled[0])))
        elif what == "forget":
            world.remove("l2.port", port.id)
        else:
            (world.vswitch.plug if what == "plug" else world.vswitch.unplug)(port.id)


def frame(sender: PortRecord) -> bytes:
    """Return a broadcast of a port, tagged if it is in a trunk."""
    tag = b"\x81\x00" + sender.segmentation_id.to_bytes(2, "big") if sender.segmentation_id else b""
    return b"\xff" * 6 + bytes.fromhex(sender.mac_address.replace(":", "")) + tag + b"\x88\xb5" + bytes(46)


def known(world: World) -> dict[str, PortRecord]:
    """Return what the host was told of ports."""
    return {record.id: record for record in world.records if isinstance(record, PortRecord)}


def live(world: World, port: PortRecord) -> bool:
    """Whether a port must carry traffic: from the definition and not from the code."""
    record = known(world).get(port.id)
    device = port.parent_id or port.id
    return record is not None and record.admin_state_up and world.vswitch.ofport_of(device) is not None


def own_speaker(world: World, parent: PortRecord) -> PortRecord | None:
    """Return the parent if its tags are its own: it has no sub-port here, and its network lets tags pass."""
    has_sub_ports = any(port.parent_id == parent.id for port in known(world).values())
    return parent if NETWORKS[parent.network_id].vlan_transparent and not has_sub_ports else None


class TrunkLawTests(SynchronousTestCase):
    """Whatever happens."""

    def check_arrived(self, world: World) -> None:
        """A listener hears what is tagged for its network when both are live, and nothing else."""
        ports = known(world)
        for parent, n in product(PARENTS, SUB_PORTS):
            number = world.vswitch.ofport_of(parent.id)
            if number is None:
                continue
            said = ports.get(_port(0x30 + n, "").id)
            sender = said if said is not None and said.parent_id == parent.id else None
            walk = world.vswitch.switch.walk(number, frame(_port(0x30 + n, "", parent.id, 100 + n)))
            reached = {out.ofport for out in walk.outputs}
            speaker = sender or own_speaker(world, parent)
            for listener in LISTENERS:
                is_reached = world.vswitch.ofport_of(listener.id) in reached
                same = speaker is not None and speaker.network_id == listener.network_id
                wanted = speaker is not None and same and live(world, speaker) and live(world, listener)
                self.assertEqual(is_reached, wanted)

    def check_tags(self, world: World) -> None:
        """What a listener says arrives at sub-ports of its network, each time with the tag of one."""
        for listener in LISTENERS:
            number = world.vswitch.ofport_of(listener.id)
            walk = world.vswitch.switch.walk(number, frame(listener)) if number is not None else None
            found = {
                (out.ofport, int.from_bytes(out.frame[14:16], "big"))
                for out in (walk.outputs if walk is not None else ())
                if out.frame[12:14] == b"\x81\x00"
            }
            wanted = {
                (world.vswitch.ofport_of(port.parent_id), port.segmentation_id)
                for port in known(world).values()
                if port.parent_id
                and port.network_id == listener.network_id
                and live(world, port)
                and live(world, listener)
            }
            self.assertEqual({each for each in found if each[0] in self.parents(world)}, wanted)

    def parents(self, world: World) -> set[int | None]:
        """Return the OpenFlow numbers of VMs that may have trunks."""
        return {world.vswitch.ofport_of(parent.id) for parent in PARENTS}

    @settings(max_examples=count(60, 1500), deadline=None)
    @given(st.lists(ACTIONS, min_size=1, max_size=25))
    def test_any_path_arrives_and_rests(self, actions: list[tuple[object, ...]]) -> None:
        """Packets go where the last records say, what is reported is what is live, and no step is left."""
        world = new_world()
        for action in actions:
            act(world, *action)  # type: ignore[arg-type] # the first is what happens
        world.settle()
        self.check_arrived(world)
        self.check_tags(world)
        self.assertTrue(world.everything_planned().is_empty)
        realised = {port_id for port_id, report in world.told.items() if report.version}
        self.assertEqual(realised, {port.id for port in known(world).values() if live(world, port)})

    @settings(max_examples=count(40, 800), deadline=None)
    @given(st.lists(ACTIONS, min_size=1, max_size=25))
    def test_only_the_last_records_matter(self, actions: list[tuple[object, ...]]) -> None:
        """A process that starts anew leaves all as it is; one that finds an empty switch makes the same of it."""
        world = new_world()
        for action in actions:
            act(world, *action)  # type: ignore[arg-type] # the first is what happens
        world.settle()
        switch = world.vswitch.switch
        by_history = switch.state()
        world.restart()
        self.assertEqual(switch.state(), by_history)
        for held in (switch.flows, switch.groups, switch.meters):
            held.clear()
        world.restart()
        at_once = switch.state()
        for before, after in (
            (by_history.flows, at_once.flows),
            (by_history.groups, at_once.groups),
            (by_history.meters, at_once.meters),
        ):
            self.assertEqual(set(before), set(after))
