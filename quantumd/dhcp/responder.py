"""Frame in, frame out: a server that knows every client and is the only one (authoritative).

Source: RFC 2131 4.3 and 4.1 (where a reply goes), RFC 6842 (the client's id is given back).
"""

from __future__ import annotations

from attrs import frozen

from quantumd.config import DhcpSettings
from quantumd.dhcp.addresses import EVERY_MAC, EVERYONE, NO_ADDRESS, pack_ip, pack_mac, show_ip
from quantumd.dhcp.extra4 import NOTHING_EXTRA, Extra, extra_options4
from quantumd.dhcp.frames import Datagram, build_frame, parse_frame
from quantumd.dhcp.message import (
    BROADCAST_FLAG,
    REQUEST_OP,
    Code,
    Message,
    MessageType,
    Reply,
    build_reply,
    parse_message,
)
from quantumd.dhcp.options import NOTHING, Lease, Option, Told, lease_options, network_options
from quantumd.dhcp.reasons import Reason
from quantumd.model.records import DhcpNetworkRecord, DhcpPortRecord

SERVER_PORT = 67
CLIENT_PORT = 68
_LEAST_MAX_BYTES = 576
_UDP_AND_IP_BYTES = 28
_LONGEST_ECHO = 255


@frozen
class Answer:
    """What to send back, if anything, and why.

    ``asked`` is the type of the client's message where it has one, ``answered`` that of ours, and ``address`` the
    4 bytes that the exchange is about.
    """

    frame: bytes | None
    reason: Reason
    asked: MessageType | None = None
    answered: MessageType | None = None
    address: bytes = NO_ADDRESS

    @property
    def question(self) -> str:
        """What was asked, as counters and logs name it."""
        return "unknown" if self.asked is None else self.asked.name.lower()

    @property
    def outcome(self) -> str:
        """What came of it."""
        return str(self.reason) if self.answered is None else self.answered.name.lower()

    @property
    def about(self) -> str:
        """The address in text form."""
        return show_ip(self.address) if len(self.address) == 4 else "nothing"

    @property
    def is_decision(self) -> bool:
        """Whether it decides something; an offer does not: the request that follows does."""
        return self.reason in (Reason.ANSWERED, Reason.NOTED) and self.asked is not MessageType.DISCOVER


@frozen
class _Exchange:
    """One sound request of the port's own device, and all that decides the answer."""

    message: Message
    target_ip: bytes
    own: tuple[bytes, ...]
    leases: tuple[Lease, ...]
    network: DhcpNetworkRecord
    mac: bytes
    settings: DhcpSettings
    told: Told
    extra: Extra = NOTHING_EXTRA

    def option(self, code: Code) -> bytes:
        """Return an option of the request, empty when it is not there."""
        return self.message.options.get(code, b"")

    def lease_of(self, address: bytes) -> Lease | None:
        """Return the lease of an address, None when the port has no such address or it is not served."""
        return next((lease for lease in self.leases if lease.address == address), None)

    def silence(self, reason: Reason, address: bytes = NO_ADDRESS) -> Answer:
        """Say nothing, and why."""
        return Answer(None, reason, self.message.type, None, address)


def answer(
    frame: bytes,
    port: DhcpPortRecord,
    network: DhcpNetworkRecord,
    settings: DhcpSettings,
    told: Told = NOTHING,
) -> Answer:
    """Return the answer to a frame that the port's device sent. Never raises, whatever the frame holds.

    Only the port's own MAC is answered. Of the port's addresses those on subnets of ``network`` are served.
    """
    datagram = parse_frame(frame)
    if isinstance(datagram, Reason):
        return Answer(None, datagram)
    if datagram.target_port != SERVER_PORT:
        return Answer(None, Reason.NOT_TO_SERVER_PORT)
    message = parse_message(datagram.payload)
    if isinstance(message, Reason):
        return Answer(None, message)
    if message.op != REQUEST_OP:
        return Answer(None, Reason.NOT_A_REQUEST, message.type)
    mac = pack_mac(port.mac_address)
    if datagram.source_mac != mac or message.chaddr != mac:
        return Answer(None, Reason.FOREIGN_MAC, message.type)
    if not network.subnets:
        return Answer(None, Reason.NOT_SERVED, message.type)
    own = tuple(pack_ip(fixed.ip_address) for fixed in port.fixed_ips)
    extra = extra_options4(port.extra_options) if port.extra_options else NOTHING_EXTRA
    leases = _leases(port, network)
    return _decide(_Exchange(message, datagram.target_ip, own, leases, network, mac, settings, told, extra))


def _leases(port: DhcpPortRecord, network: DhcpNetworkRecord) -> tuple[Lease, ...]:
    subnets = {subnet.id: subnet for subnet in network.subnets}
    return tuple(
        Lease(pack_ip(fixed.ip_address), subnets[fixed.subnet_id], network)
        for fixed in port.fixed_ips
        if fixed.subnet_id in subnets
    )


def _decide(exchange: _Exchange) -> Answer:
    message = exchange.message
    # A device may relay for itself (perfdhcp does); for others it may not.
    if message.giaddr != NO_ADDRESS and message.giaddr not in exchange.own:
        return exchange.silence(Reason.RELAYED)
    if exchange.target_ip != EVERYONE and not _is_server(exchange, exchange.target_ip):
        return exchange.silence(Reason.OTHER_SERVER)
    match message.type:
        case MessageType.DISCOVER:
            return _discover(exchange)
        case MessageType.REQUEST:
            return _request(exchange)
        case MessageType.INFORM:
            return _inform(exchange)
        case MessageType.DECLINE:
            return exchange.silence(Reason.NOTED, exchange.option(Code.REQUESTED_ADDRESS))
        case MessageType.RELEASE:
            return exchange.silence(Reason.NOTED, message.ciaddr)
        case _:
            return exchange.silence(Reason.NOT_A_REQUEST)


def _is_server(exchange: _Exchange, address: bytes) -> bool:
    return any(pack_ip(subnet.server_address) == address for subnet in exchange.network.subnets)


def _discover(exchange: _Exchange) -> Answer:
    """Offer the address that is asked for when it is the port's, else its first one."""
    if not exchange.leases:
        return exchange.silence(Reason.NOT_SERVED)
    lease = exchange.lease_of(exchange.option(Code.REQUESTED_ADDRESS)) or exchange.leases[0]
    return _give(exchange, lease, MessageType.OFFER)


def _request(exchange: _Exchange) -> Answer:
    """RFC 2131 4.3.2: selecting names a server, init-reboot an address; renewing and rebinding have one."""
    server = exchange.option(Code.SERVER_ID)
    if server and not _is_server(exchange, server):
        return exchange.silence(Reason.OTHER_SERVER)
    ciaddr = exchange.message.ciaddr
    address = ciaddr if ciaddr != NO_ADDRESS else exchange.option(Code.REQUESTED_ADDRESS)
    if address in (b"", NO_ADDRESS):
        return exchange.silence(Reason.NO_ADDRESS_NAMED)
    if lease := exchange.lease_of(address):
        return _give(exchange, lease, MessageType.ACK)
    if address in exchange.own:
        # Its own, on a subnet without DHCP: neither ours to give nor to refuse.
        return exchange.silence(Reason.NOT_SERVED, address)
    return _refuse(exchange, address)


def _inform(exchange: _Exchange) -> Answer:
    """Tell a client with an address of its own the rest, without a lease (RFC 2131 4.3.5)."""
    address = exchange.message.ciaddr
    if lease := exchange.lease_of(address):
        return _give(exchange, lease, MessageType.ACK, is_lease=False)
    return exchange.silence(Reason.NOT_SERVED if address in exchange.own else Reason.FOREIGN_ADDRESS, address)


def _give(exchange: _Exchange, lease: Lease, kind: MessageType, is_lease: bool = True) -> Answer:
    message, settings, extra = exchange.message, exchange.settings, exchange.extra
    times = lease_options(settings) if is_lease else ()
    wanted = exchange.option(Code.WANTED_OPTIONS)
    reply = Reply(
        xid=message.xid,
        flags=message.flags,
        # An offer is made to a client without an address, whatever it says (RFC 2131, table 3).
        ciaddr=NO_ADDRESS if kind is MessageType.OFFER else message.ciaddr,
        yiaddr=lease.address if is_lease else NO_ADDRESS,
        giaddr=message.giaddr,
        chaddr=message.chaddr,
        options=(
            *_head(exchange, kind, lease.server),
            *times,
            *network_options(lease, settings, wanted, exchange.told, extra),
        ),
        siaddr=extra.next_server,
        sname=extra.server_name,
        file=extra.file_name,
    )
    frame = _send(exchange, reply, lease.server, _target(reply))
    return Answer(frame, Reason.ANSWERED, message.type, kind, lease.address)


def _refuse(exchange: _Exchange, address: bytes) -> Answer:
    """Tell a client that an address is not its own; it starts anew."""
    message = exchange.message
    server = _addressed_server(exchange)
    reply = Reply(
        xid=message.xid,
        flags=message.flags,
        ciaddr=NO_ADDRESS,
        yiaddr=NO_ADDRESS,
        giaddr=message.giaddr,
        chaddr=message.chaddr,
        options=(*_head(exchange, MessageType.NAK, server), (Code.REASON_TEXT, b"address is not of this port")),
    )
    # The client's address is wrong, so it may not hear what is sent to it (RFC 2131 4.1).
    target = EVERYONE if message.giaddr == NO_ADDRESS else message.giaddr
    frame = _send(exchange, reply, server, target)
    return Answer(frame, Reason.ANSWERED, message.type, MessageType.NAK, address)


def _addressed_server(exchange: _Exchange) -> bytes:
    """Return the server address that the client spoke to, or the first when it spoke to everyone."""
    if server := exchange.option(Code.SERVER_ID):
        return server
    if exchange.target_ip != EVERYONE:
        return exchange.target_ip
    return exchange.leases[0].server if exchange.leases else pack_ip(exchange.network.subnets[0].server_address)


def _head(exchange: _Exchange, kind: MessageType, server: bytes) -> tuple[Option, ...]:
    head: tuple[Option, ...] = ((Code.MESSAGE_TYPE, bytes((kind,))), (Code.SERVER_ID, server))
    client_id = exchange.option(Code.CLIENT_ID)
    if 0 < len(client_id) <= _LONGEST_ECHO:
        return (*head, (Code.CLIENT_ID, client_id))
    return head


def _target(reply: Reply) -> bytes:
    """Return the IP address to which an offer or acknowledgement goes (RFC 2131 4.1)."""
    if reply.giaddr != NO_ADDRESS:
        return reply.giaddr
    if reply.ciaddr != NO_ADDRESS:
        return reply.ciaddr
    return EVERYONE if reply.flags & BROADCAST_FLAG else reply.yiaddr


def _send(exchange: _Exchange, reply: Reply, server: bytes, target: bytes) -> bytes:
    return build_frame(
        Datagram(
            source_mac=pack_mac(exchange.network.server_mac),
            target_mac=EVERY_MAC if target == EVERYONE else exchange.mac,
            source_ip=server,
            target_ip=target,
            source_port=SERVER_PORT,
            target_port=CLIENT_PORT if reply.giaddr == NO_ADDRESS else SERVER_PORT,
            payload=build_reply(reply, _most_bytes(exchange)),
        )
    )


def _most_bytes(exchange: _Exchange) -> int:
    """Return how long a reply may be: what the client takes (option 57) and the network carries, 576 at least."""
    most = int.from_bytes(exchange.option(Code.MAX_MESSAGE_BYTES), "big")
    return max(min(most, exchange.network.mtu_bytes), _LEAST_MAX_BYTES) - _UDP_AND_IP_BYTES
