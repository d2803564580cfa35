"""What can go wrong with networks, subnets and ports. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from quantumd.api.errors import InvalidInput
from quantumd.errors import ApiError


class NetworkNotFound(ApiError):
    """There is no such network in the caller's scope."""

    status = 404

    def __init__(self, network_id: str) -> None:
        super().__init__(f"Network {network_id} could not be found.")
        self.network_id = network_id


class SubnetNotFound(ApiError):
    """There is no such subnet in the caller's scope."""

    status = 404

    def __init__(self, subnet_id: str) -> None:
        super().__init__(f"Subnet {subnet_id} could not be found.")
        self.subnet_id = subnet_id


class PortNotFound(ApiError):
    """There is no such port in the caller's scope."""

    status = 404

    def __init__(self, port_id: str) -> None:
        super().__init__(f"Port {port_id} could not be found.")
        self.port_id = port_id


class NetworkInUse(ApiError):
    """The network has ports that do not go with it."""

    status = 409

    def __init__(self, network_id: str, port_ids: Iterable[str]) -> None:
        super().__init__(
            f"Unable to complete operation on network {network_id}. There are one or more ports still in use on the "
            f"network, id for these ports is: {','.join(port_ids)}."
        )
        self.network_id = network_id


class InvalidSharedSetting(ApiError):
    """Other projects have ports on the network, so it must stay shared."""

    status = 409

    def __init__(self, network_id: str) -> None:
        super().__init__(
            f"Unable to reconfigure sharing settings for network {network_id}. Multiple projects are using it."
        )
        self.network_id = network_id


class NetworkMTUSubnetConflict(ApiError):
    """A subnet of the network cannot work with so small an MTU. ``least_bytes`` is what it takes."""

    status = 409

    def __init__(self, network_id: str, least_bytes: int) -> None:
        super().__init__(f"MTU of {network_id} is not valid, subnet requires a minimum of {least_bytes}")
        self.network_id = network_id


class SegmentsSetInConjunctionWithProviders(InvalidInput):
    """A network is described twice."""

    type_name = "SegmentsSetInConjunctionWithProviders"

    def __init__(self) -> None:
        ApiError.__init__(self, "Segments and provider values cannot both be set.")


class SegmentsContainDuplicateEntry(InvalidInput):
    """A network would hold the same segment twice."""

    type_name = "SegmentsContainDuplicateEntry"

    def __init__(self) -> None:
        ApiError.__init__(self, "Duplicate segment entry in request.")


class SubnetInUse(ApiError):
    """Ports have addresses on the subnet."""

    status = 409

    def __init__(self, subnet_id: str) -> None:
        super().__init__(
            f"Unable to complete operation on subnet {subnet_id}: "
            "One or more ports have an IP allocation from this subnet."
        )
        self.subnet_id = subnet_id


class VlanIdInUse(ApiError):
    """Another network holds the VLAN."""

    status = 409

    def __init__(self, vlan_id: int, physical_network: str) -> None:
        super().__init__(
            f"Unable to create the network. The VLAN {vlan_id} on physical network {physical_network} is in use."
        )


class TunnelIdInUse(ApiError):
    """Another network holds the GRE key or VNI."""

    status = 409

    def __init__(self, tunnel_id: int) -> None:
        super().__init__(f"Unable to create the network. The tunnel ID {tunnel_id} is in use.")


class FlatNetworkInUse(ApiError):
    """Another flat network holds the physical network."""

    status = 409

    def __init__(self, physical_network: str) -> None:
        super().__init__(f"Unable to create the flat network. Physical network {physical_network} is in use.")


class NoNetworkAvailable(ApiError):
    """Every segment that tenants' networks are given is held."""

    status = 503

    def __init__(self) -> None:
        super().__init__("Unable to create the network. No tenant network is available for allocation.")


class GatewayConflictWithAllocationPools(ApiError):
    """The gateway would be given to a port."""

    status = 409

    def __init__(self, ip_address: str, pool: object) -> None:
        super().__init__(f"Gateway ip {ip_address} conflicts with allocation pool {pool}.")


class GatewayIpInUse(ApiError):
    """A router's port has the gateway address."""

    status = 409

    def __init__(self, ip_address: str, port_id: str) -> None:
        super().__init__(f"Current gateway ip {ip_address} already in use by port {port_id}. Unable to update.")


class InvalidAllocationPool(ApiError):
    """A pool is of the wrong IP version or ends before it begins."""

    status = 400

    def __init__(self, pool: Mapping[str, str]) -> None:
        super().__init__(f"The allocation pool {pool['start']}-{pool['end']} is not valid.")


class OutOfBoundsAllocationPool(ApiError):
    """A pool holds addresses that ports of the subnet cannot have."""

    status = 400

    def __init__(self, pool: object, cidr: str) -> None:
        super().__init__(f"The allocation pool {pool} spans beyond the subnet cidr {cidr}.")


class OverlappingAllocationPools(ApiError):
    """Two pools share an address."""

    status = 409

    def __init__(self, pool_1: object, pool_2: object, cidr: str) -> None:
        super().__init__(f"Found overlapping allocation pools: {pool_1} {pool_2} for subnet {cidr}.")


class DNSNameServersExhausted(ApiError):
    """The subnet names more DNS servers than the setting max_dns_nameservers allows."""

    status = 400

    def __init__(self, subnet_id: str, limit: int) -> None:
        super().__init__(
            f"Unable to complete operation for {subnet_id}. The number of DNS nameservers exceeds the limit {limit}."
        )


class HostRoutesExhausted(ApiError):
    """The subnet has more host routes than the setting max_host_routes allows."""

    status = 400

    def __init__(self, subnet_id: str, limit: int) -> None:
        super().__init__(
            f"Unable to complete operation for {subnet_id}. The number of host routes exceeds the limit {limit}."
        )


class MacAddressInUse(ApiError):
    """Another port of the network has the MAC address."""

    status = 409

    def __init__(self, network_id: str, mac_address: str) -> None:
        super().__init__(
            f"Unable to complete operation for network {network_id}. The mac address {mac_address} is in use."
        )


class MacAddressGenerationFailure(ApiError):
    """No generated MAC address was free, though many were tried."""

    status = 503

    def __init__(self, network_id: str) -> None:
        super().__init__(f"Unable to generate unique mac on network {network_id}.")


class IpAddressAlreadyAllocated(ApiError):
    """Another port has the address."""

    status = 409

    def __init__(self, ip_address: str, subnet_id: str) -> None:
        super().__init__(f"IP address {ip_address} already allocated in subnet {subnet_id}")


class IpAddressGenerationFailure(ApiError):
    """Every address of the pools is taken."""

    status = 409

    def __init__(self, network_id: str) -> None:
        super().__init__(f"No more IP addresses available on network {network_id}.")


class InvalidIpForNetwork(ApiError):
    """No subnet of the network has the address."""

    status = 400

    def __init__(self, ip_address: str) -> None:
        super().__init__(f"IP address {ip_address} is not a valid IP for any of the subnets on the specified network.")


class InvalidIpForSubnet(ApiError):
    """The named subnet does not have the address, or its ports cannot have it."""

    status = 400

    def __init__(self, ip_address: str) -> None:
        super().__init__(f"IP address {ip_address} is not a valid IP for the specified subnet.")


class PortBound(ApiError):
    """The MAC address of a port that is bound to a host stays."""

    status = 409

    def __init__(self, port_id: str, vif_type: str, old_mac: str, new_mac: str) -> None:
        super().__init__(
            f"Unable to complete operation on port {port_id}, port is already bound, port type: {vif_type}, "
            f"old_mac {old_mac}, new_mac {new_mac}."
        )


class ServicePortInUse(ApiError):
    """quantumd itself needs the port as it is. ``reason`` is a clause without its full stop."""

    status = 409

    def __init__(self, port_id: str, reason: str) -> None:
        super().__init__(f"Port {port_id} cannot be changed directly via the port API: {reason}.")


class ServicePortNotDeletable(ServicePortInUse):
    """quantumd itself needs the port."""

    type_name = "ServicePortInUse"

    def __init__(self, port_id: str, reason: str) -> None:
        ApiError.__init__(self, f"Port {port_id} cannot be deleted directly via the port API: {reason}.")
