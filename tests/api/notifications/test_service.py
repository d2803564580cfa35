"""From the journal to the broker, all in memory."""

from __future__ import annotations

from typing import Any

import orjson
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.notifications import CURSOR
from quantumd.api.notifications.service import Notifications, make_notifications
from quantumd.config import NotificationSettings, QuotaSettings
from quantumd.edge.amqp.errors import BrokerRefused
from quantumd.edge.amqp.interfaces import Binding, Delivered, Exchange, Message, Queue
from quantumd.edge.amqp.memory import MemoryBroker
from quantumd.edge.amqp.memory_server import MemoryServer
from quantumd.errors import EdgeUnavailable
from quantumd.model.counters import PortCount, counters_of
from quantumd.store.consumer import NoConsumer
from quantumd.store.journal import find_cursor
from tests.api.everything import everything

QUEUE = "notifications.info"
ON_H: Any = {"binding:host_id": "h"}


class NotificationsCase(SynchronousTestCase):
    """Everything is served; a listener takes what is told."""

    settings = NotificationSettings(enabled=True)
    metering: Any = None
    """What knows what routers counted."""

    def setUp(self) -> None:
        self.api = everything(quota=QuotaSettings(network=-1))
        self.clock = Clock()
        self.server = MemoryServer(self.clock)
        self.broker = MemoryBroker(self.server)
        self.taken: list[dict[str, Any]] = []
        self.counted = 0.0
        self.told = self.start(self.broker)
        self.listener = MemoryBroker(self.server)
        self.listener.startService()
        self.listener.declare(Exchange("neutron", is_durable=False), Queue(QUEUE, is_durable=False))
        self.listener.declare(Binding("neutron", QUEUE, QUEUE))
        self.listener.consume(QUEUE, self.take)
        self.turn()

    def start(self, broker: MemoryBroker, name: str = "h") -> Notifications:
        """Start a teller, of the process of that name; stopped after the test."""
        told = make_notifications(
            self.clock,
            self.api.wire.store,
            broker,
            self.settings,
            name,
            self.api.served.resources,
            self._count,
            self,
            self.metering,
        )
        told.service.startService()
        self.addCleanup(self.stop, told)
        return told

    def hosts(self) -> Deferred[Any]:
        """See Counting."""
        return succeed(("g", "h"))

    def read(self, host: str) -> Deferred[Any]:
        """See Counting."""
        return succeed(())

    def stop(self, told: Notifications) -> None:
        """Stop it."""
        stopped = told.service.stopService()
        self.turn(5.0)
        if stopped is not None:
            self.successResultOf(stopped)

    def turn(self, seconds: float = 0.5) -> None:
        """Let some time go by."""
        self.clock.pump([0.05] * int(seconds / 0.05))

    def take(self, delivered: Delivered) -> None:
        """What a listener does."""
        self.taken.append(orjson.loads(orjson.loads(delivered.message.body)["oslo.message"]))

    def types(self, *prefixes: str) -> list[str]:
        """The types that were taken."""
        return [each["event_type"] for each in self.taken if each["event_type"].startswith(prefixes or ("network.",))]

    def make(self, name: str = "n") -> str:
        """Make a network; return its id."""
        return str(self.api.make("networks", "network", name=name)["id"])

    def rename(self, network_id: str, name: str) -> None:
        """Change a network."""
        self.assertEqual(self.api.request("PUT", f"networks/{network_id}", {"network": {"name": name}}).status, 200)

    def cursor(self) -> int:
        """Where the durable cursor stands."""
        found: list[Any] = []
        self.api.wire.store.read(lambda connection: find_cursor(connection, CURSOR)).addCallback(found.append)
        return -1 if found[0] is None else int(found[0].position)

    def _count(self, confirmed: float) -> None:
        self.counted += confirmed


class DeliveryTests(NotificationsCase):
    """What happens to the broker and to the daemon."""

    def test_a_change_is_told(self) -> None:
        """Start and end, and counted."""
        self.make()
        self.turn()
        self.assertEqual(self.types(), ["network.create.start", "network.create.end"])
        self.assertEqual(self.counted, 2)

    def test_what_was_before_is_not_told(self) -> None:
        """Whoever switches notifications on hears of what comes then."""
        self.api.wire.store.write(lambda tx: None)
        self.stop(self.told)
        NoConsumer(self.api.wire.store, CURSOR).startService()
        self.assertEqual(self.cursor(), -1)
        self.make("before")
        self.start(MemoryBroker(self.server))
        self.turn()
        self.make("after")
        self.turn()
        names = [
            each["payload"]["network"]["name"] for each in self.taken if each["event_type"] == "network.create.end"
        ]
        self.assertEqual(names, ["after"])

    def test_nothing_is_lost_while_the_broker_is_away(self) -> None:
        """Nor told twice, and each resource's in its order."""
        network_id = self.make("0")
        self.turn()
        before = self.cursor()
        self.broker.disconnect()
        for number in range(1, 30):
            self.rename(network_id, str(number))
            self.make(f"other-{number}")
            self.turn(1.0)
        self.assertEqual((len(self.taken), self.cursor()), (2, before))
        self.broker.connect()
        self.turn(10.0)
        names = [
            each["payload"]["network"]["name"]
            for each in self.taken
            if each["event_type"] == "network.update.end" and each["payload"]["network"]["id"] == network_id
        ]
        self.assertEqual(names, [str(number) for number in range(1, 30)])
        ids = [each["message_id"] for each in self.taken]
        self.assertEqual((len(ids), len(set(ids))), (2 + 29 * 4, 2 + 29 * 4))

    def test_the_cursor_waits_for_the_confirmation(self) -> None:
        """What is sent and not confirmed comes again after a crash."""
        before = self.cursor()
        waiting: list[Deferred[None]] = []

        def publish(*_args: object, **_kwargs: object) -> Deferred[None]:
            waiting.append(Deferred())
            return waiting[-1]

        self.broker.publish = publish  # type: ignore[method-assign]
        self.make()
        self.turn(5.0)
        self.assertEqual((len(waiting), self.cursor()), (1, before))
        waiting[0].callback(None)
        self.turn(5.0)
        self.assertEqual((len(waiting), self.cursor()), (2, before))
        waiting[1].callback(None)
        self.turn(5.0)
        self.assertGreater(self.cursor(), before)

    def test_only_what_was_refused_is_told_again(self) -> None:
        """And nothing of the same resource before it."""
        publish = self.broker.publish
        refusals = iter([None, BrokerRefused(0, "full"), None, BrokerRefused(0, "full")])

        def refuse_some(exchange: str, key: str, message: Message, mandatory: bool = False) -> Deferred[None]:
            refusal = next(refusals, None)
            return publish(exchange, key, message, mandatory) if refusal is None else fail(refusal)

        self.broker.publish = refuse_some  # type: ignore[method-assign,assignment]
        network_id = self.make("0")
        self.rename(network_id, "1")
        self.rename(network_id, "2")
        self.turn(10.0)
        phases = [f"network.{verb}.{phase}" for verb in ("create", "update", "update") for phase in ("start", "end")]
        self.assertEqual(self.types(), phases)

    def test_a_queue_that_somebody_deletes_is_made_again(self) -> None:
        """Nothing goes to nowhere."""
        self.server.delete_queue(QUEUE)
        self.make()
        self.turn(5.0)
        self.assertEqual(self.types(), ["network.create.start", "network.create.end"])

    def test_after_a_crash_what_is_told_again_has_the_ids_it_had(self) -> None:
        """A listener can tell that it knows it."""
        self.make()
        self.turn(0.3)
        other = MemoryBroker(self.server)
        # The cursor was not written down: as if the process had been killed.
        self.told.consumer._write_down = lambda transaction: None  # type: ignore[method-assign]
        first = [each["message_id"] for each in self.taken]
        self.stop(self.told)
        self.start(other)
        self.turn(3.0)
        self.assertEqual({each["message_id"] for each in self.taken}, set(first))


class CounterTests(NotificationsCase):
    """What ports sent and received is told now and then."""

    settings = NotificationSettings(enabled=True, counters_seconds=30.0)

    def setUp(self) -> None:
        self.counts: Any = ()
        super().setUp()

    def read(self, host: str) -> Deferred[Any]:
        """See NotificationsCase. Both hosts say the same, of whichever ports."""
        return fail(EdgeUnavailable("away")) if self.counts is None else succeed(self.counts)

    def test_sums_are_told_with_their_owner(self) -> None:
        """Each plugged port once a period; an interface of no port tells nothing, nor a host of another's port."""
        port = self.api.make("ports", "port", network_id=self.make(), **ON_H)
        counters = counters_of({"rx_bytes": 5, "rx_packets": 1, "tx_bytes": 7, "tx_packets": 2, "tx_dropped": 3})
        self.counts = (PortCount("nobody", counters), PortCount(port["id"], counters))
        self.turn(31.0)
        (told,) = (each["payload"] for each in self.taken if each["event_type"] == "port.counters")
        self.assertEqual((told["port_id"], told["network_id"], told["host"]), (port["id"], port["network_id"], "h"))
        self.assertEqual(told["tenant_id"], port["project_id"])
        self.assertEqual((told["incoming_bytes"], told["outgoing_bytes"], told["incoming_dropped"]), (7, 5, 3))

    def test_without_a_switch_nothing_is_told(self) -> None:
        """The next round comes."""
        self.counts = None
        self.turn(31.0)
        self.assertEqual(self.types("port.counters"), [])

    def test_a_host_that_does_not_answer_keeps_no_other_from_being_told(self) -> None:
        """It is left out of the round."""
        port = self.api.make("ports", "port", network_id=self.make(), **ON_H)
        told = (PortCount(port["id"], counters_of({"rx_bytes": 5})),)
        self.read = lambda host: succeed(told) if host == "h" else fail(EdgeUnavailable("away"))  # type: ignore[method-assign]
        self.turn(31.0)
        self.assertEqual(self.types("port.counters"), ["port.counters"])

    def test_of_several_processes_one_tells(self) -> None:
        """The one that has the lease of the journal's reader: another asks nobody."""
        port = self.api.make("ports", "port", network_id=self.make(), **ON_H)
        self.counts = (PortCount(port["id"], counters_of({"rx_bytes": 5})),)
        self.start(MemoryBroker(self.server), "other")
        self.turn(31.0)
        self.assertEqual(self.types("port.counters"), ["port.counters"])


class AuditTests(NotificationsCase):
    """What exists is told now and then."""

    settings = NotificationSettings(enabled=True, exists_seconds=60.0)

    def test_what_exists_is_told_every_period(self) -> None:
        """With what an administrator sees of it."""
        network_id = self.make()
        self.turn()
        self.taken.clear()
        self.turn(61.0)
        self.assertEqual(self.types("network", "subnet", "port"), ["network.exists"])
        self.assertEqual(self.taken[0]["payload"], self.api.request("GET", f"networks/{network_id}").json)
        self.turn(60.0)
        self.assertEqual(self.types(), ["network.exists"] * 2)

    def test_many_are_told_in_pages(self) -> None:
        """Each once, whatever their number."""
        for start in range(0, 450, 50):
            bodies = [{"name": f"n{start + number}"} for number in range(50)]
            self.api.request("POST", "networks", {"networks": bodies})
        self.turn(10.0)
        self.taken.clear()
        self.turn(75.0)
        names = [each["payload"]["network"]["name"] for each in self.taken]
        self.assertEqual((len(names), len(set(names))), (450, 450))

    def test_a_round_without_a_broker_is_given_up(self) -> None:
        """The next one comes."""
        self.make()
        self.turn()
        self.broker.disconnect()
        self.turn(90.0)
        self.taken.clear()
        self.broker.connect()
        self.turn(60.0)
        self.assertEqual(self.types(), ["network.exists"])
