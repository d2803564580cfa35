"""What can go wrong with ports alone. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class IPAddressChangeNotAllowed(ApiError):
    """A router uses the port, and would not hear of another address."""

    status = 400

    def __init__(self, port_id: str) -> None:
        super().__init__(f"IP updates for port {port_id} are not allowed")


class AllocationOnAutoAddressSubnet(ApiError):
    """The subnet's ports compute their addresses, so nobody names one."""

    status = 400

    def __init__(self, ip_address: str, subnet_id: str) -> None:
        super().__init__(
            f"IPv6 address {ip_address} cannot be directly assigned to a port on subnet {subnet_id} as the subnet is "
            "configured for automatic addresses"
        )


class IpAddressGenerationFailureNoMatchingSubnet(ApiError):
    """Every subnet of the network is for ports of other owners."""

    status = 409

    def __init__(self, network_id: str, device_owner: str) -> None:
        super().__init__(
            f"No valid service subnet for the given device owner, network {network_id}, service type {device_owner}."
        )


class HostNotConnectedToAnySegment(ApiError):
    """The network is routed, and the host is on none of its segments."""

    status = 409

    def __init__(self, host: str, network_id: str) -> None:
        super().__init__(
            f"Host {host} is not connected to any segments on routed provider network '{network_id}'.  "
            "It should be connected to one."
        )


class HostConnectedToMultipleSegments(ApiError):
    """The network is routed, and the host is on more than one of its segments."""

    status = 409

    def __init__(self, host: str, network_id: str) -> None:
        super().__init__(
            f"Host {host} is connected to multiple segments on routed provider network '{network_id}'.  "
            "It should be connected to one."
        )


class HostNotCompatibleWithFixedIps(ApiError):
    """The port's addresses do not work on the host's segment."""

    status = 409

    def __init__(self, host: str, port_id: str) -> None:
        super().__init__(
            f"Host {host} is not connected to a segment where the existing fixed_ips on port {port_id} will function "
            "given the routed network topology."
        )


class UnsupportedPortDeviceOwner(ApiError):
    """The port's owner does not take part in the operation."""

    status = 409

    def __init__(self, operation: str, port_id: str, device_owner: str) -> None:
        super().__init__(f"Operation {operation} is not supported for device_owner {device_owner} on port {port_id}.")


class PortInUse(ApiError):
    """A device has the port."""

    status = 409

    def __init__(self, port_id: str, network_id: str, device_id: str) -> None:
        super().__init__(
            f"Unable to complete operation on port {port_id} for network {network_id}. Port already has an attached "
            f"device {device_id}."
        )


class PortBoundNUMAAffinityPolicy(ApiError):
    """The guest was placed by the policy that the port had when it was bound."""

    status = 409

    def __init__(self, port_id: str, host_id: str, policy: str | None) -> None:
        super().__init__(
            f"Unable to complete operation on port {port_id}, port is already bound to host {host_id}, "
            f"numa_affinity_policy value given {policy}."
        )


class AddressPairAndPortSecurityRequired(ApiError):
    """A port without port security lets everything pass: pairs mean nothing there."""

    status = 409

    def __init__(self) -> None:
        super().__init__("Port Security must be enabled in order to have allowed address pairs on a port.")


class PortSecurityAndIPRequiredForSecurityGroups(ApiError):
    """A port without port security lets everything pass: groups mean nothing there."""

    status = 400

    def __init__(self) -> None:
        super().__init__(
            "Port security must be enabled and port must have an IP address in order to use security groups."
        )


class PortSecurityPortHasSecurityGroup(ApiError):
    """Groups must be taken away before port security is."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "Port has security group associated. Cannot disable port security or IP address until security group is "
            "removed."
        )


class BadPortRequest(ApiError):
    """The operation is not one for this port."""

    status = 400
    type_name = "BadRequest"

    def __init__(self, reason: str, resource: str = "port") -> None:
        super().__init__(f"Bad {resource} request: {reason}.")
