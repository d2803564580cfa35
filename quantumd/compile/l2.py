"""What the l2 role of a host must know: pure, from nouns to records."""

from __future__ import annotations

from collections.abc import Iterable

from quantumd.model.network import Segment
from quantumd.model.nouns import Network, Port, Subnet, TunnelEnd
from quantumd.model.port import TRUSTED_OWNER_PREFIX
from quantumd.model.records import NetworkRecord, PeerRecord, PortRecord, RemotePortRecord


def network_record(
    network: Network, subnets: Iterable[Subnet], dhcp_port: Port | None, segment: Segment
) -> NetworkRecord:
    """Compile a network for the hosts that have ports on it and carry it by a segment."""
    served = {subnet.id for subnet in subnets if subnet.is_served}
    served_ips = tuple(ip.ip_address for ip in dhcp_port.fixed_ips if ip.subnet_id in served) if dhcp_port else ()
    return NetworkRecord(
        id=network.id,
        version=network.record_version,
        network_type=segment.network_type,
        physical_network=segment.physical_network,
        segmentation_id=segment.segmentation_id,
        mtu_bytes=network.mtu_bytes,
        admin_state_up=network.admin_state_up,
        dhcp_mac=dhcp_port.mac_address if dhcp_port and served_ips else None,
        dhcp_addresses=tuple(address for address in served_ips if ":" not in address),
        qos_policy=network.qos_policy,
        vlan_transparent=bool(network.vlan_transparent),
        dhcp_addresses6=tuple(address for address in served_ips if ":" in address),
    )


def port_record(port: Port) -> PortRecord:
    """Compile a port for the host it is bound to."""
    return PortRecord(
        id=port.id,
        version=port.record_version,
        network_id=port.network_id,
        mac_address=port.mac_address,
        fixed_ips=port.fixed_ips,
        admin_state_up=port.admin_state_up,
        device_owner=port.device_owner,
        port_security=port.port_security_enabled and not port.device_owner.startswith(TRUSTED_OWNER_PREFIX),
        security_groups=port.security_groups,
        allowed_address_pairs=port.allowed_address_pairs,
        qos_policy=port.qos_policy,
        parent_id=port.parent_id,
        segmentation_id=port.segmentation_id,
    )


def peer_record(end: TunnelEnd) -> PeerRecord:
    """Compile a host for those that carry a tunnelled network which it carries too."""
    return PeerRecord(end.host, end.version, end.tunnel_ip)


def remote_port_record(port: Port) -> RemotePortRecord:
    """Compile a port for the other hosts that carry its network."""
    return RemotePortRecord(
        id=port.id,
        version=port.record_version,
        network_id=port.network_id,
        host=port.host_id,
        mac_address=port.mac_address,
        fixed_ips=port.fixed_ips,
    )
