"""Messages between the server and the roles of hosts, in which records travel."""

from __future__ import annotations

from typing import ClassVar, TypeAlias

from attrs import frozen

from quantumd.model.bandwidth import Bandwidth
from quantumd.model.counters import CountersReply, CountersRequest
from quantumd.model.delegation import DelegatedPrefix
from quantumd.model.meter_counts import MetersReply, MetersRequest
from quantumd.model.records import Record
from quantumd.model.role_state import RoleState


@frozen
class Gone:
    """A record that a host no longer needs since journal position ``version``; deleted, or needed elsewhere.

    Of a deleted port of another host, which the host never knew: the ``addresses`` that it had on a network. Hosts of
    before do not read them.
    """

    kind: str
    id: str
    version: int
    is_deleted: bool = False
    network_id: str = ""
    addresses: tuple[str, ...] = ()


@frozen
class Update:
    """Records put and gone for one (host, role); a hint that may repeat, get lost or arrive late.

    ``request_id`` is that of the last request which led to it, for the host's log.
    """

    message_kind: ClassVar[str] = "update"
    host: str
    role: str
    put: tuple[Record, ...] = ()
    gone: tuple[Gone, ...] = ()
    request_id: str = ""


BUCKETS = 256
"""Into how many buckets a snapshot's keys are hashed for comparison."""


@frozen
class CompareRequest:
    """A host's question: in which buckets does my snapshot differ from what I must know?

    ``digests`` maps a bucket number to the digest of what the host has in it; a bucket not named is empty there.
    """

    message_kind: ClassVar[str] = "compare"
    host: str
    role: str
    digests: tuple[tuple[int, str], ...]


@frozen
class CompareReply:
    """The buckets that differ, in ascending order; none means that both sides know the same."""

    message_kind: ClassVar[str] = "compare_reply"
    buckets: tuple[int, ...]


@frozen
class FetchRequest:
    """A host's request for what it must know in the named buckets, but for what it says it knows.

    ``known`` are the digests of the records that it has there; none asks for everything.
    """

    message_kind: ClassVar[str] = "fetch"
    host: str
    role: str
    buckets: tuple[int, ...]
    known: tuple[str, ...] = ()


@frozen
class FetchReply:
    """What belongs in the buckets of the request and was not known there, as of journal position ``position``.

    ``gone`` are the digests that were known and belong there no more.
    """

    message_kind: ClassVar[str] = "fetch_reply"
    position: int
    records: tuple[Record, ...]
    gone: tuple[str, ...] = ()


@frozen
class PortReport:
    """What a host observed of one port in one role.

    ``version`` is that of the record which is realised (0: none); ``plugged`` is whether its device is there
    (always True from roles that do not see devices); ``fault`` says why it is not realised. Of a router, prefixes that
    were delegated to it are told too; of which nothing is said nothing is known.
    """

    port_id: str
    version: int
    plugged: bool
    fault: str | None = None
    delegated: tuple[DelegatedPrefix, ...] = ()

    @property
    def is_unknown(self) -> bool:
        """Whether a device says it is this port and nothing of it is realised: its host may not know the port yet."""
        return self.plugged and self.version == 0 and self.fault is None


@frozen
class Report:
    """Observed state of one (host, role).

    A complete report names every port that the role sees or has realised, in ``ports`` or, if it was reported just
    before, in ``named``: what it does not name is unplugged.
    """

    message_kind: ClassVar[str] = "report"
    host: str
    role: str
    ports: tuple[PortReport, ...]
    is_complete: bool = False
    named: tuple[str, ...] = ()


@frozen
class HostReport:
    """What a host's role is, can do, and how far it is; sent when it starts, when that changes, and now and then.

    ``vif_type`` and ``vif_details`` (JSON text of an object) are what a port bound to this host answers with.
    ``physical_networks`` are those that the role carries frames to; None from a role that does not say. ``state`` is
    None from hosts of before; the others are answered with a HostReply. ``availability_zone`` is the host's, '' from
    one that does not say. ``tunnel_ip`` is where tunnels of ``tunnel_types`` to this host end, '' when there are none.
    ``record_kinds`` are the kinds of records that the role understands; none from hosts of before. ``bandwidths`` are
    what the host can guarantee to ports on each physical network; nothing where it does not say.
    """

    message_kind: ClassVar[str] = "host"
    host: str
    role: str
    quantumd_version: str
    vif_type: str | None = None
    vif_details: str = "{}"
    physical_networks: tuple[str, ...] | None = None
    state: RoleState | None = None
    availability_zone: str = ""
    tunnel_ip: str = ""
    tunnel_types: tuple[str, ...] = ()
    record_kinds: tuple[str, ...] = ()
    bandwidths: tuple[Bandwidth, ...] = ()


@frozen
class HostReply:
    """The server has durably taken a HostReport, and wants the next one within ``report_seconds``."""

    message_kind: ClassVar[str] = "host_reply"
    report_seconds: float


@frozen
class Ack:
    """The receiver has durably taken what it was sent.

    ``records``: of ports that a report named and its host had no record of, what the host must know of them.
    """

    message_kind: ClassVar[str] = "ack"
    records: tuple[Record, ...] = ()


Message: TypeAlias = (
    Update
    | CompareRequest
    | CompareReply
    | FetchRequest
    | FetchReply
    | Report
    | HostReport
    | HostReply
    | CountersRequest
    | CountersReply
    | MetersRequest
    | MetersReply
    | Ack
)
MESSAGE_TYPES: tuple[type[Message], ...] = (
    Update,
    CompareRequest,
    CompareReply,
    FetchRequest,
    FetchReply,
    Report,
    HostReport,
    HostReply,
    CountersRequest,
    CountersReply,
    MetersRequest,
    MetersReply,
    Ack,
)
