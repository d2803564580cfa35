"""What the dhcp role of a host must know: pure, from nouns to records."""

from __future__ import annotations

from collections.abc import Iterable

from quantumd.model.nouns import Network, Port, Subnet
from quantumd.model.records import DhcpNetworkRecord, DhcpPortRecord, DhcpSubnet, DhcpSubnet6
from quantumd.model.subnet import gives_addresses


def network_record(network: Network, subnets: Iterable[Subnet], dhcp_port: Port | None) -> DhcpNetworkRecord | None:
    """Compile a network's address service; None when no subnet of it is served."""
    if dhcp_port is None:
        return None
    addresses = {ip.subnet_id: ip.ip_address for ip in dhcp_port.fixed_ips}
    served = [subnet for subnet in sorted(subnets, key=_id_of) if subnet.is_served and subnet.id in addresses]
    if not served:
        return None
    subnets4 = tuple(
        DhcpSubnet(
            id=subnet.id,
            cidr=subnet.cidr,
            gateway_ip=subnet.gateway_ip,
            dns_nameservers=subnet.dns_nameservers,
            host_routes=subnet.host_routes,
            server_address=addresses[subnet.id],
        )
        for subnet in served
        if subnet.ip_version == 4
    )
    return DhcpNetworkRecord(
        network.id,
        network.record_version,
        network.mtu_bytes,
        dhcp_port.mac_address,
        subnets4,
        tuple(_subnet6(subnet, addresses[subnet.id]) for subnet in served if subnet.ip_version == 6),
    )


def _id_of(subnet: Subnet) -> str:
    return subnet.id


def _subnet6(subnet: Subnet, server_address: str) -> DhcpSubnet6:
    is_stateful = gives_addresses(subnet.ipv6_ra_mode, subnet.ipv6_address_mode)
    return DhcpSubnet6(subnet.id, subnet.cidr, is_stateful, subnet.dns_nameservers, server_address)


def port_record(port: Port) -> DhcpPortRecord:
    """Compile a port's addresses for the host it is bound to."""
    return DhcpPortRecord(
        port.id,
        port.record_version,
        port.network_id,
        port.mac_address,
        tuple(ip for ip in port.fixed_ips if ":" not in ip.ip_address),
        tuple(ip for ip in port.fixed_ips if ":" in ip.ip_address),
        port.extra_options,
    )
