"""What can go wrong with floating IPs. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class FloatingIPNotFound(ApiError):
    """There is no such floating IP in the caller's scope."""

    status = 404

    def __init__(self, floatingip_id: str) -> None:
        super().__init__(f"Floating IP {floatingip_id} could not be found")


class ExternalIpAddressExhausted(ApiError):
    """There is no address of IPv4 where one is asked for."""

    status = 400

    def __init__(self, network_id: str) -> None:
        super().__init__(f"Unable to find any IP address on external network {network_id}.")


class ExternalGatewayForFloatingIPNotFound(ApiError):
    """No router leads from the port's subnet to the floating IP's network."""

    status = 404

    def __init__(self, network_id: str, subnet_id: str, port_id: str) -> None:
        super().__init__(
            f"External network {network_id} is not reachable from subnet {subnet_id}.  "
            f"Therefore, cannot associate Port {port_id} with a Floating IP."
        )


class FloatingIPPortAlreadyAssociated(ApiError):
    """The port's address has a floating IP of that network already."""

    status = 409

    def __init__(self, ip_address: str, floatingip_id: str, port_id: str, fixed_ip: str, network_id: str) -> None:
        super().__init__(
            f"Cannot associate floating IP {ip_address} ({floatingip_id}) with port {port_id} using fixed IP "
            f"{fixed_ip}, as that fixed IP already has a floating IP on external network {network_id}."
        )


class RouterInterfaceInUseByFloatingIP(ApiError):
    """A floating IP leads to a port of the subnet by this router."""

    status = 409

    def __init__(self, router_id: str, subnet_id: str) -> None:
        super().__init__(
            f"Router interface for subnet {subnet_id} on router {router_id} cannot be deleted, as it is required by "
            "one or more floating IPs."
        )


class RouterExternalGatewayInUseByFloatingIp(ApiError):
    """A floating IP of the gateway's network leads to a port by this router."""

    status = 409

    def __init__(self, router_id: str, network_id: str) -> None:
        super().__init__(
            f"Gateway cannot be updated for router {router_id}, since a gateway to external network {network_id} is "
            "required by one or more floating IPs."
        )
