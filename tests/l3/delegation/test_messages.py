"""What clients say and servers answer, byte by byte, and whatever else may come."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.dhcpv6.messages import Code6, MessageType6, encode_option6
from quantumd.l3.delegation.client import PrefixClient
from quantumd.l3.delegation.leases import LEAST_RENEW_SECONDS
from quantumd.l3.delegation.messages import ANY_PREFIX, MOST_PREFIXES, Given, identity_of, question, read_answer
from quantumd.model.delegation import delegated_subnet
from tests.bed.counts import count
from tests.l3.delegation.server import PREFIX, Server, association, prefix_option, read_question, status

WHO = identity_of("0c000000-0000-4000-8000-00000000000a")
XID = b"\1\2\3"
ASKED = question(MessageType6.REQUEST, XID, WHO, PREFIX, 1.5, b"\0\3server")


class QuestionTests(SynchronousTestCase):
    """What is said."""

    def test_a_request(self) -> None:
        """All of it."""
        read = read_question(ASKED)
        self.assertEqual((read.type, read.xid, read.prefix), (MessageType6.REQUEST, XID, PREFIX))
        self.assertEqual(read.options[Code6.ELAPSED], (150).to_bytes(2, "big"))
        self.assertEqual(read.options[Code6.IA_PD][:12], WHO.iaid + bytes(8))
        self.assertEqual(read.options[Code6.SERVER_ID], b"\0\3server")

    def test_a_release_wants_nothing(self) -> None:
        """RFC 8415, 21.7: the option is not for it."""
        self.assertNotIn(
            Code6.WANTED_OPTIONS, read_question(question(MessageType6.RELEASE, XID, WHO, PREFIX, 0, b"abc")).options
        )

    def test_scapy_reads_it(self) -> None:
        """As others do."""
        from scapy.layers.dhcp6 import DHCP6_Solicit, DHCP6OptClientId, DHCP6OptElapsedTime, DHCP6OptIA_PD

        read = DHCP6_Solicit(question(MessageType6.SOLICIT, XID, WHO, ANY_PREFIX, 0))
        self.assertEqual(read.trid, 0x010203)
        self.assertEqual(read[DHCP6OptElapsedTime].elapsedtime, 0)
        (prefix,) = read[DHCP6OptIA_PD].iapdopt
        self.assertEqual((prefix.prefix, prefix.plen, prefix.preflft), ("::", 64, 0))
        self.assertEqual(bytes(read[DHCP6OptClientId].duid), WHO.client_id)

    def test_two_subnets_are_two_clients(self) -> None:
        """So that nothing of one is in the way of the other."""
        other = identity_of("0c000001-0000-4000-8000-00000000000a")
        self.assertNotEqual((other.client_id, other.iaid), (WHO.client_id, WHO.iaid))


class AnswerTests(SynchronousTestCase):
    """What is heard."""

    def test_a_reply(self) -> None:
        """With prefixes, times and a preference."""
        server = Server(inner=(prefix_option(PREFIX, 10, 20), prefix_option("2001:db8::/56")), t1=5, t2=8)
        answer = read_answer(server.answer(ASKED), XID, WHO)
        assert answer is not None
        self.assertEqual(answer.given, (Given(PREFIX, 10, 20), Given("2001:db8::/56", 1800, 3600)))
        self.assertEqual((answer.t1_seconds, answer.t2_seconds, answer.status, answer.preference), (5, 8, 0, 0))

    def test_a_prefix_that_is_not_sound_leaves_the_others(self) -> None:
        """No length, preferred longer than valid, too short an option."""
        broken = (
            encode_option6(Code6.IA_PREFIX, bytes(24)),
            encode_option6(Code6.IA_PREFIX, bytes(25)),
            encode_option6(Code6.IA_PREFIX, bytes(8) + b"\x81" + bytes(16)),
            prefix_option("2001:db8::/56", 2, 1),
        )
        answer = read_answer(Server(inner=(*broken, prefix_option(PREFIX))).answer(ASKED), XID, WHO)
        assert answer is not None
        self.assertEqual([each.prefix for each in answer.given], [PREFIX])

    def test_bits_beyond_the_length_are_nothing(self) -> None:
        """Some servers leave them there."""
        option = bytearray(prefix_option(PREFIX))
        option[-1] = 7
        answer = read_answer(Server(inner=(bytes(option),)).answer(ASKED), XID, WHO)
        assert answer is not None
        self.assertEqual(answer.given[0].prefix, PREFIX)

    def test_no_more_than_so_many_prefixes(self) -> None:
        """Nobody has more for one network."""
        many = tuple(prefix_option(f"2001:db8:{number:x}::/64") for number in range(MOST_PREFIXES * 4))
        answer = read_answer(Server(inner=many).answer(ASKED), XID, WHO)
        assert answer is not None
        self.assertEqual(len(answer.given), MOST_PREFIXES)

    def test_the_status_of_the_association_before_that_of_the_message(self) -> None:
        """It says more."""
        for inner, more, expected in ((status(6), status(1), 6), (b"", status(1), 1), (status(3), b"", 3)):
            answer = read_answer(Server(inner=(inner,), more=more).answer(ASKED), XID, WHO)
            assert answer is not None
            self.assertEqual(answer.status, expected)

    def test_an_association_of_somebody_else(self) -> None:
        """Is nothing to us, and does not harm."""
        foreign = association(b"\xff\xff\xff\xff", prefix_option("2001:db8:bad::/64"))
        answer = read_answer(Server(more=foreign).answer(ASKED), XID, WHO)
        assert answer is not None
        self.assertEqual([each.prefix for each in answer.given], [PREFIX])


ANYTHING = st.binary(max_size=400)


class FuzzTests(SynchronousTestCase):
    """Whatever comes: no error, and nothing that no server may give."""

    @settings(max_examples=count(300, 5000), deadline=None)
    @given(ANYTHING)
    @example(b"")
    def test_junk_is_no_answer(self, junk: bytes) -> None:
        """Bytes alone, and behind a head that fits."""
        for payload in (junk, bytes((MessageType6.REPLY,)) + XID + junk):
            answer = read_answer(payload, XID, WHO)
            self.assertTrue(answer is None or WHO.client_id in payload)

    @settings(max_examples=count(300, 5000), deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8), st.booleans(), st.data())
    def test_a_changed_answer(self, changes: list[tuple[int, int]], is_first: bool, data: st.DataObject) -> None:
        """Bytes of a good answer changed, at each step of a client: it never holds what hosts cannot have."""
        clock, sent = Clock(), list[bytes]()
        client = PrefixClient(WHO, clock, lambda: 0.25, sent.append, lambda: None)
        client.start()
        clock.advance(1)
        steps = data.draw(st.lists(st.sampled_from(("good", "changed", "time")), min_size=1, max_size=12))
        for step in steps:
            if step == "time":
                clock.advance(data.draw(st.sampled_from((1.5, 12.0, 901.0, 4000.0))))
                continue
            answer = bytearray(Server().answer(sent[-1]))
            if step == "changed":
                for at, value in changes:
                    answer[at % len(answer)] = value
            before = len(sent)
            client.receive(bytes(answer))
            self.assertLessEqual(len(sent) - before, 1)
            if client.lease is not None:
                self.assertEqual(client.lease.prefix, delegated_subnet(client.lease.delegated))
                self.assertTrue(client.lease.prefix)
                self.assertLessEqual(client.lease.renew_at, client.lease.rebind_at)
                self.assertLessEqual(client.lease.rebind_at, client.lease.valid_until)
        self.assertTrue(client.is_running)

    @settings(max_examples=count(100, 1000), deadline=None)
    @given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
    def test_any_times(self, t1: int, t2: int, preferred: int, valid: int) -> None:
        """A server that says anything has the client ask no more than six times a minute."""
        clock, sent = Clock(), list[bytes]()
        client = PrefixClient(WHO, clock, lambda: 0.25, sent.append, lambda: None)
        server = Server(inner=(prefix_option(PREFIX, preferred, valid),), t1=t1, t2=t2)
        client.start()
        heard = 0
        for _ in range(600):
            clock.advance(1)
            while heard < len(sent):
                client.receive(server.answer(sent[heard]))
                heard += 1
        self.assertLessEqual(len(sent), 600 // LEAST_RENEW_SECONDS + 12)
