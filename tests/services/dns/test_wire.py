"""Questions and answers as bytes, checked by twisted.names; and what makes no sense."""

from __future__ import annotations

import struct
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.names import dns
from twisted.trial.unittest import SynchronousTestCase

from quantumd.services.dns import passing, wire
from quantumd.services.dns.wire import Code, Kind, Question, read_question

HEADER = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0)
WEB = b"\3Web\7example\0"


def asking(name: str = "Web.Example", kind: int = dns.A, size: int | None = None, version: int = 0) -> bytes:
    """A question as a client sends it."""
    message = dns._EDNSMessage(7, recDes=1, queries=[dns.Query(name, kind)], ednsVersion=version, maxSize=size or 512)
    if size is None:
        message.ednsVersion = None
    return bytes(message.toStr())


def read(data: bytes) -> Question:
    """Read what must be a question."""
    question = read_question(data)
    assert question is not None
    return question


def shown(data: bytes) -> dns.Message:
    """What twisted.names reads."""
    message = dns.Message()
    message.fromStr(data)
    return message


class ReadTests(SynchronousTestCase):
    """What a question says."""

    def test_what_is_asked(self) -> None:
        """Its name, whatever the case, and the type."""
        question = read(asking(kind=dns.AAAA))
        self.assertEqual((question.name, question.kind, question.id), ("web.example", Kind.AAAA, 7))
        self.assertEqual((question.fault, question.is_internet, question.most_bytes), (Code.DONE, True, 512))

    def test_sizes(self) -> None:
        """Never less than everybody takes, and never more than goes in one piece."""
        for said, most in ((100, 512), (800, 800), (1232, 1232), (4096, 1232)):
            self.assertEqual(read(asking(size=said)).most_bytes, most)

    def test_another_version_of_edns(self) -> None:
        """Is answered as RFC 6891 6.1.3 says."""
        question = read(asking(size=1232, version=1))
        self.assertEqual(question.fault, Code.BAD_VERSION)
        said = shown(wire.answer(question, Code.BAD_VERSION))
        (option,) = said.additional
        self.assertEqual((said.rCode, option.type, option.ttl >> 24), (0, dns.OPT, 1))

    def test_what_must_not_be_answered(self) -> None:
        """Answers, what is too short, and what is too long."""
        for data in (b"", HEADER[:-1], b"\0\0\x80\0" + asking()[4:], asking() + bytes(4096)):
            self.assertIsNone(read_question(data))

    def test_what_makes_no_sense(self) -> None:
        """Is called malformed: several questions or none, names that loop, are cut off or too long, two OPTs."""
        option = b"\0" + struct.pack("!2HIH", 41, 1232, 0, 0)
        tail = b"\0\1\0\1"
        for data in (
            struct.pack("!6H", 7, 0, 2, 0, 0, 0) + (WEB + tail) * 2,
            struct.pack("!6H", 7, 0, 0, 0, 0, 0),
            struct.pack("!6H", 7, 0, 1, 1, 0, 0) + WEB + tail,
            struct.pack("!6H", 7, 0, 1, 0, 0, 9) + WEB + tail,
            HEADER + b"\xc0\x0c" + tail,
            HEADER + b"\1a\xc0\x0c" + tail,
            HEADER + b"\x40" + bytes(70),
            HEADER + WEB,
            HEADER + WEB[:-1],
            HEADER + (b"\x3f" + b"a" * 63) * 4 + b"\0" + tail,
            struct.pack("!6H", 7, 0, 1, 0, 0, 2) + WEB + tail + option * 2,
            struct.pack("!6H", 7, 0, 1, 0, 0, 1) + WEB + tail + option[:-1],
            struct.pack("!6H", 7, 0, 1, 0, 0, 1) + WEB + tail + option[:-1] + b"\1",
            struct.pack("!6H", 7, 0, 1, 0, 0, 1) + WEB + tail + b"\x80" + option[1:],
        ):  # fmt: skip
            self.assertEqual(read(data).fault, Code.MALFORMED, data)

    def test_the_longest_name(self) -> None:
        """255 bytes."""
        name = (b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"a" * 61 + b"\0"
        self.assertEqual(len(name), 255)
        self.assertEqual(read(HEADER + name + b"\0\1\0\1").fault, Code.DONE)

    def test_records_behind_the_question(self) -> None:
        """Are skipped, with names that point."""
        other = b"\xc0\x0c" + struct.pack("!2HIH", 1, 1, 0, 2) + b"xx"
        option = b"\0" + struct.pack("!2HIH", 41, 800, 0x8000, 0)
        question = read(struct.pack("!6H", 7, 0, 1, 0, 0, 2) + WEB + b"\0\1\0\1" + other + option)
        self.assertEqual((question.edns_bytes, question.wants_dnssec), (800, True))

    def test_labels_that_no_port_has(self) -> None:
        """With dots, or other bytes."""
        for label in (b"\3a.b", b"\2\xc3\xa4"):
            self.assertEqual(read(HEADER + label + b"\0\0\1\0\1").name, "")

    def test_other_messages(self) -> None:
        """Updates and the like are not known here."""
        self.assertEqual(read(b"\0\7\x28\0" + asking()[4:]).fault, Code.NOT_KNOWN_HERE)

    @given(st.binary(max_size=600))
    def test_any_bytes(self, data: bytes) -> None:
        """Are read without an error, and what is said of them can be read."""
        question = read_question(data)
        if question is not None:
            shown(wire.fitted(question, wire.answer(question, Code.FAILED), question.most_bytes))
            self.assertLessEqual(len(passing.forwarded(question, 9)), len(data))

    @given(st.binary(max_size=200), st.integers(0, 40))
    def test_damaged_questions(self, noise: bytes, at: int) -> None:
        """As before, where most is right."""
        whole = asking(size=1232)
        question = read_question(whole[:at] + noise + whole[at + len(noise) :])
        if question is not None:
            shown(wire.answer(question, question.fault))


class AnswerTests(SynchronousTestCase):
    """What is said."""

    def test_records(self) -> None:
        """As twisted.names reads them; the question as it was asked."""
        question = read(asking(size=1232))
        data = wire.answer(question, Code.DONE, [wire.address_data("10.0.0.5")], is_ours=True)
        said = shown(data)
        self.assertEqual((said.id, said.answer, said.auth, said.recAv, said.recDes, said.trunc), (7, 1, 1, 1, 1, 0))
        self.assertEqual([_payload(each).dottedQuad() for each in said.answers], ["10.0.0.5"])
        self.assertEqual(said.answers[0].name.name.lower(), b"web.example")
        self.assertIn(b"Web", data)

    def test_names(self) -> None:
        """Of PTR records."""
        question = read(asking("5.0.0.10.in-addr.arpa", dns.PTR))
        said = shown(wire.answer(question, Code.DONE, [(Kind.PTR, wire.name_data("web.example"))]))
        self.assertEqual(_payload(said.answers[0]).name.name, b"web.example")

    def test_what_does_not_fit(self) -> None:
        """Is truncated to nothing but the question."""
        question = read(asking(size=800))
        whole = wire.answer(question, Code.DONE, [wire.address_data("10.0.0.5")] * 60)
        short = wire.fitted(question, whole, question.most_bytes)
        said = shown(short)
        self.assertEqual((said.trunc, said.answers, len(said.additional)), (1, [], 1))
        self.assertTrue(wire.is_truncated(short))
        self.assertEqual(wire.fitted(question, whole, 65_535), whole)


class ForwardTests(SynchronousTestCase):
    """What others are asked, and whether they answer that."""

    def setUp(self) -> None:
        """A question of somebody who takes much."""
        self.question = read(asking(size=4096))

    def test_what_is_asked(self) -> None:
        """The same, by another number, and for no more than goes in one piece."""
        sent = read(passing.forwarded(self.question, 99))
        self.assertEqual((sent.id, sent.edns_bytes, sent.asked), (99, 1232, self.question.asked))

    def test_answers(self) -> None:
        """Come back by the client's number."""
        said = b"\0\x63" + wire.answer(self.question, Code.DONE, [wire.address_data("10.0.0.5")])[2:]
        self.assertTrue(passing.is_answer_to(self.question, 99, said))
        self.assertTrue(passing.is_answer_to(self.question, 99, said.replace(b"Web", b"wEB")))
        back = passing.returned(self.question, said.replace(b"Web", b"wEB"))
        self.assertEqual((read_question(back), shown(back).id), (None, 7))
        self.assertIn(b"Web", back)

    def test_what_is_no_answer(self) -> None:
        """Another number or question, a question, and what is cut off."""
        said = b"\0\x63" + wire.answer(self.question, Code.DONE)[2:]
        for data in (
            b"\0\x62" + said[2:], said.replace(b"Web", b"Wob"), b"\0\x63\1\0" + said[4:], said[:14], b"",
            said[:4] + b"\0\0" + said[6:],
        ):  # fmt: skip
            self.assertFalse(passing.is_answer_to(self.question, 99, data), data)

    @given(st.binary(max_size=600))
    def test_any_bytes(self, data: bytes) -> None:
        """Are no answer, unless they are."""
        if passing.is_answer_to(self.question, 99, data):
            self.assertEqual(passing.returned(self.question, data)[:2], b"\0\7")


def _payload(record: dns.RRHeader) -> Any:
    return record.payload
