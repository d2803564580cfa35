"""Ids of what is made."""

from __future__ import annotations

from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.ids import UUID_BITS, uuid_text


class UuidTests(SynchronousTestCase):
    """UUIDs as text."""

    @given(st.integers(0, 2**UUID_BITS - 1))
    def test_every_randomness_makes_a_random_uuid(self, randomness: int) -> None:
        """Canonical text of a version 4 UUID, whatever the bits are."""
        text = uuid_text(randomness)
        parsed = UUID(text)
        self.assertEqual((str(parsed), parsed.version, parsed.variant), (text, 4, RFC_4122))

    def test_bits_are_not_lost(self) -> None:
        """Every bit that is not fixed is one of the id."""
        ids = {uuid_text(1 << bit) for bit in range(UUID_BITS)} | {uuid_text(0)}
        self.assertEqual(len(ids), UUID_BITS - 6 + 1)
