"""The promises that rooms make to each other. Edges keep their interface beside their own code, in ``edge/<thing>``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from twisted.internet.defer import Deferred

    from quantumd.model.records import Message
    from quantumd.store.transaction import Transaction

T = TypeVar("T")


class IStore(Interface):
    """Rows and journal. SQL runs on the store's own threads, never on the reactor thread."""

    def read(work: Callable[[Connection], Any]) -> Deferred[Any]:
        """Run ``work`` in one read-only transaction on a reader thread and fire with what it returns.

        Errors of ``work`` arrive as they are. Refused with StoreBusy when too many wait.
        """

    def write(work: Callable[[Transaction], Any]) -> Deferred[Any]:
        """Run ``work`` in its own savepoint on the writer thread; fire with its result once it is durable.

        ``work`` may run again from the start, so it changes nothing but the database. When it raises, its
        savepoint is undone and the error arrives as it is; requests committed together with it are not affected.
        """

    def on_commit(listener: Callable[[int], None]) -> None:
        """Call ``listener(position)`` on the reactor thread after each commit that grew the journal."""


class IBus(Interface):
    """How processes tell and ask each other. Messages are hints: they may repeat, get lost and overtake.

    An address is a name: ``api`` for the server side, ``<role>.<host>`` for one role of one host.
    """

    def publish(address: str, message: Message) -> None:
        """Send a message to whoever consumes the address; nobody there is not an error."""

    def consume(address: str, receive: Callable[[Message], Any]) -> None:
        """Call ``receive`` with each message published to the address, and with each call made to it.

        For a call, what ``receive`` returns (or its Deferred fires with) is the reply.
        """

    def call(address: str, message: Message, timeout_seconds: float) -> Deferred[Message]:
        """Send a message and fire with the reply; EdgeTimeout after the time limit, EdgeUnavailable without a consumer."""

    def on_lost(listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever messages may have been lost; consumers then compare digests."""


class IConverger(Interface):
    """One role's way from records to the world: what the converge loop drives."""

    role = Attribute("The role's name: l2, l3 or dhcp.")
    record_kinds = Attribute("tuple[str, ...]: the kinds of records this role needs.")

    def observe() -> Deferred[None]:
        """Read everything that exists and is ours, changing nothing. After it ``plan`` may be asked for all keys."""

    def take(records: Any, changed: frozenset[Any]) -> frozenset[Any]:
        """Note that records under the ``changed`` record keys differ; return the work keys that they touch."""

    def every_key() -> frozenset[Any]:
        """Return every work key that records or the observed world know."""

    def plan(keys: frozenset[Any]) -> Any:
        """Return the Plan that makes the world what the records ask for, as far as ``keys`` go. Pure and repeatable."""

    def execute(step: Any) -> Deferred[None]:
        """Apply one step; harmless twice. EdgeError when the world said no."""
