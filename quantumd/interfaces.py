"""The promises that rooms make to each other. Edges keep their interface beside their own code, in ``edge/<thing>``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen
from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from twisted.internet.defer import Deferred

    from quantumd.converge.plan import Key, Plan, Step
    from quantumd.model.dns_zones import Zone
    from quantumd.model.messages import HostReport, Message, PortReport
    from quantumd.model.records import RecordKey
    from quantumd.store.transaction import Transaction

T = TypeVar("T")


class IStore(Interface):
    """Rows and journal. SQL runs on the store's own threads, never on the reactor thread."""

    is_shared = Attribute("bool: other processes may write to the same database; their commits are told too.")

    def read(work: Callable[[Connection], Any]) -> Deferred[Any]:
        """Run ``work`` in one read-only transaction on a reader thread and fire with what it returns.

        Errors of ``work`` arrive as they are. Refused with StoreBusy when too many wait.
        """

    def write(work: Callable[[Transaction], Any]) -> Deferred[Any]:
        """Run ``work`` in its own savepoint on the writer thread; fire with its result once it is durable.

        ``work`` may run again from the start, so it changes nothing but the database. When it raises, its
        savepoint is undone and the error arrives as it is; requests committed together with it are not affected.
        """

    def stream(work: Callable[[Connection], Iterator[bytes]]) -> IByteStream:
        """Return a stream of what ``work`` yields, run in one read-only transaction on a reader thread.

        ``work`` is a generator of non-empty chunks (at most 256 KiB each, please) that reads its rows bit by bit
        (``yield_per`` or key ranges), so that neither thread nor memory ever holds the whole list. Nothing runs before
        ``next`` is called. A stream of one chunk is served like a read. Of longer ones one at a time is under way and
        the others wait in line, for which ``work`` may be closed after its first chunk and run again from the start.
        """

    def on_commit(listener: Callable[[int], None]) -> None:
        """Call ``listener(position)`` on the reactor thread after commits that grew the journal.

        Of commits of other processes it hears a moment later, of several at once.
        """


class IByteStream(Interface):
    """Chunks of bytes made on a database thread, each only when it is asked for: a pull producer is built on it."""

    is_finished = Attribute(
        "bool: nothing more will come. Already true when the last chunk arrives, so one chunk has a known length."
    )

    def next() -> Deferred[bytes | None]:
        """Fire with the next chunk, or with None after the last one. Ask again only after it has fired.

        Errors of ``work`` arrive as they are and end the stream; StoreBusy when too many wait or the line does not
        move; EdgeTimeout when the asker was so slow that the transaction had to be ended.
        """

    def cancel() -> None:
        """End the stream and free its transaction: the client is gone. A ``next`` under way fails with CancelledError.

        Harmless when it is finished or cancelled already.
        """


class IBus(Interface):
    """How processes tell and ask each other. Messages are hints: they may repeat, get lost and overtake.

    An address is a name: ``api`` for the server side, ``<role>.<host>`` for one role of one host.
    """

    is_connected = Attribute("bool: whether messages can be sent at the moment.")

    def publish(address: str, message: Message) -> Deferred[None]:
        """Send a message to whoever consumes the address; nobody there is not an error.

        Fires when it is on its way and will outlive this process; EdgeError when it is not known to be.
        """

    def consume(address: str, receive: Callable[[Message], Any]) -> None:
        """Call ``receive`` with each message published to the address, and with each call made to it.

        For a call, what ``receive`` returns (or its Deferred fires with) is the reply.
        """

    def call(address: str, message: Message, timeout_seconds: float) -> Deferred[Message]:
        """Send a message and fire with the reply.

        EdgeTimeout when it is late, EdgeUnavailable when nobody ever consumed the address or the way there is broken.
        An error of the consumer arrives as it is, or, from another process, as AskedFailed with its sentence.
        """

    def on_lost(listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever messages may have been lost; consumers then compare digests."""


class IPlugs(Interface):
    """How a role of this host puts devices of its own into networks: its L2 driver knows how a port is plugged.

    Whose devices they are is written beside them, so that they are known again after a crash.
    """

    completes_checksums = Attribute("bool: whether what leaves by a device must have its checksums written.")

    def observe() -> Deferred[None]:
        """Fire when it is known what is plugged. EdgeError when that is not known in time."""

    def plugged(owner: str) -> Mapping[str, str]:
        """Return which device of an owner is plugged as which port, by the device; '' is the port of a broken one."""

    def owners() -> frozenset[str]:
        """Return whose devices are plugged, broken ones too."""

    def plug(owner: str, port_id: str, device: str, mac: str) -> Deferred[None]:
        """Let a device, which is there, be that of a port from now on; harmless twice. EdgeError."""

    def unplug(device: str) -> Deferred[None]:
        """Let a device be that of no port; harmless twice, and where there is no such device. EdgeError."""

    def on_change(listener: Callable[[str], None]) -> None:
        """Call ``listener(owner)`` when a device of an owner was plugged, unplugged or broke."""

    def on_known(listener: Callable[[], None]) -> None:
        """Call ``listener`` when it is known anew what is plugged."""


@frozen
class Asker:
    """Who asks a service: a port of this host, by one of its addresses, and what uses the port.

    ``device_id``, ``name`` and ``dns_name`` may be ''.
    """

    port_id: str
    network_id: str
    project_id: str
    device_id: str
    address: str
    mac_address: str
    fixed_ips: tuple[str, ...]
    mtu_bytes: int
    name: str
    dns_name: str
    tags: tuple[str, ...]


class IServiceDoor(Interface):
    """How ports of this host come to its services: by one device, which its L2 driver plugs and leads them to.

    Ports ask at the points of quantumd.model.services. Behind the device, of quantumd.model.service_place, each of
    them is known by another address, which is nobody else's.
    """

    points = Attribute("tuple[ServicePoint, ...]: where ports ask.")
    completes_checksums = Attribute("bool: whether what leaves by the device must have its checksums written.")
    mtu_bytes = Attribute("int: that of the device, the largest of this host's networks or larger.")

    def observe() -> Deferred[None]:
        """Fire when it is known what is plugged. EdgeError when that is not known."""

    def plugged() -> bool | None:
        """Return whether the device is plugged; None of one that is broken."""

    def plug() -> Deferred[None]:
        """Plug the device, which is there; harmless twice. EdgeError."""

    def unplug() -> Deferred[None]:
        """Unplug it; harmless twice. EdgeError."""

    def on_change(listener: Callable[[], None]) -> None:
        """Call ``listener`` when it was plugged or unplugged, broke, or is known anew."""

    def asker_at(address: str) -> Asker | None:
        """Return who is known by an address behind the device; None when that is nobody."""

    def zone_of(network_id: str, domain: str) -> Zone:
        """Return the names that are known of a network; ``domain`` is that of networks without one (no final dot)."""


class IConverger(Interface):
    """One role's way from records to the world: what the converge loop drives.

    Work keys are ("port", id), ("network", id) and what else the role needs. ``records`` is the
    quantumd.converge.records.Records that the role's client keeps.
    """

    role = Attribute("The role's name: l2, l3 or dhcp.")

    def on_change(listener: Callable[[frozenset[Key] | None], None]) -> None:
        """Call ``listener(keys)`` when the world changed there; ``listener(None)`` when all must be observed anew."""

    def observe() -> Deferred[None]:
        """Read everything that exists and is ours, changing nothing. EdgeError when the world cannot be read."""

    def keys_of(changed: frozenset[RecordKey]) -> frozenset[Key]:
        """Return the work keys that changed records touch."""

    def every_key() -> frozenset[Key]:
        """Return every work key that records or the observed world know."""

    def plan(keys: frozenset[Key]) -> Plan:
        """Return what makes the world as the records ask, as far as ``keys`` go. Changes nothing, repeatable."""

    def sweep() -> Plan:
        """Return what removes things of ours that no key asks for; its steps have the key SWEEP.

        Only asked after a complete snapshot and observation.
        """

    def execute(step: Step) -> Deferred[None]:
        """Apply one step; harmless twice. EdgeError when the world said no."""

    def conclude(keys: frozenset[Key], faults: Mapping[Key, str]) -> tuple[PortReport, ...]:
        """Note that the plan for ``keys`` was executed, but for ``faults``; return what is now true of their ports.

        A key in ``faults`` could not be realised, and why. Nothing is returned for what cannot be seen at the moment.
        """

    def describe() -> HostReport:
        """Return what this role of this host is and can do."""
