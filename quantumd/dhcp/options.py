"""What a client is told of its network. Sources: RFC 2132, RFC 3442 (classless routes)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import frozen

from quantumd.config import DhcpSettings
from quantumd.dhcp.addresses import NO_ADDRESS, broadcast_of, is_inside, mask_of, pack_ip, split_prefix
from quantumd.dhcp.classless import encode_routes
from quantumd.dhcp.extra4 import NOTHING_EXTRA, Extra
from quantumd.dhcp.message import Code
from quantumd.model.records import DhcpNetworkRecord, DhcpSubnet
from quantumd.model.services import METADATA, dns_servers

Option = tuple[int, bytes]
_NOBODY = "0.0.0.0"
_DEFAULT = "0.0.0.0/0"
_SHORTEST_WITH_BROADCAST = 30
_METADATA = f"{METADATA.ipv4}/32"


@frozen
class Told:
    """What clients are told of services of their host: the way to metadata, and that their server is one of DNS too."""

    metadata: bool = False
    dns: bool = False


NOTHING: Final = Told()


@frozen
class Lease:
    """One address (4 bytes) that a client may have, and where it is from."""

    address: bytes
    subnet: DhcpSubnet
    network: DhcpNetworkRecord

    @property
    def server(self) -> bytes:
        """The address by which the client knows its server."""
        return pack_ip(self.subnet.server_address)


def lease_options(settings: DhcpSettings) -> tuple[Option, ...]:
    """Return how long a lease lasts and when to renew (half of it) and rebind (7/8): RFC 2131 4.4.5."""
    seconds = settings.lease_seconds
    return (
        (Code.LEASE_SECONDS, seconds.to_bytes(4, "big")),
        (Code.RENEW_SECONDS, (seconds // 2).to_bytes(4, "big")),
        (Code.REBIND_SECONDS, (seconds * 7 // 8).to_bytes(4, "big")),
    )


def network_options(
    lease: Lease, settings: DhcpSettings, wanted: bytes, told: Told = NOTHING, extra: Extra = NOTHING_EXTRA
) -> tuple[Option, ...]:
    """Return what describes the network, the most needed first.

    All is told to everyone, asked for or not, for some clients use what they forget to ask for. Only Microsoft's
    number for the classless routes is kept for those who want it. What the port has of its own takes the place of what
    the network says.

    :param wanted: the client's option 55.
    """
    network, length = split_prefix(lease.subnet.cidr)
    gateway = _gateway(lease)
    routes = encode_routes(_routes(lease, gateway, told.metadata))
    options: list[Option] = [(Code.SUBNET_MASK, mask_of(length))]
    if routes:
        options.append((Code.CLASSLESS_ROUTES, routes))
    if gateway:
        options.append((Code.ROUTER, pack_ip(gateway)))
    options.append((Code.MTU, min(lease.network.mtu_bytes, 0xFFFF).to_bytes(2, "big")))
    if servers := _dns_servers(lease, settings, told.dns):
        options.append((Code.DNS, b"".join(map(pack_ip, servers))))
    if settings.domain:
        options.append((Code.DOMAIN_NAME, settings.domain.encode("ascii", "replace")))
    options.append((Code.HOST_NAME, b"host-%d-%d-%d-%d" % tuple(lease.address)))
    if length <= _SHORTEST_WITH_BROADCAST:
        options.append((Code.BROADCAST, broadcast_of(network, length)))
    if routes and Code.MICROSOFT_ROUTES in wanted:
        options.append((Code.MICROSOFT_ROUTES, routes))
    return _with_extra(options, extra) if extra.options else tuple(options)


def _with_extra(options: list[Option], extra: Extra) -> tuple[Option, ...]:
    told = {**dict(options), **extra.options}
    if Code.CLASSLESS_ROUTES in extra.options and Code.MICROSOFT_ROUTES in told:
        # They are the same under another number, unless the user says otherwise.
        told[Code.MICROSOFT_ROUTES] = extra.options.get(Code.MICROSOFT_ROUTES, told[Code.CLASSLESS_ROUTES])
    return tuple((code, value) for code, value in told.items() if value)


def _gateway(lease: Lease) -> str | None:
    """Return the default gateway; a default among the host routes serves when the subnet has none of its own.

    A port that is the gateway itself is told of none.
    """
    gateway = lease.subnet.gateway_ip
    if gateway is None:
        defaults = (route.nexthop for route in lease.subnet.host_routes if route.destination == _DEFAULT)
        gateway = next(defaults, None)
    return None if gateway is None or pack_ip(gateway) == lease.address else gateway


def _routes(lease: Lease, gateway: str | None, metadata: bool) -> Iterator[tuple[str, bytes]]:
    """Yield destinations and next hops, without a hop for what is on the link.

    A client that knows option 121 ignores the router option, so the default route is here too (RFC 3442).
    """
    subnet = lease.subnet
    for other in lease.network.subnets:
        if other.cidr != subnet.cidr:
            yield other.cidr, NO_ADDRESS
    for route in subnet.host_routes:
        hop = pack_ip(route.nexthop)
        if route.destination != _DEFAULT and hop != lease.address:
            yield route.destination, hop
    # Whether anybody stands at the gateway is not known here; the server always does.
    if metadata and all(route.destination != _METADATA for route in subnet.host_routes):
        yield _METADATA, lease.server
    if gateway is not None:
        hop = pack_ip(gateway)
        if not is_inside(hop, *split_prefix(subnet.cidr)):
            yield f"{gateway}/32", NO_ADDRESS
        yield _DEFAULT, hop


def _dns_servers(lease: Lease, settings: DhcpSettings, dns: bool) -> tuple[str, ...]:
    """Return the IPv4 DNS servers; 0.0.0.0 as the only one of a subnet says that its clients get none."""
    own = lease.subnet.server_address
    if not lease.subnet.dns_nameservers and dns and own in _own_servers(lease.network):
        return (own,)
    servers = lease.subnet.dns_nameservers or settings.dns_servers
    return tuple(server for server in servers if ":" not in server and server != _NOBODY)


def _own_servers(network: DhcpNetworkRecord) -> tuple[str, ...]:
    return dns_servers(subnet.server_address for subnet in network.subnets)
