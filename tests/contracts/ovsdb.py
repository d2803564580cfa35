"""What every provider of IOvsdb must do. A test case mixes this in and says how the world changes its database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from quantumd.edge.ovsdb.errors import OvsdbRefused
from quantumd.edge.ovsdb.interfaces import (
    EditBridgeIds,
    InterfaceChange,
    InterfaceRow,
    IOvsdb,
    PutBridge,
    PutDevicePort,
    PutPatchPort,
    RemoveBridge,
    RemovePort,
)
from quantumd.errors import EdgeUnavailable

if TYPE_CHECKING:
    from twisted.trial.unittest import TestCase

    Base = TestCase
else:
    Base = object

BR_INT = PutBridge("br-int", "netdev", "secure", frozenset({"OpenFlow14"}), {"quantumd-role": "integration"})
BR_EX = PutBridge("br-ex", "netdev", None, frozenset(), {})
PATCH = PutPatchPort("br-int", "int-ex", "ex-int", {"quantumd-peer": "br-ex"})
DEVICE = PutDevicePort("br-int", "tapdevice", {"iface-id": "0b000000", "quantumd-owner": "0a000000"})
MISSING = PutDevicePort("br-int", "tapmissing", {"iface-id": "0b000001"})
VIF = {"iface-id": "73f3d011-e270-476b-976d-410aac87b69d", "iface-status": "active"}


class World(Base):
    """``ovsdb`` is a provider that was just started on an empty database."""

    ovsdb: Any

    async def plug(self, bridge: str, name: str, external_ids: Mapping[str, str]) -> None:
        """Plug an interface as Nova does."""
        raise AssertionError("The test case says how.")

    async def unplug(self, bridge: str, name: str) -> None:
        """Unplug it."""
        raise AssertionError("The test case says how.")

    async def set_controller(self, bridge: str) -> None:
        """Set a controller on a bridge, as a stranger would."""
        raise AssertionError("The test case says how.")

    async def lose_connection(self) -> None:
        """Take the database away."""
        raise AssertionError("The test case says how.")

    async def regain_connection(self) -> None:
        """Give it back."""
        raise AssertionError("The test case says how.")

    async def until(self, is_so: Callable[[], object]) -> None:
        """Let the world turn until it is so; fails after a while."""
        raise AssertionError("The test case says how.")

    async def refused(self, done: Awaitable[None], error: type[Exception]) -> Exception:
        """The error with which a transaction ends."""
        with self.assertRaises(error) as caught:
            await self.ended(done)
        refusal: Exception = caught.exception
        return refusal

    async def ended(self, done: Awaitable[None]) -> None:
        """Let the world turn until a transaction ends."""
        ended = Deferred.fromCoroutine(_await(done))
        await self.until(lambda: ended.called)
        await ended

    async def transact(self, *operations: Any) -> None:
        """Apply operations."""
        await self.until(lambda: self.ovsdb.is_connected)
        await self.ended(self.ovsdb.transact(operations))

    def heard(self, *names: str) -> list[InterfaceChange]:
        """A list to which changes of these interfaces (or of all) are added from now on."""
        heard: list[InterfaceChange] = []
        self.ovsdb.on_interfaces(lambda changes: heard.extend(c for c in changes if not names or _name(c) in names))
        return heard

    def row(self, name: str) -> InterfaceRow | None:
        """The interface of that name."""
        rows: Mapping[str, InterfaceRow] = self.ovsdb.interfaces()
        return rows.get(name)

    def is_broken(self, name: str) -> bool:
        """Whether the switch says that it cannot use an interface."""
        row = self.row(name)
        return row is not None and row.error is not None and (row.ofport or 0) < 0

    def has_ofport(self, name: str) -> bool:
        """Whether the switch has given an interface its port number."""
        row = self.row(name)
        return row is not None and row.ofport is not None


class BridgeContract(World):
    """Bridges, and who they are."""

    async def test_a_bridge_is_made_with_its_internal_port(self) -> None:
        """The bridge is known, with its port and interface, when the transaction is done."""
        await self.transact(BR_INT)
        row = self.ovsdb.bridge("br-int")
        self.assertEqual((row.datapath_type, row.fail_mode, row.protocols), ("netdev", "secure", {"OpenFlow14"}))
        self.assertEqual(row.external_ids, BR_INT.external_ids)
        self.assertFalse(row.has_controller)
        self.assertEqual(self.ovsdb.ports_of("br-int"), {"br-int"})
        self.assertIn("br-int", self.ovsdb.interfaces())

    async def test_a_bridge_is_told(self) -> None:
        """A listener hears of a bridge that appears and of one that goes."""
        names: list[str] = []
        self.ovsdb.on_bridge(names.append)
        await self.transact(BR_INT)
        await self.transact(RemoveBridge("br-int"))
        self.assertEqual(names, ["br-int", "br-int"])

    async def test_a_port_more_does_not_change_its_bridge(self) -> None:
        """Listeners of bridges hear nothing of ports."""
        await self.transact(BR_INT)
        names: list[str] = []
        self.ovsdb.on_bridge(names.append)
        await self.transact(PATCH)
        self.assertEqual(names, [])

    async def test_putting_a_bridge_twice_changes_nothing(self) -> None:
        """A bridge that is as it should be is left alone."""
        await self.transact(BR_INT)
        names: list[str] = []
        self.ovsdb.on_bridge(names.append)
        await self.transact(BR_INT)
        self.assertEqual(names, [])
        self.assertEqual(self.ovsdb.ports_of("br-int"), {"br-int"})

    async def test_putting_a_bridge_sets_its_columns_and_adds_its_ids(self) -> None:
        """Columns are set, keys of ``external_ids`` are added or replaced, others stay."""
        await self.transact(BR_INT)
        other = {"quantumd-role": "changed", "quantumd-more": "1"}
        await self.transact(PutBridge("br-int", "netdev", None, frozenset(), other))
        row = self.ovsdb.bridge("br-int")
        self.assertEqual((row.fail_mode, row.protocols, row.external_ids), (None, frozenset(), other))

    async def test_ids_are_edited_one_by_one(self) -> None:
        """Keys are put and removed; keys that nobody named stay; a key that is not there is removed in vain."""
        await self.transact(BR_INT)
        await self.transact(EditBridgeIds("br-int", {"a": "1", "b": "2"}, frozenset()))
        await self.transact(EditBridgeIds("br-int", {"b": "3"}, frozenset({"a", "nowhere"})))
        self.assertEqual(self.ovsdb.bridge("br-int").external_ids, {"quantumd-role": "integration", "b": "3"})

    async def test_ids_of_a_missing_bridge_are_refused(self) -> None:
        """There is nothing that could have them."""
        await self.until(lambda: self.ovsdb.is_connected)
        edit = EditBridgeIds("br-nowhere", {"a": "1"}, frozenset())
        error = await self.refused(self.ovsdb.transact((edit,)), OvsdbRefused)
        self.assertIn("br-nowhere", str(error))

    async def test_a_bridge_is_removed_with_its_ports(self) -> None:
        """The interfaces go with the bridge; removing it again changes nothing."""
        await self.transact(BR_INT, PATCH)
        await self.transact(RemoveBridge("br-int"))
        await self.transact(RemoveBridge("br-int"))
        self.assertIsNone(self.ovsdb.bridge("br-int"))
        self.assertEqual((dict(self.ovsdb.interfaces()), self.ovsdb.ports_of("br-int")), ({}, frozenset()))

    async def test_a_bridge_is_removed_and_made_anew_in_one_transaction(self) -> None:
        """Nothing of the old one is left."""
        await self.transact(BR_INT, PATCH)
        await self.transact(RemoveBridge("br-int"), PutBridge("br-int", "netdev", None, frozenset(), {}))
        self.assertEqual(self.ovsdb.bridge("br-int").external_ids, {})
        self.assertEqual(self.ovsdb.ports_of("br-int"), {"br-int"})

    async def test_a_strangers_controller_is_seen(self) -> None:
        """A controller that somebody set is reported."""
        await self.transact(BR_INT)
        await self.set_controller("br-int")
        await self.until(lambda: self.ovsdb.bridge("br-int").has_controller)


class PortContract(World):
    """Ports of bridges, and their interfaces."""

    async def test_a_patch_port_is_made_with_its_ids(self) -> None:
        """The interface carries the ids, and the port is on the bridge."""
        await self.transact(BR_INT, PATCH)
        row = self.row("int-ex")
        self.assertEqual(row and dict(row.external_ids), PATCH.external_ids)
        self.assertEqual(self.ovsdb.ports_of("br-int"), {"br-int", "int-ex"})

    async def test_putting_a_patch_port_twice_adds_ids(self) -> None:
        """The port stays the same one; its ids are added to."""
        await self.transact(BR_INT, PATCH)
        await self.transact(PutPatchPort("br-int", "int-ex", "ex-int", {"quantumd-more": "1"}))
        row = self.row("int-ex")
        self.assertEqual(row and dict(row.external_ids), {"quantumd-peer": "br-ex", "quantumd-more": "1"})

    async def test_a_device_is_put_with_its_ids(self) -> None:
        """It is on the bridge; putting it twice adds ids, and tells of nothing if none is new."""
        await self.transact(BR_INT, DEVICE)
        row = self.row("tapdevice")
        self.assertEqual(row and dict(row.external_ids), DEVICE.external_ids)
        self.assertEqual(self.ovsdb.ports_of("br-int"), {"br-int", "tapdevice"})
        changed = self.heard("tapdevice")
        await self.transact(DEVICE)
        ids = [(each.old.external_ids, each.new.external_ids) for each in changed if each.old and each.new]
        self.assertEqual([each for each in ids if each[0] != each[1]], [])
        await self.transact(PutDevicePort("br-int", "tapdevice", {"more": "1"}))
        row = self.row("tapdevice")
        self.assertEqual(row and dict(row.external_ids), {**DEVICE.external_ids, "more": "1"})

    async def test_a_device_that_is_not_there_is_broken(self) -> None:
        """It has no number, and says why; removed it is gone with its ids."""
        await self.transact(BR_INT, MISSING)
        await self.until(lambda: self.is_broken("tapmissing"))
        self.assertIn("tapmissing", self.ovsdb.ports_of("br-int"))
        await self.transact(RemovePort("br-int", "tapmissing"))
        self.assertIsNone(self.row("tapmissing"))

    async def test_a_device_of_another_bridge_is_refused(self) -> None:
        """As any port is, and on a bridge that is not there."""
        await self.transact(BR_INT, BR_EX, DEVICE)
        for bridge in ("br-ex", "br-nowhere"):
            stolen = PutDevicePort(bridge, "tapdevice", {"x": "1"})
            await self.refused(self.ovsdb.transact((stolen,)), OvsdbRefused)
        row = self.row("tapdevice")
        self.assertEqual(row and dict(row.external_ids), DEVICE.external_ids)

    async def test_both_ends_of_a_patch_are_made_in_one_transaction(self) -> None:
        """Two bridges and the ports between them come together, and get their numbers."""
        await self.transact(BR_INT, BR_EX, PATCH, PutPatchPort("br-ex", "ex-int", "int-ex", {}))
        await self.until(lambda: self.has_ofport("int-ex") and self.has_ofport("ex-int"))
        self.assertEqual(self.ovsdb.ports_of("br-ex"), {"br-ex", "ex-int"})

    async def test_a_patch_port_on_a_missing_bridge_is_refused_and_nothing_is_done(self) -> None:
        """A transaction is whole or not at all: the other bridge is not made."""
        await self.until(lambda: self.ovsdb.is_connected)
        await self.refused(self.ovsdb.transact((BR_EX, PATCH)), OvsdbRefused)
        self.assertIsNone(self.ovsdb.bridge("br-ex"))

    async def test_a_port_of_another_bridge_is_refused(self) -> None:
        """A port's name is taken once for all bridges."""
        await self.transact(BR_INT, BR_EX, PATCH)
        stolen = PutPatchPort("br-ex", "int-ex", "x", {})
        await self.refused(self.ovsdb.transact((stolen,)), OvsdbRefused)
        self.assertEqual(self.ovsdb.ports_of("br-ex"), {"br-ex"})

    async def test_a_port_is_removed_once(self) -> None:
        """Removing it again, or from another bridge, changes nothing."""
        await self.transact(BR_INT, BR_EX, PATCH)
        await self.transact(RemovePort("br-ex", "int-ex"))
        self.assertIn("int-ex", self.ovsdb.interfaces())
        await self.transact(RemovePort("br-int", "int-ex"))
        await self.transact(RemovePort("br-int", "int-ex"), RemovePort("br-nowhere", "int-ex"))
        self.assertNotIn("int-ex", self.ovsdb.interfaces())
        self.assertEqual(self.ovsdb.ports_of("br-int"), {"br-int"})

    async def test_counters_of_every_interface_can_be_read(self) -> None:
        """Whole numbers by the switch's names; an interface that has not counted yet has none."""
        await self.transact(BR_INT)
        await self.plug("br-int", "vif-1", VIF)
        await self.until(lambda: self.row("vif-1"))
        read = self.ovsdb.statistics()
        await self.until(lambda: read.called)
        found = await read
        self.assertEqual(set(found), {"br-int", "vif-1"})
        self.assertTrue(all(isinstance(value, int) for counters in found.values() for value in counters.values()))


class ConnectionContract(World):
    """A database that is away, or was."""

    async def test_it_says_when_it_is_connected(self) -> None:
        """A listener hears when the whole content is known, and then the provider says so too."""
        heard: list[bool] = []
        self.ovsdb.on_connected(lambda: heard.append(self.ovsdb.is_connected))
        await self.until(lambda: heard)
        self.assertEqual(heard, [True])

    async def test_a_transaction_before_the_connection_is_unavailable(self) -> None:
        """Nothing is queued for a database that was never there."""
        await self.refused(self.ovsdb.transact((BR_INT,)), EdgeUnavailable)

    async def test_counters_of_a_database_that_is_away_are_unavailable(self) -> None:
        """Nobody takes old numbers for new ones."""
        await self.refused(self.ovsdb.statistics(), EdgeUnavailable)

    async def test_it_says_when_the_switch_has_acted(self) -> None:
        """On all that was committed: each time anew, also when there is nothing."""
        await self.transact(BR_INT)
        for _ in range(2):
            await self.ended(self.ovsdb.acted())
        await self.until(lambda: self.has_ofport("br-int"))

    async def test_whether_it_has_is_not_known_of_a_database_that_is_away(self) -> None:
        """Nobody goes on as if it had."""
        await self.refused(self.ovsdb.acted(), EdgeUnavailable)

    async def test_a_reconnection_that_finds_no_difference_tells_none(self) -> None:
        """Listeners hear only that all is known again."""
        await self.transact(BR_INT)
        for name in ("tap1", "tap2"):
            await self.plug("br-int", name, VIF)
        await self.until(lambda: all(map(self.has_ofport, ("tap1", "tap2", "br-int"))))
        await self.lose_connection()
        await self.until(lambda: not self.ovsdb.is_connected)
        story: list[object] = []
        self.ovsdb.on_interfaces(lambda changes: story.extend((c.old is None, c.new is None) for c in changes))
        self.ovsdb.on_connected(lambda: story.append("connected"))
        await self.regain_connection()
        await self.until(lambda: "connected" in story)
        self.assertEqual(story, ["connected"])
        self.assertIsNotNone(self.row("tap1"))

    async def test_a_transaction_while_away_is_unavailable(self) -> None:
        """The caller hears at once, and what was known stays readable."""
        await self.transact(BR_INT)
        await self.lose_connection()
        await self.until(lambda: not self.ovsdb.is_connected)
        await self.refused(self.ovsdb.transact((PATCH,)), EdgeUnavailable)
        self.assertIsNotNone(self.ovsdb.bridge("br-int"))


class TellingContract(World):
    """What listeners hear."""

    async def test_a_plug_is_heard_and_then_its_number(self) -> None:
        """An interface appears without a number, with the ids of its plug; the switch gives the number later."""
        await self.transact(BR_INT)
        changes = self.heard("tap73f3d011")
        await self.plug("br-int", "tap73f3d011", VIF)
        await self.until(lambda: self.has_ofport("tap73f3d011"))
        first, last = changes[0], changes[-1]
        self.assertEqual((first.old, first.new), (None, InterfaceRow("tap73f3d011", VIF, None, None)))
        self.assertEqual(last.new, self.row("tap73f3d011"))
        self.assertGreater(last.new.ofport if last.new and last.new.ofport else 0, 0)

    async def test_changes_of_an_interface_form_a_chain(self) -> None:
        """Each change begins where the one before it ended."""
        await self.transact(BR_INT)
        changes = self.heard("tap1")
        await self.plug("br-int", "tap1", VIF)
        await self.until(lambda: self.has_ofport("tap1"))
        await self.unplug("br-int", "tap1")
        await self.until(lambda: self.row("tap1") is None)
        ends = [change.new for change in changes]
        self.assertEqual([change.old for change in changes], [None, *ends[:-1]])
        self.assertIsNone(ends[-1])

    async def test_a_listener_that_fails_does_not_silence_the_others(self) -> None:
        """The failure is logged; the next listener is told."""
        await self.until(lambda: self.ovsdb.is_connected)
        self.ovsdb.on_bridge(_fail)
        names: list[str] = []
        self.ovsdb.on_bridge(names.append)
        await self.transact(BR_INT)
        self.assertEqual(names, ["br-int"])
        self.assertTrue(self.flushLoggedErrors(ListenerFailure))

    async def test_a_listener_may_ask_for_a_transaction(self) -> None:
        """It is done after what is being told."""
        asked: list[Any] = []
        self.ovsdb.on_bridge(lambda _: asked.append(self.ovsdb.transact((PATCH,))) if not asked else None)
        await self.transact(BR_INT)
        await self.until(lambda: asked)
        await self.ended(asked[0])
        self.assertIn("int-ex", self.ovsdb.interfaces())


class OvsdbContract(BridgeContract, PortContract, ConnectionContract, TellingContract):
    """All of it."""

    async def test_it_provides_the_interface(self) -> None:
        """The provider has all that IOvsdb promises."""
        self.assertTrue(verifyObject(IOvsdb, self.ovsdb))

    async def test_transactions_take_effect_in_the_order_asked(self) -> None:
        """What is asked later wins, without waiting in between."""
        await self.transact(BR_INT)
        steps = [(PATCH,), (RemovePort("br-int", "int-ex"),), (PATCH,), (RemovePort("br-int", "int-ex"),)]
        for done in [self.ovsdb.transact(step) for step in steps]:
            await self.ended(done)
        self.assertNotIn("int-ex", self.ovsdb.interfaces())


class ListenerFailure(Exception):
    """What a failing listener raises."""


def _name(change: InterfaceChange) -> str | None:
    row = change.new or change.old
    return None if row is None else row.name


def _fail(_: object) -> None:
    raise ListenerFailure


async def _await(done: Awaitable[None]) -> None:
    await done
