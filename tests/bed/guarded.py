"""A host in memory whose ports are guarded, and frames between them; the driver is the real one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address

from attrs import define, evolve, field, frozen
from twisted.internet.task import Clock

from quantumd.converge.records import Records
from quantumd.l2.drivers.ovs.driver import CONTROLLER_ID, OvsDriver, edges_of
from quantumd.l2.drivers.ovs.memory import MemoryOpenVswitch
from quantumd.model.messages import Gone, Update
from quantumd.model.records import FixedIp, NetworkRecord, PortRecord, Record, RecordKey
from quantumd.model.security_records import (
    AddressPair,
    AddressSetRecord,
    SecurityGroupRecord,
    SecurityRule,
    piece_id,
    piece_of,
)
from quantumd.model.verdict import Traffic
from tests.contracts.l2_driver import HOST, DriverBed, site_for

_ICMP, _TCP, _UDP, _ICMPV6, _SCTP = 1, 6, 17, 58, 132


@frozen
class Member:
    """A port with the addresses and groups that it has."""

    n: int
    network: str = "n1"
    groups: tuple[str, ...] = ()
    port_security: bool = True
    pairs: tuple[AddressPair, ...] = ()
    addresses: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The port's id."""
        # Ids begin differently, as those of real ports do: their first digits decide in which piece of a set they are.
        return f"{self.n * 2654435761 % (1 << 32):08x}-0000-4000-8000-{self.n:012x}"

    @property
    def mac(self) -> str:
        """The port's MAC."""
        return f"fa:16:3e:{self.n >> 16 & 255:02x}:{self.n >> 8 & 255:02x}:{self.n & 255:02x}"

    @property
    def ips(self) -> tuple[str, ...]:
        """The port's addresses, one of each family unless others are named."""
        return self.addresses or (f"10.{self.n >> 16}.{self.n >> 8 & 255}.{self.n & 255}", f"fd00::{self.n:x}")

    def record(self, version: int) -> PortRecord:
        """Return what its host knows of it."""
        return PortRecord(
            self.id, version, self.network, self.mac, tuple(FixedIp("s", ip) for ip in self.ips), True, "compute:nova",
            self.port_security, self.groups, self.pairs,
        )  # fmt: skip


def rule(direction: str = "ingress", ethertype: str = "IPv4", name: str = "", **said: object) -> SecurityRule:
    """Return a rule."""
    return SecurityRule(name or f"{direction}{ethertype}{said}", direction, ethertype, **said)  # type: ignore[arg-type] # tests name them right


EVERYTHING_OUT = (rule("egress"), rule("egress", "IPv6"))


@define(eq=False)
class GuardedBed:
    """``members`` are plugged here, others are only in sets."""

    world: MemoryOpenVswitch = field(init=False)
    bed: DriverBed = field(init=False)
    version: int = 10
    known: dict[RecordKey, Record] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        """Start with two networks, which have the same addresses."""
        clock, records = Clock(), Records()
        self.world = MemoryOpenVswitch(clock, "br-int", CONTROLLER_ID)
        edges = edges_of(self.world)
        parts = OvsDriver().install_on(site_for(records, clock), edges)
        self.bed = DriverBed(parts, clock, records, self.world.plug, self.world.unplug)
        self.bed.start()
        self.tell(*(NetworkRecord(name, 1, "local", None, None, 1500, True, None, ()) for name in ("n1", "n2")))

    def stop(self) -> None:
        """Stop it."""
        self.bed.stop()

    def tell(self, *records: Record, settle: bool = True) -> None:
        """Tell the host of records, as newer than all before."""
        self.version += 1
        newer = tuple(evolve(record, version=self.version) for record in records)
        self.known.update(((record.kind, record.id), record) for record in newer)
        self.bed.loop.records_changed(self.bed.records.apply(Update(HOST, "l2", newer)), False)
        if settle:
            self.bed.settle()

    def plug(self, *members: Member) -> None:
        """Tell of ports and plug them."""
        self.tell(*(member.record(1) for member in members), settle=False)
        for member in members:
            self.world.plug(member.id)
        self.bed.settle()

    def delete(self, member: Member) -> None:
        """Delete a port."""
        self.version += 1
        gone = Gone(PortRecord.kind, member.id, self.version, is_deleted=True)
        self.bed.update(Update(HOST, "l2", gone=(gone,)))

    def leave(self, member: Member) -> None:
        """Tell that a port is needed elsewhere, as after a migration."""
        self.version += 1
        self.bed.update(Update(HOST, "l2", gone=(Gone(PortRecord.kind, member.id, self.version),)))

    def group(self, name: str, *rules: SecurityRule, is_stateful: bool = True) -> None:
        """Tell of a group."""
        self.tell(SecurityGroupRecord(name, 1, is_stateful, rules))

    def members_of(self, name: str, members: Iterable[Member]) -> None:
        """Tell of all pieces of a set."""
        pieces: dict[str, set[str]] = {}
        for member in members:
            pieces.setdefault(piece_of(member.id), set()).update(_prefixes(member))
        self.tell(*(AddressSetRecord(piece_id(name, piece), 1, tuple(sorted(held))) for piece, held in pieces.items()))

    def reached(self, sender: Member, frame: bytes) -> set[int]:
        """Let a port send a frame; return the OpenFlow numbers of those that get it."""
        walk = self.world.send(sender.id, frame)
        return {out.ofport for out in walk.outputs} if walk is not None else set()

    def reaches(self, sender: Member, receiver: Member, traffic: Traffic) -> bool:
        """Whether a packet reaches its receiver."""
        return self.world.ofport_of(receiver.id) in self.reached(sender, frame_of(sender, receiver, traffic))

    def flows(self) -> Mapping[bytes, bytes]:
        """Return what the switch holds."""
        return {key: flow.instructions for key, flow in self.world.switch.flows.items()}


def _prefixes(member: Member) -> Iterable[str]:
    yield from (f"{ip}/{128 if ':' in ip else 32}" for ip in member.ips)
    yield from (pair.cidr for pair in member.pairs)


def traffic_between(sender: Member, receiver: Member, protocol: int, port: int = 0, version: int = 4) -> Traffic:
    """Return traffic from the first address of a family to the other's; ``port`` is that of ICMP's type too."""
    source, target = (_address(each, version) for each in (sender, receiver))
    if protocol in (_ICMP, _ICMPV6):
        return Traffic(protocol, source, target, icmp_type=port)
    return Traffic(protocol, source, target, target_port=port)


def _address(member: Member, version: int) -> str:
    return next(ip for ip in member.ips if (":" in ip) == (version == 6))


def frame_of(sender: Member, receiver: Member, traffic: Traffic, source_port: int = 4000) -> bytes:
    """Return a frame of that traffic. Its checksums are wrong: nothing here looks at them."""
    body = _transport(traffic, source_port)
    source, target = (ip_address(each).packed for each in (traffic.source, traffic.target))
    if len(source) == 4:
        kind = b"\x08\x00"
        head = b"\x45\x00" + (20 + len(body)).to_bytes(2, "big") + bytes(4) + bytes((64, traffic.protocol, 0, 0))
    else:
        kind = b"\x86\xdd"
        head = b"\x60\x00\x00\x00" + len(body).to_bytes(2, "big") + bytes((traffic.protocol, 64))
    ends = bytes.fromhex(receiver.mac.replace(":", "") + sender.mac.replace(":", ""))
    return (ends + kind + head + source + target + body).ljust(60, b"\0")


def _transport(traffic: Traffic, source_port: int) -> bytes:
    if traffic.protocol in (_ICMP, _ICMPV6):
        return bytes((traffic.icmp_type, traffic.icmp_code)) + bytes(30)
    ports = source_port.to_bytes(2, "big") + traffic.target_port.to_bytes(2, "big")
    if traffic.protocol == _TCP:
        return ports + bytes(8) + b"\x50\x02" + bytes(6)
    if traffic.protocol == _UDP:
        return ports + b"\x00\x20" + bytes(26)
    return ports + bytes(28)
