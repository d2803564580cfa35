"""How much one update says."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.hosts.outbox import AT_ONCE, Outbox
from quantumd.model.messages import Gone, Update
from quantumd.model.security_records import AddressSetRecord


class OutboxTests(SynchronousTestCase):
    """Outbox.updates."""

    def updates(self, addresses: int, gone: int = 0) -> list[Update]:
        """Return the updates for a host that must know ten pieces of so many addresses each, and is rid of others."""
        outbox = Outbox()
        for number in range(10):
            record = AddressSetRecord(f"g/{number}", 1, tuple(f"10.0.0.{n}/32" for n in range(addresses)))
            outbox.put["host-a", "l2"][record.kind, record.id] = record
        outbox.gone["host-a", "l2"] += [Gone("l2.port", f"p{number}", 1) for number in range(gone)]
        return outbox.updates("req-1")

    def test_little_is_one_update(self) -> None:
        """What is put and what is gone."""
        self.assertEqual([(len(each.put), len(each.gone)) for each in self.updates(3, 5)], [(10, 5)])

    def test_addresses_count(self) -> None:
        """Nobody gets more than a few thousand to take in one turn, and all is said once, in order."""
        updates = self.updates(AT_ONCE // 4)
        self.assertEqual([len(each.put) for each in updates], [3, 3, 3, 1])
        self.assertEqual([record.id for each in updates for record in each.put], [f"g/{n}" for n in range(10)])

    def test_one_that_is_larger_goes_alone(self) -> None:
        """It cannot be cut."""
        self.assertEqual([len(each.put) for each in self.updates(AT_ONCE + 1)], [1] * 10)

    def test_gone_count_by_themselves(self) -> None:
        """The rest of what is gone comes alone."""
        updates = self.updates(1, AT_ONCE + 1)
        self.assertEqual([(len(each.put), len(each.gone)) for each in updates], [(10, AT_ONCE), (0, 1)])

    def test_nothing_is_no_update(self) -> None:
        """Nobody is told."""
        self.assertEqual(Outbox().updates("req-1"), [])
