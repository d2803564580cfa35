"""What is to be told to hosts: records put and gone, by (host, role)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from typing import TypeVar

from attrs import define, field

from quantumd.model.messages import Gone, Update
from quantumd.model.records import Record
from quantumd.model.security_records import AddressSetRecord

AT_ONCE = 2000
"""How many records, or addresses in them, one update puts, and how many records it takes away.

A message has a largest size, and who gets it takes it in one turn of the reactor: some 10 ms.
"""

T = TypeVar("T")


@define
class Outbox:
    """Records put and gone by (host, role)."""

    put: dict[tuple[str, str], dict[tuple[str, str], Record]] = field(factory=lambda: defaultdict(dict))
    gone: dict[tuple[str, str], list[Gone]] = field(factory=lambda: defaultdict(list))
    networks: set[tuple[str, str, str]] = field(factory=set)
    """Host, role and network id of those that are in one of both: many ports share their network."""

    def updates(self, request_id: str) -> list[Update]:
        """Return what each (host, role) has to know, in one update or, where it is very much, in several."""
        found = []
        for host, role in sorted(self.put.keys() | self.gone.keys()):
            puts = _parts(self.put[host, role].values(), _weight)
            gones = _parts(self.gone[host, role], lambda gone: 1)
            for put, gone in zip_longest(puts, gones, fillvalue=()):
                found.append(Update(host, role, put, gone, request_id))
        return found


def _parts(things: Iterable[T], weight: Callable[[T], int]) -> Iterator[tuple[T, ...]]:
    """Yield the things in parts of at most AT_ONCE weight, or of one thing that is heavier."""
    part: list[T] = []
    total = 0
    for each in things:
        if part and total + weight(each) > AT_ONCE:
            yield tuple(part)
            part, total = [], 0
        part.append(each)
        total += weight(each)
    if part:
        yield tuple(part)


def _weight(record: Record) -> int:
    return 1 + len(record.addresses) if isinstance(record, AddressSetRecord) else 1
