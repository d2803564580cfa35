"""What is counted of packets that go out by a router's gateway and come in, by metering labels. Pure.

As in Neutron the prefixes of rules are of addresses inside; what a rule excludes no other rule of its label counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from quantumd.edge.nft.interfaces import Chain, Count, Name
from quantumd.l3.features.base import FAMILY, Filters
from quantumd.l3.names import GATEWAY
from quantumd.model.meter_counts import MeterCount
from quantumd.model.qos import EGRESS
from quantumd.model.router_records import Meter, MeterRule, RouterRecord

_METERED: Final = "metered"
# Behind what drops packets.
_HOOK: Final = "type filter hook forward priority 10;"


def meters_of(router: RouterRecord) -> Filters:
    """Return the filters that count; none of a router without a gateway, or labels."""
    if router.gateway is None or not router.meters:
        return Filters()
    names = {_name(each.label_id): each for each in router.meters}
    chains = {(FAMILY, name): Chain(tuple(_rules(name, each))) for name, each in names.items()}
    chains[FAMILY, _METERED] = Chain(tuple(f"jump {name}" for name in sorted(names)), _HOOK)
    return Filters(chains, counters=frozenset((FAMILY, name) for name in names))


def counted(router: RouterRecord, counters: Mapping[Name, Count]) -> Iterator[MeterCount]:
    """Yield what a router's filters have counted for each label."""
    for meter in router.meters:
        count = counters.get((FAMILY, _name(meter.label_id)))
        if count is not None:
            yield MeterCount(router.id, meter.label_id, count.packets, count.octets)


def _name(label_id: str) -> str:
    return f"{_METERED}_{label_id.replace('-', '')}"


def _rules(name: str, meter: Meter) -> Iterator[str]:
    for rule in sorted(meter.rules, key=lambda rule: not rule.is_excluded):
        yield _match(rule) + (" return" if rule.is_excluded else f" counter name {name} return")
    # A chain has one rule at least, which says what the others were.
    yield "return"


def _match(rule: MeterRule) -> str:
    family = "ip6" if ":" in rule.prefix else "ip"
    if rule.direction == EGRESS:
        return f'oifname "{GATEWAY}*" {family} saddr {rule.prefix}'
    return f'iifname "{GATEWAY}*" {family} daddr {rule.prefix}'
