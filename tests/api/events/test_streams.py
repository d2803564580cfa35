"""Streams of events over HTTP, in memory."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.cors import cors_of
from quantumd.api.errors import Unauthorized
from quantumd.api.events.hub import LOOK_SECONDS, STREAMS_A_TURN
from quantumd.api.identity import identify
from quantumd.config import ApiSettings
from quantumd.errors import EdgeUnavailable
from quantumd.store.tables import journal
from tests.api.events.listener import Listener, listen
from tests.api.everything import ADMIN, ALICE, BOB, Headers, everything

GATHER_SECONDS = 0.02
"""Longer than commits are gathered for a few streams."""


class EventCase(SynchronousTestCase):
    """Everything that is served, and clients."""

    settings = ApiSettings()

    def setUp(self) -> None:
        """Serve."""
        self.api = everything(settings=self.settings)
        self.clock = self.api.wire.clock

    def make(self, name: str = "n", headers: Headers = ALICE, path: str = "networks", member: str = "network") -> str:
        """Make a network, and let what it is wait for pass."""
        made = self.api.make(path, member, headers, name=name)
        self.clock.advance(GATHER_SECONDS)
        return str(made["id"])

    def listen(self, headers: Headers = ALICE, query: str = "", **more: str) -> Listener:
        """Open a stream."""
        return listen(self.api, headers, query, **more)

    def pause(self, listener: Listener) -> Any:
        """Stop reading; return what reads again."""
        producer: Any = listener.transport.producer
        producer.pauseProducing()
        return producer.resumeProducing

    def write(self, count: int, project_id: str = "alice", text: str = "") -> None:
        """Append so many rows."""
        self.api.wire.store.write(lambda tx: [note(tx, project_id, text) for _ in range(count)])
        self.clock.advance(GATHER_SECONDS)

    def ids(self, listener: Listener) -> list[int]:
        """The ids of the events."""
        return [each.id for each in listener.events]


class OpenTests(EventCase):
    """The request."""

    def test_a_stream_is_what_browsers_take(self) -> None:
        """Its type, no cache, when to come again and from where; and it goes on."""
        self.make()
        listener = self.listen()
        head = listener.head
        self.assertEqual((listener.status, head["content-type"]), (200, "text/event-stream"))
        self.assertEqual((head["cache-control"], head["x-accel-buffering"]), ("no-store", "no"))
        self.assertEqual(listener.content, b"retry: 1000\nid: 1\n\n")
        self.assertFalse(listener.is_over)

    def test_other_methods_are_refused(self) -> None:
        """Nobody makes events by requests."""
        for method in ("POST", "PUT", "DELETE"):
            refused = self.api.request(method, "events", headers=ALICE)
            self.assertEqual((refused.status, refused.headers["allow"]), (405, "GET, HEAD"), method)

    def test_what_takes_no_events_gets_none(self) -> None:
        """Accept may name the type, all texts or everything."""
        for accept in ("application/json", "text/html, text/event-stream;q=0", "text/event-stream;q=0.0"):
            self.assertEqual(self.listen(Accept=accept).status, 406, accept)
        for accept in ("text/event-stream", "text/*", "application/json, */*;q=0.1", ""):
            self.assertEqual(self.listen(Accept=accept).status, 200, accept)

    def test_head_tells_of_the_stream(self) -> None:
        """And does not open one."""
        listener = listen(self.api, ALICE, method="HEAD")
        self.assertEqual((listener.status, listener.head["content-type"]), (200, "text/event-stream"))
        self.assertEqual(self.api.events.hub.count, 0)

    def test_what_makes_no_sense_is_refused(self) -> None:
        """Unknown parameters, resources, positions."""
        wrong = ("?color=red", "?resource=gateway", "?resource=", "?project_id=a&project_id=b", "?project_id=")
        for query in wrong:
            self.assertEqual(self.listen(ADMIN, query).status, 400, query)
        for position in ("x", "-1", "1.5", str(2**63), "9" * 5000):
            self.assertEqual(self.listen(Last_Event_ID=position).status, 400, position)

    def test_a_page_of_another_origin_may_resume(self) -> None:
        """A browser asks first whether it may send the header."""
        self.api.wire.site.cors = cors_of(["https://horizon.example"], 60)
        asked = {"Origin": "https://horizon.example", "Access-Control-Request-Method": "GET"}
        allowed = self.api.request("OPTIONS", "events", headers=asked).headers
        self.assertIn("Last-Event-ID", allowed["access-control-allow-headers"])
        listener = self.listen(Origin="https://horizon.example")
        self.assertEqual(listener.head["access-control-allow-origin"], "https://horizon.example")


class EventTests(EventCase):
    """What is told."""

    settings = ApiSettings(event_streams_per_caller=100)

    def test_a_change_is_told_as_it_is_committed(self) -> None:
        """Name, id and what was before and after, as a GET shows it."""
        listener = self.listen()
        network_id = self.make("old")
        shown = self.api.request("GET", f"networks/{network_id}", headers=ALICE).json["network"]
        self.api.request("PUT", f"networks/{network_id}", {"network": {"name": "new"}}, ALICE)
        self.api.request("DELETE", f"networks/{network_id}", headers=ALICE)
        self.clock.advance(GATHER_SECONDS)
        made, changed, gone = listener.events
        self.assertEqual(listener.names, ["network.create", "network.update", "network.delete"])
        self.assertEqual([each.id for each in listener.events], [1, 2, 3])
        self.assertEqual((made.data["before"], made.data["after"]), (None, shown))
        self.assertEqual((changed.data["before"]["name"], changed.data["after"]["name"]), ("old", "new"))
        self.assertEqual((gone.data["before"]["name"], gone.data["after"]), ("new", None))
        about = {"position": 1, "resource": "network", "resource_id": network_id, "operation": "create"}
        self.assertEqual({name: made.data[name] for name in about}, about)
        self.assertEqual((made.data["project_id"], made.data["request_id"]), ("alice", "req-1"))

    def test_resources_can_be_chosen(self) -> None:
        """Several are an OR."""
        chosen = [self.listen(query=f"?{query}") for query in ("resource=port", "resource=port&resource=network")]
        network_id = self.make()
        self.api.make("ports", "port", ALICE, network_id=network_id)
        self.api.make("security-groups", "security_group", ALICE, name="g")
        self.clock.advance(GATHER_SECONDS)
        told = [{each.data["resource"] for each in listener.events} for listener in chosen]
        self.assertEqual(told, [{"port"}, {"network", "port"}])

    def test_administrators_see_all_or_a_project(self) -> None:
        """As their lists do."""
        every, one = self.listen(ADMIN), self.listen(ADMIN, "?tenant_id=bob")
        self.make(headers=ALICE)
        self.make(headers=BOB)
        self.assertEqual([each.data["project_id"] for each in every.events], ["alice", "bob"])
        self.assertEqual([each.data["project_id"] for each in one.events], ["bob"])

    def test_one_read_serves_all(self) -> None:
        """However many listen."""
        reads: list[Any] = []
        store = self.api.wire.store
        listeners = [self.listen(headers) for headers in (ALICE, ALICE, BOB, ADMIN)]
        read = store.read

        def count(work: Any) -> Any:
            reads.append(work)
            return read(work)

        store.read = count
        store.write(lambda tx: note(tx, "alice"))
        self.clock.advance(GATHER_SECONDS)
        self.assertEqual([len(each.events) for each in listeners], [1, 1, 0, 1])
        # One that finds it, one that finds nothing more.
        self.assertEqual(len(reads), 2)

    def test_many_streams_are_written_to_in_slices(self) -> None:
        """No turn of the reactor is long, and everybody is told."""
        listeners = [self.listen() for _ in range(STREAMS_A_TURN + 1)]
        self.write(1)
        self.clock.pump([0.1, 0.0])
        self.assertEqual({tuple(self.ids(each)) for each in listeners}, {(1,)})

    def test_changes_of_other_processes_are_found(self) -> None:
        """Which no commit of this one tells of."""
        listener = self.listen()
        self.api.wire.store.beside().write(lambda tx: note(tx, "alice"))
        self.assertEqual(listener.names, [])
        self.clock.advance(LOOK_SECONDS)
        self.assertEqual(listener.names, ["network.update"])

    def test_a_store_that_is_away_is_asked_again(self) -> None:
        """Nothing is lost by it."""
        listener = self.listen()
        store = self.api.wire.store
        read = store.read
        store.read = lambda work: (_ for _ in ()).throw(EdgeUnavailable("away"))
        store.write(lambda tx: note(tx, "alice"))
        self.clock.advance(GATHER_SECONDS)
        store.read = read
        self.clock.advance(LOOK_SECONDS)
        self.assertEqual(listener.names, ["network.update"])
        self.assertEqual(len(self.flushLoggedErrors(EdgeUnavailable)), 1)


def note(tx: Any, project_id: str, text: str = "") -> int:
    """Append to the journal."""
    position: int = tx.journal(
        resource="network",
        resource_id="n1",
        project_id=project_id,
        request_id="req-1",
        operation="update",
        after={"id": "n1", "name": text},
    )
    return position


class ResumeTests(EventCase):
    """Last-Event-ID."""

    def test_what_was_missed_is_told(self) -> None:
        """In order, once, and then what comes."""
        self.write(450)
        listener = self.listen(Last_Event_ID="17")
        self.write(3)
        self.assertEqual(self.ids(listener), list(range(18, 454)))

    def test_from_the_beginning(self) -> None:
        """Position 0 is before everything."""
        self.write(2)
        self.assertEqual(self.ids(self.listen(Last_Event_ID="0")), [1, 2])

    def test_long_stretches_of_others_are_passed(self) -> None:
        """In bounded reads."""
        self.write(1)
        self.write(4500, "bob")
        self.write(1)
        self.assertEqual(self.ids(self.listen(Last_Event_ID="0")), [1, 4502])

    def test_what_was_pruned_is_said(self) -> None:
        """The client lists anew; the stream goes on from the newest position."""
        self.write(10)
        self.api.wire.store.write(lambda tx: tx.connection.execute(delete(journal).where(journal.c.position < 6)))
        whole, pruned = self.listen(Last_Event_ID="5"), self.listen(Last_Event_ID="4")
        self.write(1)
        self.assertEqual(self.ids(whole), [6, 7, 8, 9, 10, 11])
        self.assertEqual(pruned.names, ["journal.pruned", "network.update"])
        self.assertEqual((pruned.events[0].id, pruned.events[0].data), (10, {"asked": 4, "position": 10}))

    def test_a_position_of_another_journal_is_said(self) -> None:
        """As after going back to a backup."""
        self.write(3)
        listener = self.listen(Last_Event_ID="9")
        self.write(1)
        self.assertEqual(listener.names, ["journal.pruned", "network.update"])

    def test_an_empty_journal_has_nothing_before_it(self) -> None:
        """Only position 0 is not beyond it."""
        listener = self.listen(Last_Event_ID="0")
        self.write(1)
        self.assertEqual(self.ids(listener), [1])

    def test_any_cut_is_resumed_without_loss_or_repetition(self) -> None:
        """Wherever the stream ended."""
        self.write(7)
        first = self.listen(Last_Event_ID="0")
        first.leave()
        for position in range(8):
            resumed = self.listen(Last_Event_ID=str(position))
            self.assertEqual(self.ids(resumed), list(range(position + 1, 8)))

    def test_who_saw_no_event_resumes_too(self) -> None:
        """The opening has an id."""
        self.write(2)
        listener = self.listen()
        listener.leave()
        self.write(2)
        self.assertEqual(self.ids(self.listen(Last_Event_ID=str(listener.last_id))), [3, 4])


class SlowTests(EventCase):
    """Clients that do not read."""

    settings = ApiSettings(event_stalled_seconds=30.0, event_heartbeat_seconds=15.0)

    def test_a_slow_client_misses_nothing(self) -> None:
        """What came meanwhile is read from the journal when it goes on; nothing is kept for it."""
        listener = self.listen()
        resume = self.pause(listener)
        self.write(1000)
        self.assertEqual(self.ids(listener), [])
        resume()
        self.write(1)
        self.assertEqual(self.ids(listener), list(range(1, 1002)))

    def test_what_is_kept_is_bounded(self) -> None:
        """By number and by bytes."""
        listener = self.listen()
        self.write(500, text="x" * 10_000)
        (audience,) = self.api.events.hub.audiences
        self.assertLessEqual(audience.kept_bytes, 262_144)
        self.assertEqual(self.ids(listener), list(range(1, 501)))

    def test_a_client_that_takes_nothing_is_cut(self) -> None:
        """Half a minute after it began to; others go on."""
        slow, quick = self.listen(), self.listen()
        self.pause(slow)
        self.clock.pump([1.0] * 29)
        self.assertTrue(slow.transport.connected)
        self.clock.pump([1.0] * 2)
        self.assertFalse(slow.transport.connected)
        self.write(1)
        self.assertEqual(self.ids(quick), [1])
        self.assertEqual(self.api.events.hub.count, 1)


class LifeTests(EventCase):
    """How streams live and end."""

    settings = ApiSettings(event_streams=3, event_streams_per_caller=2)

    def test_heartbeats(self) -> None:
        """A comment every fifteen seconds; an idle connection is not closed."""
        listener = self.listen()
        self.clock.pump([1.0] * 301)
        self.assertEqual(listener.content.count(b":\n\n"), 20)
        self.assertFalse(listener.is_over)

    def test_one_caller_may_have_so_many(self) -> None:
        """A place is free again when a stream has ended."""
        first, _ = self.listen(), self.listen()
        self.assertEqual(self.listen().status, 429)
        self.assertEqual(self.listen(BOB).status, 200)
        first.leave()
        self.assertEqual(self.listen().status, 200)

    def test_all_may_have_so_many(self) -> None:
        """Others are to come again."""
        for headers in (ALICE, ALICE, BOB):
            self.listen(headers)
        refused = self.listen(ADMIN)
        self.assertEqual((refused.status, refused.head["retry-after"]), (503, "1"))

    def test_nothing_is_left_of_streams_that_ended(self) -> None:
        """Neither audiences nor timers."""
        listeners = [self.listen(headers) for headers in (ALICE, BOB)]
        self.make()
        for each in listeners:
            each.leave()
        left = len(self.clock.getDelayedCalls())
        self.assertEqual((self.api.events.hub.count, list(self.api.events.hub.audiences)), (0, []))
        self.write(1)
        self.assertEqual(len(self.clock.getDelayedCalls()), left)

    def test_the_stop_of_the_service_ends_streams(self) -> None:
        """Gently: the last chunk comes. One that is opened meanwhile ends at once, and tells where to resume."""
        listener = self.listen()
        self.api.events.stop()
        late = self.listen(BOB)
        for each in (listener, late):
            self.assertTrue(each.is_over)
            self.assertEqual((each.status, each.last_id), (200, 0))

    def test_a_token_that_ended_ends_the_stream(self) -> None:
        """The caller is asked for again with each heartbeat."""
        listener = self.listen()
        self.api.wire.site.identify = self.refuse
        self.clock.pump([1.0] * 16)
        self.assertTrue(listener.is_over)
        self.assertIn(b": the caller is not known any more\n\n", listener.content)

    def refuse(self, *_: Any) -> Any:
        """Know nobody."""
        raise Unauthorized("http://keystone")

    def test_keystone_may_be_asked(self) -> None:
        """The answer may come later; other roles, or none, end the stream."""
        same, changed, unknown = (self.listen(each) for each in (ALICE, BOB, ALICE))
        asked: list[Deferred[Any]] = []
        given: list[Any] = []

        def ask(request_id: str, headers: Any, is_loopback: bool, peer: str) -> Any:
            given.append(identify(request_id, headers, is_loopback, peer))
            asked.append(Deferred())
            return asked[-1]

        self.api.wire.site.identify = ask
        self.clock.pump([1.0] * 16)
        asked[0].callback(given[0])
        asked[1].callback(given[0])
        asked[2].errback(Unauthorized("http://keystone"))
        self.assertEqual([each.is_over for each in (same, changed, unknown)], [False, True, True])
