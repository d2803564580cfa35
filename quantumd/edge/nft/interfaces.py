"""Filters of this host: the chains, sets and maps of one owner, read back and changed in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, TypeAlias

from attrs import field, frozen
from zope.interface import Interface

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

TABLE: Final = "quantumd"
"""Both tables, one of bridged frames and one of IP packets, have this name; what is in them is ours."""
FAMILIES: Final = ("bridge", "inet")

Name: TypeAlias = tuple[str, str]
"""Family, and the name of a chain, a set, a map or a helper."""
Place: TypeAlias = tuple[str, str, str]
"""Family, set or map, and what of it: an element as nft writes it."""


@frozen
class Chain:
    """Rules in nft's words, the last of them without a comment; ``hook`` of a chain that packets come to by itself."""

    rules: tuple[str, ...]
    hook: str = ""

    @property
    def digest(self) -> str:
        """What it is known again by."""
        return blake2b("\n".join((self.hook, *self.rules)).encode(), digest_size=8).hexdigest()


@frozen
class Kind:
    """What a set holds, in nft's words; a map has what its values are behind a colon."""

    of: str

    @property
    def is_map(self) -> bool:
        """Whether elements have values."""
        return " : " in self.of


@frozen
class Count:
    """What a counter has counted since it was made."""

    packets: int = 0
    octets: int = 0


@frozen
class Helper:
    """What reads of connections to come: its name in the kernel, and the protocol whose connections it understands."""

    kernel_name: str
    protocol: str


@frozen
class Ruleset:
    """What there is: chains by their digests, '' of one that is not as it was written."""

    chains: Mapping[Name, str] = field(factory=dict)
    sets: frozenset[Name] = frozenset()
    elements: Mapping[Place, str] = field(factory=dict)
    helpers: frozenset[Name] = frozenset()
    counters: Mapping[Name, Count] = field(factory=dict)


@frozen
class Change:
    """What comes, changes and goes; elements of what goes need not be named."""

    chains: Mapping[Name, Chain] = field(factory=dict)
    sets: Mapping[Name, Kind] = field(factory=dict)
    elements: Mapping[Place, str] = field(factory=dict)
    gone_chains: frozenset[Name] = frozenset()
    gone_sets: frozenset[Name] = frozenset()
    gone_elements: Mapping[Place, str] = field(factory=dict)
    """With the values that they had."""
    helpers: Mapping[Name, Helper] = field(factory=dict)
    gone_helpers: frozenset[Name] = frozenset()
    counters: frozenset[Name] = frozenset()
    gone_counters: frozenset[Name] = frozenset()
    """Named counters, which rules of several chains may count with: they keep what they have while rules change."""

    @property
    def is_nothing(self) -> bool:
        """Whether nothing changes."""
        return not any((
            self.chains, self.sets, self.elements, self.gone_chains, self.gone_sets, self.gone_elements,
            self.helpers, self.gone_helpers,
            self.counters, self.gone_counters,
        ))  # fmt: skip


class INft(Interface):
    """The filters of the network namespace that this process is in."""

    def start() -> None:
        """Begin to listen to what others change."""

    def stop() -> None:
        """Listen no more; filters stay as they are."""

    def read() -> Deferred[Ruleset]:
        """Return what there is. EdgeError."""

    def apply(change: Change) -> Deferred[None]:
        """Make all of a change in one transaction, or, with an EdgeError, nothing of it."""

    def on_foreign_change(listener: Callable[[], None]) -> None:
        """Call ``listener`` when somebody else has changed filters, be they ours or not."""
