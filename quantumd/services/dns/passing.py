"""Questions that others are asked, and whether what comes is the answer. Neither is taken apart."""

from __future__ import annotations

import struct

from quantumd.services.dns.wire import ANSWER, HEADER_BYTES, Question


def forwarded(question: Question, number: int) -> bytes:
    """Return what others are asked: the question by another number, and with answers of a size that is never in pieces.

    :param number: below 65,536, and not to be guessed.
    """
    asking = bytearray(question.data)
    asking[:2] = number.to_bytes(2, "big")
    if question.edns_at:
        asking[question.edns_at : question.edns_at + 2] = question.most_bytes.to_bytes(2, "big")
    return bytes(asking)


def is_answer_to(question: Question, number: int, data: bytes) -> bool:
    """Whether a message answers what was forwarded by a number: with the same question, whatever its case."""
    if len(data) < HEADER_BYTES + len(question.asked) or int.from_bytes(data[:2], "big") != number:
        return False
    flags, questions = struct.unpack_from("!2H", data, 2)
    asked = data[HEADER_BYTES : HEADER_BYTES + len(question.asked)]
    return bool(flags & ANSWER) and questions == 1 and asked.lower() == question.asked.lower()


def returned(question: Question, data: bytes) -> bytes:
    """Return what others answered, by the number and with the question by which the client knows it."""
    rest = data[HEADER_BYTES + len(question.asked) :]
    return question.data[:2] + data[2:HEADER_BYTES] + question.asked + rest
