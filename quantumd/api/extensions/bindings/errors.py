"""What can go wrong with bindings. Types and messages are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class PortBindingNotFound(ApiError):
    """The port has no binding to the host."""

    status = 404

    def __init__(self, host: str, port_id: str = "None") -> None:
        super().__init__(f"Binding for port {port_id} for host {host} could not be found.")


class PortBindingAlreadyActive(ApiError):
    """The port is where it is asked to go."""

    status = 409

    def __init__(self, port_id: str, host: str) -> None:
        super().__init__(f"Binding for port {port_id} on host {host} is already active.")


class PortBindingAlreadyExists(ApiError):
    """The port has a binding to the host, active or not."""

    status = 409

    def __init__(self, port_id: str, host: str) -> None:
        super().__init__(f"Binding for port {port_id} on host {host} already exists.")


class PortBindingError(ApiError):
    """The host cannot plug the port, or is not known. Neutron answers this with 500, though nothing is broken."""

    status = 409

    def __init__(self, port_id: str, host: str) -> None:
        super().__init__(f"Binding for port {port_id} on host {host} could not be created or updated.")
