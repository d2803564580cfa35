"""What the dhcp role of a host must know: pure, from nouns to records."""

from __future__ import annotations

from collections.abc import Iterable

from quantumd.model.nouns import Network, Port, Subnet
from quantumd.model.records import DhcpNetworkRecord, DhcpPortRecord, DhcpSubnet


def network_record(network: Network, subnets: Iterable[Subnet], dhcp_port: Port | None) -> DhcpNetworkRecord | None:
    """Compile a network's address service; None when no subnet of it is served."""
    if dhcp_port is None:
        return None
    addresses = {ip.subnet_id: ip.ip_address for ip in dhcp_port.fixed_ips}
    served = tuple(
        DhcpSubnet(
            id=subnet.id,
            cidr=subnet.cidr,
            gateway_ip=subnet.gateway_ip,
            dns_nameservers=subnet.dns_nameservers,
            host_routes=subnet.host_routes,
            server_address=addresses[subnet.id],
        )
        for subnet in sorted(subnets, key=lambda subnet: subnet.id)
        if subnet.ip_version == 4 and subnet.enable_dhcp and subnet.id in addresses
    )
    if not served:
        return None
    return DhcpNetworkRecord(network.id, network.record_version, network.mtu_bytes, dhcp_port.mac_address, served)


def port_record(port: Port) -> DhcpPortRecord:
    """Compile a port's addresses for the host it is bound to."""
    fixed_ips = tuple(ip for ip in port.fixed_ips if ":" not in ip.ip_address)
    return DhcpPortRecord(port.id, port.record_version, port.network_id, port.mac_address, fixed_ips)
