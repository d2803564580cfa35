"""What can go wrong with local IPs. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class LocalIPNotFound(ApiError):
    """There is no such local IP in the caller's scope."""

    status = 404

    def __init__(self, local_ip_id: str) -> None:
        super().__init__(f"Local IP {local_ip_id} could not be found.")


class LocalIPInUse(ApiError):
    """Ports answer it."""

    status = 409

    def __init__(self, local_ip_id: str) -> None:
        super().__init__(f"Local IP {local_ip_id} is still associated with one or more ports.")


class LocalIPNoIP(ApiError):
    """The port has no address."""

    status = 400

    def __init__(self, port_id: str) -> None:
        super().__init__(f"Specified Port {port_id} has no fixed IPs configured.")


class LocalIPRequestedIPNotFound(ApiError):
    """The port does not have the address."""

    status = 400

    def __init__(self, port_id: str, ip_address: str) -> None:
        super().__init__(f"Specified Port {port_id} does not have requested IP address: {ip_address}.")


class LocalIPNoRequestedIP(ApiError):
    """The port has several addresses, and none is named."""

    status = 400

    def __init__(self, port_id: str) -> None:
        super().__init__(
            f"Specified Port {port_id} has several IPs, should specify exact IP address to use for Local IP."
        )


class LocalIPPortOrNetworkRequired(ApiError):
    """Nothing says where the address is from."""

    status = 400

    def __init__(self) -> None:
        super().__init__("Either Port ID or Network ID must be specified for Local IP create.")


class LocalIPAssociationNotFound(ApiError):
    """The port does not answer the local IP."""

    status = 404

    def __init__(self, port_id: str, local_ip_id: str = "None") -> None:
        super().__init__(f"Local IP {local_ip_id} association with port {port_id} could not be found.")


class LocalIPAssociationExists(ApiError):
    """The port answers the local IP already. Neutron answers this with 500, though nothing is broken."""

    status = 409

    def __init__(self, port_id: str, local_ip_id: str) -> None:
        super().__init__(f"Local IP {local_ip_id} is associated with port {port_id} already.")
