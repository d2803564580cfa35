"""Writes a line for each packet that a log asks for: what it was, what became of it, and the rule that let it pass."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from attrs import define, field, frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.edge.openflow.interfaces import IPacketChannel, ISwitch, PacketIn
from quantumd.edge.openflow.oxm import ETH_IPV4, ETH_IPV6, IP_ICMP, IP_ICMPV6, IP_SCTP, IP_TCP, IP_UDP
from quantumd.edge.openflow.packet import Packet
from quantumd.errors import EdgeError
from quantumd.l2.drivers.ovs.features.packet_logging import Judged, unpack_judged
from quantumd.l2.drivers.ovs.pipeline import LOG_METER
from quantumd.l2.drivers.ovs.view import HostView
from quantumd.model.logging_records import ACCEPT, PortLogsRecord
from quantumd.model.records import PortRecord
from quantumd.model.verdict import Traffic, first_match

COUNT_SECONDS: Final = 10.0
"""How often it is counted what was too much to be logged."""

_NAMES: Mapping[int, str] = {IP_ICMP: "icmp", IP_TCP: "tcp", IP_UDP: "udp", IP_ICMPV6: "ipv6-icmp", IP_SCTP: "sctp"}
_WITH_PORTS: Mapping[int, str] = {IP_TCP: "tcp", IP_UDP: "udp", IP_SCTP: "sctp"}
_ICMP: Mapping[int, str] = {IP_ICMP: "icmp", IP_ICMPV6: "icmpv6"}
_LATER_FRAGMENT = 3

_log = Logger(namespace="quantumd.packet_log")


@frozen
class Seen:
    """A frame as a line shows it: fields by name, and what rules are asked about (None: it is not of IP)."""

    fields: Mapping[str, str | int]
    traffic: Traffic | None
    is_later_fragment: bool = False


def look_at(frame: bytes) -> Seen:
    """Return what a frame of a VM says; nothing in it is believed to be well formed."""
    packet = Packet(bytearray(frame))
    kind, later = packet.get("eth_type"), packet.get("ip_frag") == _LATER_FRAGMENT
    if kind not in (ETH_IPV4, ETH_IPV6) or not (packet.get("ipv4_src") or packet.get("ipv6_dst")):
        return Seen({"ethertype": f"0x{kind:04x}", "source_mac": frame[6:12].hex(":")}, None)
    version, address = (4, IPv4Address) if kind == ETH_IPV4 else (6, IPv6Address)
    source, target = (str(address(packet.get(f"ipv{version}_{end}"))) for end in ("src", "dst"))
    number = packet.get("ip_proto")
    ends, told = Traffic(number, source, target), {"protocol": _NAMES.get(number, number)}
    fields = {"ethertype": f"IPv{version}", **told, "source": source, "target": target}
    if later:
        return Seen(fields, ends, is_later_fragment=True)
    if number in _WITH_PORTS:
        ports = [packet.get(f"{_WITH_PORTS[number]}_{end}") for end in ("src", "dst")]
        ends = Traffic(number, source, target, ports[1])
        return Seen({**fields, "source_port": ports[0], "target_port": ports[1]}, ends)
    if number in _ICMP:
        said = [packet.get(f"{_ICMP[number]}_{what}") for what in ("type", "code")]
        return Seen({**fields, "type": said[0], "code": said[1]}, Traffic(number, source, target, 0, *said))
    return Seen(fields, ends)


@define(eq=False)
class PacketLog(Service):
    """Takes copies while it runs. ``lost`` counts what logs asked for and was more than the host's meter lets pass."""

    _channel: IPacketChannel
    _switch: ISwitch
    _view: HostView
    _clock: IReactorTime
    lost: int = field(default=0, init=False)
    _counted: int = field(default=0, init=False)
    _counting: LoopingCall | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._channel.on_packet(self._received)

    def startService(self) -> None:
        """Connect, and count from now on."""
        super().startService()
        self._channel.start()
        self._counting = LoopingCall(self._count)
        self._counting.clock = self._clock
        self._counting.start(COUNT_SECONDS, now=False)

    def stopService(self) -> Deferred[None]:
        """Disconnect."""
        super().stopService()
        if self._counting is not None:
            self._counting.stop()
            self._counting = None
        return self._channel.stop()

    def _received(self, packet: PacketIn) -> None:
        judged = unpack_judged(packet.userdata)
        if not self.running or judged is None:
            return
        # What a VM sends must not cost the connection that serves all others.
        with _log.failuresHandled("a packet of port {port} could not be logged", port=judged.port_id):
            self._tell(judged, look_at(packet.frame))

    def _tell(self, judged: Judged, seen: Seen) -> None:
        """Write a line for each log that asks for it. Of a packet in fragments the first is told of, if it passed."""
        logs = self._view.records.get(PortLogsRecord.kind, judged.port_id)
        port = self._view.records.get(PortRecord.kind, judged.port_id)
        if not isinstance(logs, PortLogsRecord) or not isinstance(port, PortRecord):
            return
        if judged.event == ACCEPT and seen.is_later_fragment:
            return
        rule = self._rule_of(port, judged, seen)
        for log in logs.logs:
            if judged.event in log.events:
                _log.info(
                    "packet",
                    action=judged.event,
                    direction=judged.direction,
                    log=log.id,
                    project=log.project_id,
                    port=port.id,
                    rule=rule,
                    **seen.fields,
                )

    def _rule_of(self, port: PortRecord, judged: Judged, seen: Seen) -> str | None:
        """Return the first rule that lets it pass, by the records of now: flows and records agree but for moments."""
        if judged.event != ACCEPT or seen.traffic is None:
            return None
        policies = self._view.policies
        rule = first_match(policies.rules_of(port), judged.direction, seen.traffic, policies.is_in)
        return rule.id if rule is not None else None

    def _count(self) -> Deferred[None]:
        """Ask the switch what the meter dropped; not knowing is no trouble, it is asked again."""
        if not self._switch.is_connected:
            return succeed(None)
        return self._switch.read_drops(LOG_METER).addCallbacks(self._counted_to, _not_known)

    def _counted_to(self, drops: int) -> None:
        # The count of a switch that started again begins anew.
        new = drops - self._counted if drops >= self._counted else drops
        self._counted = drops
        self.lost += new
        if new:
            _log.warn("{n} packets were too many to be logged", n=new, seconds=COUNT_SECONDS)


def _not_known(failure: Failure) -> None:
    failure.trap(EdgeError)
