"""Which flow of a table a packet matches: tuple space search, with conjunctions as OVS does them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import define, field, frozen

from quantumd.edge.openflow.decode import unpack_instructions
from quantumd.edge.openflow.decoded import Conjunct, Instructions
from quantumd.edge.openflow.interfaces import Flow
from quantumd.edge.openflow.match import unpack_match

_Shape = tuple[tuple[str, int], ...]
_Get = Callable[[str], int]


@frozen
class Entry:
    """A flow with what it does."""

    flow: Flow
    instructions: Instructions

    @property
    def conjuncts(self) -> tuple[Conjunct, ...]:
        """The clauses of conjunctions that the flow stands for; none for an ordinary flow."""
        return tuple(action for action in self.instructions.actions if isinstance(action, Conjunct))


@define
class Table:
    """The flows of one table: by which fields and masks they match, then by the masked values."""

    _shapes: dict[_Shape, dict[tuple[int, ...], list[Entry]]] = field(factory=dict)

    def put(self, flow: Flow) -> None:
        """Add a flow, or replace that of the same priority and match."""
        self.remove(flow)
        shape, values = _place(flow)
        entry = Entry(flow, unpack_instructions(flow.instructions))
        self._shapes.setdefault(shape, {}).setdefault(values, []).append(entry)

    def remove(self, flow: Flow) -> None:
        """Remove the flow of the same priority and match, if there is one."""
        shape, values = _place(flow)
        here = self._shapes.get(shape, {})
        left = [entry for entry in here.get(values, ()) if entry.flow.priority != flow.priority]
        if left:
            here[values] = left
        elif here.pop(values, None) is not None and not here:
            del self._shapes[shape]

    def find(self, get: _Get) -> Entry | None:
        """Return the flow that a packet matches; ``get`` gives the value of a field of the packet."""
        return self._find(get, lambda name: 0 if name == "conj_id" else get(name))

    def _find(self, get: _Get, without_conjunction: _Get) -> Entry | None:
        hard: Entry | None = None
        soft: list[Entry] = []
        for entry in self._matching(without_conjunction):
            if entry.conjuncts:
                soft.append(entry)
            elif hard is None or entry.flow.priority > hard.flow.priority:
                hard = entry
        lowest = -1 if hard is None else hard.flow.priority
        for priority in sorted({entry.flow.priority for entry in soft if entry.flow.priority > lowest}, reverse=True):
            for number in _complete(entry for entry in soft if entry.flow.priority == priority):
                found = self._of_conjunction(number, get)
                if found is not None:
                    return found
        return hard

    def _of_conjunction(self, number: int, get: _Get) -> Entry | None:
        matching = self._matching(lambda name: number if name == "conj_id" else get(name))
        hard = [entry for entry in matching if not entry.conjuncts]
        best = max(hard, key=lambda entry: entry.flow.priority, default=None)
        if best is None or not any(f.field.name == "conj_id" for f in unpack_match(best.flow.match)):
            return None
        return best

    def _matching(self, get: _Get) -> Iterable[Entry]:
        for shape, by_values in self._shapes.items():
            yield from by_values.get(tuple(get(name) & mask for name, mask in shape), ())


def _place(flow: Flow) -> tuple[_Shape, tuple[int, ...]]:
    fields = unpack_match(flow.match)
    return tuple((f.field.name, f.mask) for f in fields), tuple(f.value for f in fields)


def _complete(entries: Iterable[Entry]) -> list[int]:
    """The conjunctions of which every clause is among the entries."""
    seen: dict[int, tuple[int, set[int]]] = {}
    for entry in entries:
        for conjunct in entry.conjuncts:
            seen.setdefault(conjunct.number, (conjunct.clauses, set()))[1].add(conjunct.clause)
    return sorted(number for number, (clauses, have) in seen.items() if len(have) == clauses)
