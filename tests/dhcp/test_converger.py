"""The converger: from records to the table, and what it says of ports."""

from __future__ import annotations

from attrs import define, evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from quantumd.converge.plan import Key, Plan, merge
from quantumd.converge.records import Records
from quantumd.dhcp.converger import CONNECT_SECONDS, DhcpConverger
from quantumd.dhcp.table import DhcpTable
from quantumd.edge.frames.memory import MemoryFrames
from quantumd.errors import EdgeUnavailable
from quantumd.interfaces import IConverger
from quantumd.model.messages import Gone, HostReport, PortReport, Update
from quantumd.model.records import DhcpNetworkRecord, DhcpPortRecord, Record
from tests.dhcp.client import NETWORK, PORT

PORT_KEY, NETWORK_KEY = ("port", PORT.id), ("network", NETWORK.id)
BOTH: frozenset[Key] = frozenset({PORT_KEY, NETWORK_KEY})


class Room:
    """A converger and all that is around it."""

    def __init__(self, is_connected: bool = True) -> None:
        self.records, self.table, self.clock = Records(), DhcpTable(), Clock()
        self.frames = MemoryFrames(is_connected)
        self.converger = DhcpConverger("host1", "1.2.3", self.records, self.table, self.frames, self.clock)

    def put(self, *records: Record) -> frozenset[Key]:
        """New records arrive."""
        return self.converger.keys_of(self.records.apply(Update("host1", "dhcp", records)))

    def drop(self, record: Record) -> frozenset[Key]:
        """A record is no longer needed."""
        gone = (Gone(record.kind, record.id, record.version + 100),)
        return self.converger.keys_of(self.records.apply(Update("host1", "dhcp", (), gone)))

    def run(self, plan: Plan) -> None:
        """Execute a plan."""
        for stage in plan.stages:
            for step in stage.steps:
                self.converger.execute(step)

    def converge(self, keys: frozenset[Key] | None = None) -> None:
        """Plan and execute."""
        self.run(self.converger.plan(self.converger.every_key() if keys is None else keys))


class ConvergerTests(SynchronousTestCase):
    """One port, one network."""

    def setUp(self) -> None:
        self.room = Room()

    def conclude(self, keys: frozenset[Key] = BOTH, faults: dict[Key, str] | None = None) -> tuple[PortReport, ...]:
        """Ask what is true."""
        return self.room.converger.conclude(keys, faults or {})

    def test_it_is_a_converger(self) -> None:
        """All of the interface is there."""
        self.assertTrue(verifyObject(IConverger, self.room.converger))

    def test_it_says_who_it_is(self) -> None:
        """Role, host and version."""
        self.assertEqual(self.room.converger.describe(), HostReport("host1", "dhcp", "1.2.3"))

    def test_records_become_entries(self) -> None:
        """The table holds what the records say, and the port is realised."""
        self.room.put(NETWORK, PORT)
        self.room.converge(BOTH)
        self.assertEqual((self.room.table.port(PORT.id), self.room.table.network(NETWORK.id)), (PORT, NETWORK))
        self.assertEqual(self.conclude(), (PortReport(PORT.id, PORT.version, True),))

    def test_nothing_is_claimed_before_the_plan_is_executed(self) -> None:
        """A record is not an entry."""
        self.room.put(NETWORK, PORT)
        self.assertEqual(self.conclude(), (PortReport(PORT.id, 0, True),))

    def test_a_ports_plan_looks_after_its_network(self) -> None:
        """A slice with the port alone is enough to answer it."""
        self.room.put(NETWORK, PORT)
        self.room.converge(frozenset({PORT_KEY}))
        self.assertEqual(self.room.converger.realised_ports({PORT_KEY}), {PORT.id: PORT.version})

    def test_a_port_is_not_realised_before_its_network(self) -> None:
        """Its entry alone answers nothing."""
        self.room.put(PORT)
        self.room.converge()
        self.room.put(NETWORK)
        self.assertEqual(self.room.converger.realised_ports({PORT_KEY}), {})

    def test_a_port_without_dhcp_is_realised(self) -> None:
        """Its network has no record: there is nothing to serve."""
        self.room.put(PORT)
        self.room.converge()
        self.assertEqual(self.conclude(), (PortReport(PORT.id, PORT.version, True),))

    def test_a_fault_names_the_version_in_force(self) -> None:
        """The old entry still answers."""
        self.room.put(NETWORK, PORT)
        self.room.converge()
        self.room.put(evolve(PORT, version=9))
        self.assertEqual(self.conclude(faults={PORT_KEY: "no"}), (PortReport(PORT.id, PORT.version, True, "no"),))

    def test_nothing_is_said_of_ports_that_nobody_knows(self) -> None:
        """Gone is gone."""
        self.room.put(NETWORK, PORT)
        self.room.converge()
        self.room.converge(self.room.drop(PORT))
        self.assertEqual((self.conclude(), self.room.table.port(PORT.id)), ((), None))

    def test_a_network_goes_when_its_record_does(self) -> None:
        """DHCP was switched off; its ports stay realised."""
        self.room.put(NETWORK, PORT)
        self.room.converge()
        self.room.converge(self.room.drop(NETWORK))
        self.assertIsNone(self.room.table.network(NETWORK.id))
        self.assertEqual(self.conclude(), (PortReport(PORT.id, PORT.version, True),))

    def test_observing_waits_for_frames(self) -> None:
        """No port is called realised before it can be answered."""
        room = Room(is_connected=False)
        observed = room.converger.observe()
        self.assertNoResult(observed)
        room.frames.connect()
        self.assertIsNone(self.successResultOf(observed))

    def test_observing_does_not_wait_for_ever(self) -> None:
        """The loop is told, and tries again as soon as frames flow."""
        room = Room(is_connected=False)
        woken: list[frozenset[Key] | None] = []
        room.converger.on_change(woken.append)
        observed = room.converger.observe()
        room.clock.advance(CONNECT_SECONDS)
        self.failureResultOf(observed, EdgeUnavailable)
        room.frames.connect()
        self.assertEqual(woken, [None])

    def test_an_unknown_step_is_a_bug(self) -> None:
        """It is not passed over in silence."""

        @define
        class Other:
            keys: frozenset[Key] = frozenset()

        self.assertRaises(TypeError, self.room.converger.execute, Other())


VERSIONS = st.integers(1, 3)
IDS = st.sampled_from(("a", "b", "c"))
PORTS = st.builds(lambda i, v, n: evolve(PORT, id=i, version=v, network_id=n), IDS, VERSIONS, IDS)
NETWORKS = st.builds(lambda i, v: evolve(NETWORK, id=i, version=v, mtu_bytes=1400 + v), IDS, VERSIONS)
SNAPSHOTS = st.dictionaries(
    st.tuples(st.sampled_from(("dhcp.port", "dhcp.network")), IDS), st.just(None), max_size=6
).flatmap(
    lambda keys: st.tuples(
        *(
            (PORTS if kind == "dhcp.port" else NETWORKS).map(lambda record, i=record_id: evolve(record, id=i))  # type: ignore[misc]
            for kind, record_id in keys
        )
    )
)


class LawTests(SynchronousTestCase):
    """What holds for every planner."""

    def arrive(self, room: Room, snapshot: tuple[Record, ...]) -> None:
        """Make the records be exactly a snapshot."""
        room.records = Records()
        room.converger._records = room.records
        room.put(*snapshot)

    def contents(self, room: Room) -> set[DhcpPortRecord | DhcpNetworkRecord | None]:
        """Return all entries."""
        table = room.table
        return {table.port(i) for i in table.port_ids()} | {table.network(i) for i in table.network_ids()}

    @settings(deadline=None)
    @given(SNAPSHOTS, SNAPSHOTS)
    def test_it_arrives_then_rests_whatever_was_before(
        self, before: tuple[Record, ...], after: tuple[Record, ...]
    ) -> None:
        """Only the last snapshot matters."""
        room = Room()
        for snapshot in (before, after):
            self.arrive(room, snapshot)
            room.converge()
        self.assertEqual(self.contents(room), set(after))
        self.assertTrue(room.converger.plan(room.converger.every_key()).is_empty)

    @settings(deadline=None)
    @given(SNAPSHOTS, SNAPSHOTS, st.randoms())
    def test_lost_and_repeated_steps_still_arrive(
        self, before: tuple[Record, ...], after: tuple[Record, ...], chance: object
    ) -> None:
        """The next pass finds what is missing."""
        room = Room()
        self.arrive(room, before)
        room.converge()
        self.arrive(room, after)
        plan = room.converger.plan(room.converger.every_key())
        steps = [step for stage in plan.stages for step in stage.steps]
        for step in chance.choices(steps, k=len(steps)) if steps else ():  # type: ignore[attr-defined]
            room.converger.execute(step)
        room.converge()
        self.assertEqual(self.contents(room), set(after))

    @settings(deadline=None)
    @given(SNAPSHOTS, SNAPSHOTS)
    def test_by_keys_equals_all_at_once(self, before: tuple[Record, ...], after: tuple[Record, ...]) -> None:
        """One key after the other leads to the same table."""
        room = Room()
        self.arrive(room, before)
        room.converge()
        self.arrive(room, after)
        room.run(merge([room.converger.plan(frozenset({key})) for key in room.converger.every_key()]))
        self.assertEqual(self.contents(room), set(after))

    @settings(deadline=None)
    @given(SNAPSHOTS)
    def test_all_of_a_snapshot_is_realised(self, snapshot: tuple[Record, ...]) -> None:
        """Each port at its version, with or without a served network."""
        room = Room()
        self.arrive(room, snapshot)
        room.converge()
        ports = {record.id: record.version for record in snapshot if isinstance(record, DhcpPortRecord)}
        self.assertEqual(room.converger.realised_ports(room.converger.every_key()), ports)
        self.assertEqual(
            {network.id for network in snapshot if isinstance(network, DhcpNetworkRecord)}, room.table.network_ids()
        )
