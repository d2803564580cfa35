"""Quality of service: the types of rules, and which rules a policy may hold together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import frozen

INGRESS: Final = "ingress"
EGRESS: Final = "egress"
ANY_DIRECTION: Final = "any"
DIRECTIONS: Final = (INGRESS, EGRESS)

BANDWIDTH_LIMIT: Final = "bandwidth_limit"
DSCP_MARKING: Final = "dscp_marking"
MINIMUM_BANDWIDTH: Final = "minimum_bandwidth"
PACKET_RATE_LIMIT: Final = "packet_rate_limit"
MINIMUM_PACKET_RATE: Final = "minimum_packet_rate"

DSCP_MARKS: Final = (0, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 44, 46, 48, 56)
"""The code points that have a name (RFC 2474, RFC 2597, RFC 3246, RFC 5865)."""


@frozen
class RuleType:
    """A type of rule. ``rates`` are numbers that it must name, ``bursts`` such as are 0 when it does not.

    ``directions`` are those it may have; empty when it has none. Units are in the names: kbps, kpps.
    """

    name: str
    rates: tuple[str, ...] = ()
    bursts: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of everything that a rule of the type says."""
        return (*self.rates, *self.bursts, *(("direction",) if self.directions else ()))


RULE_TYPES: Final = (
    RuleType(BANDWIDTH_LIMIT, ("max_kbps",), ("max_burst_kbps",), DIRECTIONS),
    RuleType(DSCP_MARKING, ("dscp_mark",)),
    RuleType(MINIMUM_BANDWIDTH, ("min_kbps",), (), DIRECTIONS),
    RuleType(PACKET_RATE_LIMIT, ("max_kpps",), ("max_burst_kpps",), DIRECTIONS),
    RuleType(MINIMUM_PACKET_RATE, ("min_kpps",), (), (ANY_DIRECTION, *DIRECTIONS)),
)

NETWORK_OWNER_PREFIX: Final = "network:"
"""device_owner of ports of the service itself begins with this: the policy of a network is not for them."""


def policy_in_force(own: str | None, of_network: str | None, device_owner: str) -> str | None:
    """Return the policy that counts for a port: its own, else that of its network unless the service has made it."""
    if own is not None or device_owner.startswith(NETWORK_OWNER_PREFIX):
        return own
    return of_network


Rule = Mapping[str, Any]
"""A rule by its parameters, with ``id`` and ``type``."""


@frozen
class Clash:
    """A rule that another one cannot stand beside: ``value`` of the new one against ``existing`` of the other."""

    rule_type: str
    value: int | str
    existing: int | str


def twin_of(rule: Rule, others: Iterable[Rule]) -> Rule | None:
    """Return the other rule of the same type and direction, if there is one: a policy holds one of each."""
    mine = (rule["type"], rule.get("direction"))
    return next((each for each in _beside(rule, others) if (each["type"], each.get("direction")) == mine), None)


def clash_with(rule: Rule, others: Iterable[Rule]) -> Clash | None:
    """Return why the rule cannot stand beside the others; None when it can.

    A guaranteed bandwidth above the limit of the same direction cannot be kept, and a packet rate is guaranteed either
    whatever the direction or by direction.
    """
    for each in _beside(rule, others):
        clash = _clash(rule, each)
        if clash is not None:
            return clash
    return None


def _clash(rule: Rule, other: Rule) -> Clash | None:
    kinds = (rule["type"], other["type"])
    if kinds == (MINIMUM_PACKET_RATE, MINIMUM_PACKET_RATE):
        mixed = (rule["direction"] == ANY_DIRECTION) != (other["direction"] == ANY_DIRECTION)
        return Clash(other["type"], rule["direction"], other["direction"]) if mixed else None
    if rule.get("direction") != other.get("direction"):
        return None
    if kinds == (BANDWIDTH_LIMIT, MINIMUM_BANDWIDTH) and other["min_kbps"] > rule["max_kbps"]:
        return Clash(other["type"], rule["max_kbps"], other["min_kbps"])
    if kinds == (MINIMUM_BANDWIDTH, BANDWIDTH_LIMIT) and other["max_kbps"] < rule["min_kbps"]:
        return Clash(other["type"], rule["min_kbps"], other["max_kbps"])
    return None


def _beside(rule: Rule, others: Iterable[Rule]) -> Iterable[Rule]:
    return (each for each in others if each["id"] != rule.get("id"))
