"""The client of one prefix, with a clock that is turned by hand and servers that say what they like."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.dhcpv6.messages import Code6, MessageType6, Status6, encode_option6
from quantumd.l3.delegation.client import MOST_ANSWERS, UNKNOWN_SECONDS, PrefixClient
from quantumd.l3.delegation.leases import LEAST_RENEW_SECONDS, LEAST_VALID_SECONDS, Lease
from quantumd.l3.delegation.messages import identity_of
from tests.l3.delegation.server import (
    OTHER_SERVER,
    PREFIX,
    SERVER,
    Question,
    Server,
    prefix_option,
    read_question,
    status,
)

SUBNET = "0c000000-0000-4000-8000-00000000000a"
NEW = "2001:db8:2::/64"
M = MessageType6


class ClientCase(SynchronousTestCase):
    """A client in time."""

    def setUp(self) -> None:
        """Make it; nothing has begun."""
        self.clock, self.changes = Clock(), 0
        self.sent: list[bytes] = []
        self.clock.advance(1_000_000)
        self.client = PrefixClient(identity_of(SUBNET), self.clock, lambda: 0.5, self.sent.append, self._changed)
        self.server = Server()

    def _changed(self) -> None:
        self.changes += 1

    def pass_time(self, seconds: float) -> list[Question]:
        """Let time pass in small pieces; return what was asked meanwhile."""
        before = len(self.sent)
        end = self.clock.seconds() + seconds
        while (left := end - self.clock.seconds()) > 1e-6:
            due = min((each.getTime() - self.clock.seconds() for each in self.clock.getDelayedCalls()), default=left)
            self.clock.advance(max(0.0, min(left, due)))
        return [read_question(each) for each in self.sent[before:]]

    def kinds(self, seconds: float) -> list[MessageType6]:
        """Return the types of what is asked in a time."""
        return [each.type for each in self.pass_time(seconds)]

    def reply(self, server: Server | None = None) -> None:
        """Answer what was said last."""
        self.client.receive((server or self.server).answer(self.sent[-1]))

    def bind(self) -> None:
        """Get a lease."""
        self.client.start()
        self.pass_time(1)
        self.reply()
        self.pass_time(1.2)
        self.reply()

    @property
    def held(self) -> str:
        """The prefix that it has."""
        return self.client.lease.prefix if self.client.lease is not None else ""


class FirstTests(ClientCase):
    """From nothing to a lease."""

    def test_solicit_advertise_request_reply(self) -> None:
        """In four messages, with what each must have."""
        self.client.start()
        (solicit,) = self.pass_time(1)
        self.assertEqual((solicit.type, solicit.prefix), (M.SOLICIT, "::/64"))
        self.assertEqual(solicit.options[Code6.CLIENT_ID], b"\0\4" + bytes.fromhex(SUBNET.replace("-", "")))
        self.assertEqual(solicit.options[Code6.WANTED_OPTIONS], b"\0\x52")
        self.assertNotIn(Code6.SERVER_ID, solicit.options)
        self.reply()
        (request,) = self.pass_time(1.2)
        self.assertEqual((request.type, request.prefix, request.options[Code6.SERVER_ID]), (M.REQUEST, PREFIX, SERVER))
        self.assertNotEqual(request.xid, None)
        self.reply()
        self.assertEqual((self.held, self.changes), (PREFIX, 1))
        self.assertEqual(self.kinds(890), [])

    def test_the_best_of_several_servers_is_taken(self) -> None:
        """When they had their time."""
        self.client.start()
        self.pass_time(1)
        better = Server(OTHER_SERVER, (prefix_option(NEW),), more=encode_option6(Code6.PREFERENCE, b"\x07"))
        self.reply()
        self.reply(better)
        self.reply(Server(b"\0\3third", more=encode_option6(Code6.PREFERENCE, b"\x05")))
        (request,) = self.pass_time(1.2)
        self.assertEqual((request.options[Code6.SERVER_ID], request.prefix), (OTHER_SERVER, NEW))

    def test_the_highest_preference_is_taken_at_once(self) -> None:
        """Nobody can be better."""
        self.client.start()
        self.pass_time(1)
        self.reply(Server(more=encode_option6(Code6.PREFERENCE, b"\xff")))
        self.assertEqual(read_question(self.sent[-1]).type, M.REQUEST)

    def test_a_late_server_is_taken_at_once(self) -> None:
        """After the first time is over."""
        self.client.start()
        self.assertEqual(self.kinds(3), [M.SOLICIT, M.SOLICIT])
        self.reply()
        self.assertEqual(read_question(self.sent[-1]).type, M.REQUEST)

    def test_how_often_it_asks(self) -> None:
        """Ever less, an hour apart at most; the elapsed time grows, the transaction stays."""
        self.client.start()
        begun = self.clock.seconds()
        times, elapsed, xids = [], [], set()
        for _ in range(60_000):
            for each in self.pass_time(1):
                times.append(self.clock.seconds() - begun)
                elapsed.append(int.from_bytes(each.options[Code6.ELAPSED], "big"))
                xids.add(each.xid)
        gaps = [after - before for before, after in pairwise(times)]
        self.assertEqual(gaps, sorted(gaps))
        self.assertLess(gaps[0], 2.5)
        self.assertLessEqual(gaps[-1], 3600)
        self.assertEqual((elapsed, elapsed[0], elapsed[-1]), (sorted(elapsed), 0, 0xFFFF))
        self.assertEqual(len(xids), 1)

    def test_a_server_may_ask_to_be_solicited_less(self) -> None:
        """Between a minute and a day; also when it gives nothing. Anything else is ignored."""
        for said, most in ((60, 66), (59, 4000), (86_401, 4000)):
            self.setUp()
            self.client.start()
            self.pass_time(1)
            self.reply(Server(inner=(status(6),), more=encode_option6(Code6.SOL_MAX_RT, said.to_bytes(4, "big"))))
            self.pass_time(2000)
            self.assertEqual(len(self.pass_time(4000)) >= 4000 // most, True, said)
            self.assertEqual(len(self.pass_time(4000)) > 10, said == 60, said)

    def test_who_has_nothing_is_not_asked_for_it(self) -> None:
        """NoPrefixAvail, for the association or for all; no prefix; a prefix for no time."""
        for inner, more in (
            ((status(Status6.NO_PREFIX_AVAIL),), b""),
            ((), status(Status6.NO_PREFIX_AVAIL)),
            ((), b""),
            ((prefix_option(PREFIX, 0, 0),), b""),
            ((prefix_option(PREFIX, 5, LEAST_VALID_SECONDS - 1),), b""),
            ((prefix_option(PREFIX, 3600, 1800),), b""),
        ):
            self.setUp()
            self.client.start()
            self.pass_time(1)
            self.reply(Server(inner=inner, more=more))
            self.assertEqual(set(self.kinds(30)), {M.SOLICIT}, (inner, more))

    def test_prefixes_that_hosts_cannot_have(self) -> None:
        """Longer than a network; and those that are no addresses of hosts of the world."""
        for prefix in ("2001:db8::/65", "2001:db8::/128", "ff00::/64", "fe80::/64", "::/64", "::/1", "64:ff9b::/64"):
            self.setUp()
            self.client.start()
            self.pass_time(1)
            self.reply(Server(inner=(prefix_option(prefix),)))
            self.assertEqual(set(self.kinds(30)), {M.SOLICIT}, prefix)

    def test_a_shorter_prefix_is_used_from_its_beginning(self) -> None:
        """And is renewed as it was given."""
        self.server.inner = (prefix_option("2001:db8:40::/44"),)
        self.bind()
        self.assertEqual(self.held, "2001:db8:40::/64")
        (renew,) = self.pass_time(901)
        self.assertEqual(renew.prefix, "2001:db8:40::/44")

    def test_a_promise_that_is_not_kept_costs_ever_more_time(self) -> None:
        """Whoever offers and refuses makes nobody talk all the time."""
        self.client.start()
        begun, rounds = self.clock.seconds(), 0
        while self.clock.seconds() - begun < 3600:
            kinds = self.kinds(0.25)
            if kinds:
                self.server.inner = (prefix_option(PREFIX),) if kinds[-1] == M.SOLICIT else (status(6),)
                rounds += kinds[-1] == M.REQUEST
                self.reply()
                if read_question(self.sent[-1]).type == M.REQUEST:
                    self.server.inner = (status(6),)
                    self.reply()
                    rounds += 1
        self.assertLess(rounds, 45)
        self.assertGreater(rounds, 5)

    def test_a_server_that_falls_silent_is_left(self) -> None:
        """After ten requests others are asked."""
        self.client.start()
        self.pass_time(1)
        self.reply()
        kinds = self.kinds(400)
        self.assertEqual(kinds[:10], [M.REQUEST] * 10)
        self.assertEqual(kinds[10], M.SOLICIT)


class HeldTests(ClientCase):
    """With a lease."""

    def setUp(self) -> None:
        """Get it."""
        super().setUp()
        self.bind()
        self.assertEqual(self.held, PREFIX)

    def test_it_is_renewed_with_its_server(self) -> None:
        """At T1, and then lasts longer."""
        lease = self.client.lease
        assert lease is not None
        (renew,) = self.pass_time(901)
        self.assertEqual((renew.type, renew.prefix, renew.options[Code6.SERVER_ID]), (M.RENEW, PREFIX, SERVER))
        self.reply()
        assert self.client.lease is not None
        self.assertGreater(self.client.lease.valid_until, lease.valid_until + 890)
        self.assertEqual(self.held, PREFIX)

    def test_anybody_is_asked_when_its_server_is_silent(self) -> None:
        """From T2 on; another server may take it over."""
        kinds = self.kinds(1445)
        self.assertEqual(set(kinds[:-1]), {M.RENEW})
        self.assertEqual(kinds[-1], M.REBIND)
        self.assertNotIn(Code6.SERVER_ID, read_question(self.sent[-1]).options)
        self.reply(Server(OTHER_SERVER))
        assert self.client.lease is not None
        self.assertEqual((self.held, self.client.lease.server_id), (PREFIX, OTHER_SERVER))

    def test_it_ends_when_nobody_answers(self) -> None:
        """Exactly then; and is asked for anew."""
        self.pass_time(3599)
        self.assertEqual((self.held, self.client.has_lost), (PREFIX, False))
        self.pass_time(3)
        self.assertEqual((self.held, self.client.has_lost, self.changes), ("", True, 2))
        self.assertIn(M.SOLICIT, self.kinds(10))

    def test_another_prefix_takes_its_place(self) -> None:
        """With the old one withdrawn, not named, or on its way out."""
        for old in (prefix_option(PREFIX, 0, 0), b"", prefix_option(PREFIX, 0, 600)):
            self.setUp()
            self.pass_time(901)
            self.reply(Server(inner=(old, prefix_option(NEW))))
            self.assertEqual((self.held, self.changes), (NEW, 2))

    def test_one_more_prefix_changes_nothing(self) -> None:
        """What is held is still good."""
        self.pass_time(901)
        self.reply(Server(inner=(prefix_option(NEW), prefix_option(PREFIX))))
        self.assertEqual(self.held, PREFIX)

    def test_a_prefix_that_is_withdrawn_ends_at_once(self) -> None:
        """And is asked for anew."""
        self.pass_time(901)
        self.reply(Server(inner=(prefix_option(PREFIX, 0, 0),)))
        self.assertEqual((self.held, self.client.has_lost), ("", True))
        self.assertIn(M.SOLICIT, self.kinds(5))

    def test_a_server_that_knows_nothing_of_it_is_requested(self) -> None:
        """For the same prefix; it is used all the while."""
        self.pass_time(901)
        self.reply(Server(inner=(status(Status6.NO_BINDING),)))
        request = read_question(self.sent[-1])
        self.assertEqual((request.type, request.prefix, self.held), (M.REQUEST, PREFIX, PREFIX))
        self.reply()
        self.assertEqual((self.held, self.client.has_lost), (PREFIX, False))

    def test_who_knows_nothing_and_gives_nothing_is_asked_less(self) -> None:
        """Until the lease ends."""
        begun, asked = self.clock.seconds(), 0
        while self.held and self.clock.seconds() - begun < 4000:
            asked += len(self.pass_time(1))
            if self.client.lease is not None and self.sent:
                self.reply(Server(inner=(status(Status6.NO_BINDING),)))
        self.assertAlmostEqual(self.clock.seconds() - begun, 3600, delta=5)
        self.assertLess(asked, 60)

    def test_no_server_has_it_talk_all_the_time(self) -> None:
        """Times of nearly nothing are made longer."""
        self.pass_time(901)
        self.reply(Server(inner=(prefix_option(PREFIX, 1, LEAST_VALID_SECONDS),), t1=1, t2=1))
        self.assertEqual(self.kinds(LEAST_RENEW_SECONDS - 1), [])
        self.assertEqual(len(self.kinds(2)), 1)

    def test_times_that_are_left_to_the_client(self) -> None:
        """Half of the preferred time, and four fifths of it."""
        self.pass_time(901)
        self.reply(Server(t1=0, t2=0))
        lease, now = self.client.lease, self.clock.seconds()
        assert lease is not None
        self.assertEqual((lease.renew_at - now, lease.rebind_at - now), (900, 1440))

    def test_times_that_cannot_be(self) -> None:
        """T1 after T2: it is as if the association was not there."""
        before = self.client.lease
        self.pass_time(901)
        self.reply(Server(t1=2000, t2=1000))
        self.assertEqual(self.client.lease, before)

    def test_for_ever(self) -> None:
        """Centuries are waited for in pieces."""
        most = 0xFFFFFFFF
        self.pass_time(901)
        self.reply(Server(inner=(prefix_option(PREFIX, most, most),), t1=most, t2=most))
        (timer,) = self.clock.getDelayedCalls()
        self.assertLessEqual(timer.getTime() - self.clock.seconds(), 86_400)
        self.assertEqual(self.kinds(100 * 86_400), [])
        self.assertEqual(self.held, PREFIX)

    def test_it_is_given_back(self) -> None:
        """Until a server has it."""
        done = self.client.release()
        release = read_question(self.sent[-1])
        self.assertEqual((release.type, release.prefix, release.options[Code6.SERVER_ID]), (M.RELEASE, PREFIX, SERVER))
        self.assertNoResult(done)
        self.reply()
        self.successResultOf(done)
        self.assertEqual((self.kinds(10_000), self.held), ([], ""))

    def test_it_is_given_back_to_nobody(self) -> None:
        """It is said four times."""
        done = self.client.release()
        self.assertEqual(self.kinds(60), [M.RELEASE] * 3)
        self.successResultOf(done)

    def test_it_falls_silent(self) -> None:
        """The lease is there for the next process."""
        self.client.stop()
        self.assertEqual((self.kinds(10_000), self.held, self.client.is_running), ([], PREFIX, False))


class ResumingTests(ClientCase):
    """After a restart."""

    def lease(self, **ago: float) -> Lease:
        """Return a lease whose times are so many seconds ahead."""
        now = self.clock.seconds()
        times = {"renew": 900.0, "rebind": 1440.0, "preferred": 1800.0, "valid": 3600.0, **ago}
        return Lease(PREFIX, SERVER, *(now + each for each in times.values()))

    def test_it_goes_on_with_what_it_has(self) -> None:
        """And asks nothing before it is time."""
        self.client.start(self.lease())
        self.assertEqual((self.held, self.kinds(899)), (PREFIX, []))
        self.assertEqual(self.kinds(2), [M.RENEW])

    def test_what_was_due_meanwhile_is_done_at_once(self) -> None:
        """Renewed, rebound, or asked for anew."""
        for times, kind, held in (
            ({"renew": -5.0}, M.RENEW, PREFIX),
            ({"renew": -5.0, "rebind": -5.0}, M.REBIND, PREFIX),
            ({"renew": -5.0, "rebind": -5.0, "valid": -5.0}, M.SOLICIT, ""),
        ):
            self.setUp()
            self.client.start(self.lease(**times))
            self.pass_time(5)
            self.assertEqual((read_question(self.sent[0]).type, self.held), (kind, held))

    def test_a_prefix_of_which_only_the_server_knows_the_lease(self) -> None:
        """Any server is asked whether it is still good; the same stays."""
        self.client.start(None, PREFIX)
        self.pass_time(0.1)
        self.assertEqual((read_question(self.sent[-1]).type, self.held), (M.REBIND, PREFIX))
        self.reply()
        assert self.client.lease is not None
        self.assertEqual((self.held, self.client.lease.server_id), (PREFIX, SERVER))

    def test_a_prefix_that_nobody_knows(self) -> None:
        """It is used for a day."""
        self.client.start(None, PREFIX)
        self.pass_time(UNKNOWN_SECONDS - 1)
        self.assertEqual(self.held, PREFIX)
        self.pass_time(2)
        self.assertEqual((self.held, self.client.has_lost), ("", True))


class LiarTests(ClientCase):
    """What nobody who was asked said."""

    def lies(self, answer: bytes) -> list[bytes]:
        """Return what an answer may be changed to."""
        xid = bytes(each ^ 1 for each in answer[1:4])
        server = Server(OTHER_SERVER)
        return [
            answer[:1] + xid + answer[4:],
            answer.replace(bytes.fromhex(SUBNET.replace("-", "")), bytes(16)),
            answer.replace(identity_of(SUBNET).iaid + bytes(2), b"\xff" * 4 + bytes(2)),
            bytes((M.RECONFIGURE,)) + answer[1:],
            bytes((M.RENEW,)) + answer[1:],
            answer[:-1],
            answer + b"\0",
            answer + encode_option6(Code6.SERVER_ID, SERVER),
            answer + encode_option6(Code6.CLIENT_ID, identity_of(SUBNET).client_id),
            answer + answer[answer.index(b"\0\x19") :],
            b"",
            answer[:4],
            server.answer(self.sent[-1]) if read_question(self.sent[-1]).type != M.SOLICIT else b"\2",
        ]

    def check(self, is_as_before: Callable[[], bool]) -> None:
        """Tell all lies about the answer to the last message."""
        for lie in self.lies(self.server.answer(self.sent[-1])):
            self.client.receive(lie)
            self.assertTrue(is_as_before(), lie)

    def test_lies_to_each_message(self) -> None:
        """Nothing comes of them, and the truth is still heard."""
        self.client.start()
        self.pass_time(1)
        self.check(lambda: len(self.sent) == 1)
        self.client.receive(self.server.answer(self.sent[-1], M.REPLY))
        self.reply()
        self.pass_time(1.2)
        self.assertEqual(read_question(self.sent[-1]).type, M.REQUEST)
        self.check(lambda: self.client.lease is None)
        self.client.receive(self.server.answer(self.sent[-1], M.ADVERTISE))
        self.assertEqual(self.held, "")
        self.reply()
        held = self.client.lease
        self.pass_time(901)
        self.check(lambda: self.client.lease == held)
        self.reply()
        self.assertNotEqual(self.client.lease, held)

    def test_whoever_answers_all_the_time_is_not_heard(self) -> None:
        """Until it is asked again; junk of others does not count."""
        self.client.start()
        self.pass_time(1)
        truth = self.server.answer(self.sent[-1])
        for _ in range(1000):
            self.client.receive(bytes((M.ADVERTISE, 0, 0, 0)) + truth[4:])
        for _ in range(MOST_ANSWERS):
            self.client.receive(truth[:-1])
        self.client.receive(truth)
        self.assertEqual(self.kinds(1.5), [M.SOLICIT])
        self.client.receive(truth)
        self.assertEqual(read_question(self.sent[-1]).type, M.REQUEST)

    def test_nothing_is_heard_that_was_not_asked(self) -> None:
        """Of a lease that is held."""
        self.bind()
        late = self.server.answer(self.sent[-1])
        held = self.client.lease
        self.server.inner = (prefix_option(NEW),)
        self.client.receive(late)
        self.client.receive(self.server.answer(self.sent[-1]))
        self.assertEqual(self.client.lease, held)
