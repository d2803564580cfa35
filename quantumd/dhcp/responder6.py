"""Frame in, frame out, over IPv6: a server that knows every client and is the only one.

Source: RFC 8415: 16 (which messages count), 18.3 (what a server does), 18.4 (messages to the server's own address).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from attrs import evolve, frozen

from quantumd.config import DhcpSettings
from quantumd.dhcp.addresses import pack_mac
from quantumd.dhcp.addresses6 import ALL_SERVERS, is_link_local, link_local, pack_ip6, show_ip6
from quantumd.dhcp.associations6 import Terms, offered, renewed, requested, unknown
from quantumd.dhcp.frames import Datagram
from quantumd.dhcp.frames6 import IP_BYTES, UDP_BYTES, build_frame6, parse_frame6
from quantumd.dhcp.message6 import Message6, parse_message6
from quantumd.dhcp.options import NOTHING, Told
from quantumd.dhcp.options6 import leases_of, network_options6, server_duid
from quantumd.dhcp.reasons import Reason
from quantumd.edge.dhcpv6.messages import Code6, MessageType6, Option6, Status6, build_message6, encode_status
from quantumd.model.records import DhcpNetworkRecord, DhcpPortRecord

SERVER_PORT6 = 547
CLIENT_PORT6 = 546
_LEAST_MTU = 1280
_ANSWER_ME_AT_ONCE = (Code6.PREFERENCE, b"\xff")

_TO_ONE_SERVER = frozenset({MessageType6.REQUEST, MessageType6.RENEW, MessageType6.RELEASE, MessageType6.DECLINE})
"""Messages that name the server that they are for."""
_TO_ANY_SERVER = frozenset({MessageType6.SOLICIT, MessageType6.CONFIRM, MessageType6.REBIND})
"""Messages that name none."""


@frozen
class Answer6:
    """What to send back, if anything, and why.

    ``asked`` is the type of the client's message where it has one, ``answered`` that of ours, and ``addresses``, of 16
    bytes each, are what the exchange is about.
    """

    frame: bytes | None
    reason: Reason
    asked: MessageType6 | None = None
    answered: MessageType6 | None = None
    addresses: tuple[bytes, ...] = ()

    @property
    def question(self) -> str:
        """What was asked, as counters and logs name it: apart from messages of IPv4 with the same name."""
        return "unknown" if self.asked is None else f"{self.asked.name.lower()}6"

    @property
    def outcome(self) -> str:
        """What came of it."""
        return str(self.reason) if self.answered is None else self.answered.name.lower()

    @property
    def about(self) -> str:
        """The addresses in text form."""
        return " ".join(map(show_ip6, self.addresses)) or "nothing"

    @property
    def is_decision(self) -> bool:
        """Whether it decides something; an advertisement does not: the request that follows does."""
        return self.reason in (Reason.ANSWERED, Reason.NOTED) and self.answered is not MessageType6.ADVERTISE


@frozen
class _Exchange:
    """One sound message of the port's own device, and all that decides the answer."""

    message: Message6
    source_ip: bytes
    port: DhcpPortRecord
    network: DhcpNetworkRecord
    terms: Terms
    settings: DhcpSettings
    told: Told

    def silence(self, reason: Reason) -> Answer6:
        """Say nothing, and why."""
        return Answer6(None, reason, self.message.type)

    def named(self) -> tuple[bytes, ...]:
        """Return the addresses that the client names."""
        return tuple(address for each in self.message.associations for address in each.addresses)


def answer6(
    frame: bytes, port: DhcpPortRecord, network: DhcpNetworkRecord, settings: DhcpSettings, told: Told = NOTHING
) -> Answer6:
    """Return the answer to a frame that the port's device sent. Never raises, whatever the frame holds.

    Only the port's own MAC is answered, at an address of the link or of the port. Of the port's addresses those on
    stateful subnets of ``network`` are given.
    """
    datagram = parse_frame6(frame)
    if isinstance(datagram, Reason):
        return Answer6(None, datagram)
    if datagram.target_port != SERVER_PORT6:
        return Answer6(None, Reason.NOT_TO_SERVER_PORT)
    message = parse_message6(datagram.payload)
    if isinstance(message, Reason):
        return Answer6(None, message)
    if message.type not in _DECISIONS:
        return Answer6(None, Reason.NOT_A_REQUEST, message.type)
    if datagram.source_mac != pack_mac(port.mac_address):
        return Answer6(None, Reason.FOREIGN_MAC, message.type)
    if not network.subnets6:
        return Answer6(None, Reason.NOT_SERVED, message.type)
    own = {pack_ip6(fixed.ip_address) for fixed in port.fixed_ips6}
    if not is_link_local(datagram.source_ip) and datagram.source_ip not in own:
        return Answer6(None, Reason.FOREIGN_ADDRESS, message.type)
    prefixes = tuple(subnet.cidr for subnet in network.subnets6)
    terms = Terms(leases_of(port, network), settings.lease_seconds, prefixes)
    return _decide(_Exchange(message, datagram.source_ip, port, network, terms, settings, told), datagram.target_ip)


def _decide(exchange: _Exchange, target_ip: bytes) -> Answer6:
    message = exchange.message
    is_multicast = target_ip == ALL_SERVERS
    if not is_multicast and target_ip != link_local(exchange.network.server_mac):
        return exchange.silence(Reason.OTHER_SERVER)
    if fault := _fault(message, server_duid(exchange.network.id)):
        return exchange.silence(fault)
    if is_multicast:
        return _DECISIONS[message.type](exchange)
    if message.type not in _TO_ONE_SERVER:
        return exchange.silence(Reason.NOT_BY_MULTICAST)
    return _reply(exchange, (encode_status(Status6.USE_MULTICAST, "send to ff02::1:2"),))


def _fault(message: Message6, duid: bytes) -> Reason | None:
    """Return why a message does not count (RFC 8415 16), None when it does."""
    is_inquiry = message.type is MessageType6.INFORMATION_REQUEST
    if not message.client_id and not is_inquiry:
        return Reason.NO_CLIENT_ID
    if message.type in _TO_ONE_SERVER or (is_inquiry and message.server_id):
        if message.server_id != duid:
            return Reason.OTHER_SERVER
    elif message.type in _TO_ANY_SERVER and message.server_id:
        return Reason.BAD_OPTION
    return Reason.BAD_OPTION if is_inquiry and message.associations else None


def _solicit(exchange: _Exchange) -> Answer6:
    """Offer, or give at once to who would have it so (RFC 8415 18.3.1, 18.3.9)."""
    given, options = offered(exchange.message.associations, exchange.terms)
    if exchange.message.has_rapid_commit and given:
        return _reply(exchange, (*options, (Code6.RAPID_COMMIT, b"")), given, tells_all=True)
    return _send(exchange, MessageType6.ADVERTISE, (_ANSWER_ME_AT_ONCE, *options), given, tells_all=True)


def _request(exchange: _Exchange) -> Answer6:
    given, options = requested(exchange.message.associations, exchange.terms)
    return _reply(exchange, options, given, tells_all=True)


def _renew(exchange: _Exchange) -> Answer6:
    """The same for a renewal and for who asks any server (RFC 8415 18.3.4, 18.3.5)."""
    given, options = renewed(exchange.message.associations, exchange.terms)
    return _reply(exchange, options, given, tells_all=True)


def _confirm(exchange: _Exchange) -> Answer6:
    """Tell a client that may have moved whether its addresses are still its own (RFC 8415 18.3.3)."""
    named = exchange.named()
    if not named:
        return exchange.silence(Reason.NO_ADDRESS_NAMED)
    if all(address in exchange.terms.leases for address in named):
        return _reply(exchange, (encode_status(Status6.SUCCESS, "all addresses are of this port"),), named)
    return _reply(exchange, (encode_status(Status6.NOT_ON_LINK, "address is not of this port"),), named)


def _give_back(exchange: _Exchange) -> Answer6:
    """Note a RELEASE or DECLINE: addresses belong to the port whatever its device says (RFC 8415 18.3.7, 18.3.8)."""
    strange = unknown(exchange.message.associations, exchange.terms)
    noted = _reply(exchange, (encode_status(Status6.SUCCESS, "noted"), *strange), exchange.named())
    return evolve(noted, reason=Reason.NOTED)


def _inform(exchange: _Exchange) -> Answer6:
    """Tell a client with addresses of its own the rest (RFC 8415 18.3.6)."""
    return _reply(exchange, (), tells_all=True)


_DECISIONS: Mapping[MessageType6, Callable[[_Exchange], Answer6]] = {
    MessageType6.SOLICIT: _solicit,
    MessageType6.REQUEST: _request,
    MessageType6.CONFIRM: _confirm,
    MessageType6.RENEW: _renew,
    MessageType6.REBIND: _renew,
    MessageType6.RELEASE: _give_back,
    MessageType6.DECLINE: _give_back,
    MessageType6.INFORMATION_REQUEST: _inform,
}


def _reply(
    exchange: _Exchange, options: Iterable[Option6], about: tuple[bytes, ...] = (), *, tells_all: bool = False
) -> Answer6:
    return _send(exchange, MessageType6.REPLY, options, about, tells_all=tells_all)


def _send(
    exchange: _Exchange, kind: MessageType6, options: Iterable[Option6], about: tuple[bytes, ...], *, tells_all: bool
) -> Answer6:
    everything = (*_ids(exchange), *options, *(_told(exchange) if tells_all else ()))
    most_bytes = max(exchange.network.mtu_bytes, _LEAST_MTU) - IP_BYTES - UDP_BYTES
    server_mac = exchange.network.server_mac
    frame = build_frame6(
        Datagram(
            source_mac=pack_mac(server_mac),
            target_mac=pack_mac(exchange.port.mac_address),
            source_ip=link_local(server_mac),
            target_ip=exchange.source_ip,
            source_port=SERVER_PORT6,
            target_port=CLIENT_PORT6,
            payload=build_message6(kind, exchange.message.xid, everything, most_bytes),
        )
    )
    return Answer6(frame, Reason.ANSWERED, exchange.message.type, kind, about)


def _ids(exchange: _Exchange) -> Iterator[Option6]:
    if exchange.message.client_id:
        yield Code6.CLIENT_ID, exchange.message.client_id
    yield Code6.SERVER_ID, server_duid(exchange.network.id)


def _told(exchange: _Exchange) -> Iterator[Option6]:
    is_inquiry = exchange.message.type is MessageType6.INFORMATION_REQUEST
    return network_options6(exchange.port, exchange.network, exchange.settings, exchange.told, with_refresh=is_inquiry)
