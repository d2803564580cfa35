"""What a DHCPv6 client is given and told. Sources: RFC 8415, RFC 3646 (DNS)."""

from __future__ import annotations

from collections.abc import Iterator

from quantumd.config import DhcpSettings
from quantumd.dhcp.addresses6 import pack_ip6
from quantumd.dhcp.domain_names import encode_names
from quantumd.dhcp.extra6 import extra_options6
from quantumd.dhcp.options import NOTHING, Told
from quantumd.edge.dhcpv6.messages import DUID_UUID, Code6, Option6
from quantumd.model.records import DhcpNetworkRecord, DhcpPortRecord
from quantumd.model.services import dns_servers

_NOBODY = "::"
_LEAST_REFRESH_SECONDS = 600
"""RFC 8415 7.6, IRT_MINIMUM."""


def server_duid(network_id: str) -> bytes:
    """Return the id of a network's server: the same on every host, and as long as the network lives."""
    return DUID_UUID + bytes.fromhex(network_id.replace("-", ""))


def leases_of(port: DhcpPortRecord, network: DhcpNetworkRecord) -> tuple[bytes, ...]:
    """Return the addresses that DHCP gives the port: those on stateful subnets, in the port's order."""
    stateful = {subnet.id for subnet in network.subnets6 if subnet.is_stateful}
    return tuple(pack_ip6(fixed.ip_address) for fixed in port.fixed_ips6 if fixed.subnet_id in stateful)


def network_options6(
    port: DhcpPortRecord,
    network: DhcpNetworkRecord,
    settings: DhcpSettings,
    told: Told = NOTHING,
    *,
    with_refresh: bool,
) -> Iterator[Option6]:
    """Yield what describes the network, the most needed first; what the port has of its own takes the place of it.

    All is told to everyone, asked for or not, as over IPv4. ``with_refresh``: also when to ask again, which is only for
    who has no lease (RFC 8415 21.23).
    """
    extra = dict(extra_options6(port.extra_options))
    said: dict[int, bytes] = {}
    if servers := _dns_servers(port, network, settings, told.dns):
        said[Code6.DNS] = b"".join(map(pack_ip6, servers))
    if domain := _domain(settings):
        said[Code6.DOMAIN_SEARCH] = domain
    said[Code6.REFRESH_SECONDS] = max(settings.lease_seconds, _LEAST_REFRESH_SECONDS).to_bytes(4, "big")
    said |= extra
    if not with_refresh:
        del said[Code6.REFRESH_SECONDS]
    yield from said.items()


def _dns_servers(
    port: DhcpPortRecord, network: DhcpNetworkRecord, settings: DhcpSettings, dns: bool
) -> tuple[str, ...]:
    """Return the DNS servers of the port's subnets; :: as the only one of a subnet says that its clients get none."""
    own = {fixed.subnet_id for fixed in port.fixed_ips6}
    named = [server for subnet in network.subnets6 if subnet.id in own for server in subnet.dns_nameservers]
    if not named and dns:
        ours = dns_servers(subnet.server_address for subnet in network.subnets6 if subnet.server_address)
        named = [each.server_address for each in network.subnets6 if each.id in own and each.server_address in ours]
    servers = dict.fromkeys(named or settings.dns_servers)
    return tuple(server for server in servers if ":" in server and server != _NOBODY)


def _domain(settings: DhcpSettings) -> bytes:
    try:
        return encode_names((settings.domain,)) if settings.domain else b""
    except ValueError:
        # A domain that IPv4 tells as it is written, and that is none.
        return b""
