"""What is to be told to hosts: records put and gone, by (host, role)."""

from __future__ import annotations

from collections import defaultdict

from attrs import define, field

from quantumd.model.messages import Gone, Update
from quantumd.model.records import Record

AT_ONCE = 5000
"""How many records one update puts, and how many it takes away: a message has a largest size."""


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
            put, gone = tuple(self.put[host, role].values()), tuple(self.gone[host, role])
            for at in range(0, max(len(put), len(gone)), AT_ONCE):
                end = at + AT_ONCE
                found.append(Update(host, role, put[at:end], gone[at:end], request_id))
        return found
