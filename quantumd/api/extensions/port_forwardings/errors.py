"""What can go wrong with port forwardings. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class PortForwardingNotFound(ApiError):
    """The floating IP has no such port forwarding."""

    status = 404

    def __init__(self, forwarding_id: str) -> None:
        super().__init__(f"Port Forwarding {forwarding_id} could not be found.")


class PortForwardingsExhausted(ApiError):
    """The forwardings by one router come to more than the setting max_forwarding_entries allows."""

    status = 400

    def __init__(self, router_id: str, limit: int) -> None:
        super().__init__(
            f"Unable to complete operation for {router_id}. The number of port forwarding entries exceeds the maximum "
            f"{limit}."
        )


class FipInUseByPortForwarding(ApiError):
    """The floating IP has port forwardings, so it leads nowhere as a whole, and stays."""

    status = 409

    def __init__(self, floatingip_id: str) -> None:
        super().__init__(f"Floating IP {floatingip_id} in use by Port Forwarding resources.")


class PortHasBindingFloatingIP(ApiError):
    """A floating IP leads to the port as a whole."""

    status = 409

    def __init__(self, address: str, floatingip_id: str, port_id: str, fixed_ip: str) -> None:
        super().__init__(
            f"Cannot create port forwarding to floating IP {address} ({floatingip_id}) with port {port_id} using "
            f"fixed IP {fixed_ip}, as that port already has a binding floating IP."
        )
