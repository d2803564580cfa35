"""Which rules a policy may hold together."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.qos import (
    BANDWIDTH_LIMIT,
    DSCP_MARKING,
    MINIMUM_BANDWIDTH,
    MINIMUM_PACKET_RATE,
    Clash,
    clash_with,
    twin_of,
)


def _rule(rule_type: str, rule_id: str = "old", **parameters: Any) -> dict[str, Any]:
    return {"id": rule_id, "type": rule_type, **parameters}


class QosTests(SynchronousTestCase):
    """The rules of rules."""

    def test_one_rule_of_a_type_and_direction(self) -> None:
        """Two rules of one type need different directions."""
        old = _rule(BANDWIDTH_LIMIT, max_kbps=10, direction="egress")
        same = _rule(BANDWIDTH_LIMIT, "new", max_kbps=20, direction="egress")
        other = _rule(BANDWIDTH_LIMIT, "new", max_kbps=20, direction="ingress")
        self.assertEqual((twin_of(same, [old]), twin_of(other, [old])), (old, None))

    def test_one_mark(self) -> None:
        """A packet has one mark, so a policy has one rule that sets it."""
        old = _rule(DSCP_MARKING, dscp_mark=8)
        self.assertEqual(twin_of(_rule(DSCP_MARKING, "new", dscp_mark=10), [old]), old)

    def test_a_rule_is_no_twin_of_itself(self) -> None:
        """An update of a rule does not meet the rule as it was."""
        old = _rule(BANDWIDTH_LIMIT, max_kbps=10, direction="egress")
        self.assertIsNone(twin_of({**old, "max_kbps": 20}, [old]))

    def test_no_guarantee_above_the_limit(self) -> None:
        """More cannot be guaranteed than is allowed, whichever of the two comes first."""
        limit = _rule(BANDWIDTH_LIMIT, max_kbps=10, direction="egress")
        guarantee = _rule(MINIMUM_BANDWIDTH, "new", min_kbps=11, direction="egress")
        self.assertEqual(clash_with(guarantee, [limit]), Clash(BANDWIDTH_LIMIT, 11, 10))
        self.assertEqual(clash_with({**limit, "id": "later"}, [guarantee]), Clash(MINIMUM_BANDWIDTH, 10, 11))
        self.assertIsNone(clash_with({**guarantee, "min_kbps": 10}, [limit]))

    def test_directions_are_apart(self) -> None:
        """What comes in does not limit what goes out."""
        limit = _rule(BANDWIDTH_LIMIT, max_kbps=10, direction="ingress")
        self.assertIsNone(clash_with(_rule(MINIMUM_BANDWIDTH, "new", min_kbps=11, direction="egress"), [limit]))

    def test_packet_rates_are_guaranteed_by_direction_or_not(self) -> None:
        """A guarantee for any direction does not mix with one for a direction."""
        any_way = _rule(MINIMUM_PACKET_RATE, min_kpps=1, direction="any")
        out = _rule(MINIMUM_PACKET_RATE, "new", min_kpps=1, direction="egress")
        self.assertEqual(clash_with(out, [any_way]), Clash(MINIMUM_PACKET_RATE, "egress", "any"))
        self.assertIsNone(clash_with(out, [{**any_way, "direction": "ingress"}]))
