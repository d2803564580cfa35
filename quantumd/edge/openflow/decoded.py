"""Actions and instructions as values: what traces show, tests compare and the walk of a packet does."""

from __future__ import annotations

from typing import TypeAlias

from attrs import frozen

from quantumd.edge.openflow.oxm import Field


@frozen
class Bits:
    """``count`` bits of a field, from ``first`` on."""

    field: Field
    first: int
    count: int

    @property
    def is_whole(self) -> bool:
        """Whether that is the whole field."""
        return self.first == 0 and self.count == self.field.bits


@frozen
class Output:
    """Out by a port."""

    port: int
    max_len: int = 0


@frozen
class OutputBits:
    """Out by the port whose number stands in a field."""

    source: Bits


@frozen
class ToGroup:
    """A copy to each bucket of a group."""

    number: int


@frozen
class PushVlan:
    """A new outer tag."""

    ethertype: int


@frozen
class PopVlan:
    """The outer tag off."""


@frozen
class SetTtl:
    """A new TTL or hop limit."""

    ttl: int


@frozen
class DecTtl:
    """One less TTL or hop limit."""


@frozen
class SetField:
    """Some or all bits of a field set."""

    target: Bits
    value: int


@frozen
class Move:
    """Bits of one field copied to another."""

    source: Bits
    target: Bits


@frozen
class Resubmit:
    """Looked up in another table, then on with the next action."""

    in_port: int
    table: int


@frozen
class Ct:
    """Tracked in the zone (a number or a field's bits); a copy goes on in ``table`` unless it is None."""

    is_commit: bool
    is_forced: bool
    zone: int | Bits
    table: int | None
    nested: tuple[Action, ...]


@frozen
class Punt:
    """Sent with userdata to the connections of a controller id."""

    userdata: bytes
    controller_id: int
    max_len: int
    meter: int | None


@frozen
class Conjunct:
    """A match of one clause (from 1) of a conjunction."""

    number: int
    clause: int
    clauses: int


@frozen
class CheckLarger:
    """A bit set if the frame is longer than so many bytes."""

    length: int
    target: Bits


@frozen
class Clone:
    """Done with a copy."""

    nested: tuple[Action, ...]


@frozen
class Unknown:
    """An action that quantumd never makes."""

    raw: bytes


Action: TypeAlias = (
    Output | OutputBits | ToGroup | PushVlan | PopVlan | SetTtl | DecTtl | SetField | Move | Resubmit | Ct | Punt
    | Conjunct | CheckLarger | Clone | Unknown
)  # fmt: skip


@frozen
class Instructions:
    """What a flow does: meter, then actions, then the next table."""

    meter: int | None = None
    actions: tuple[Action, ...] = ()
    goto: int | None = None
    unknown: tuple[bytes, ...] = ()
