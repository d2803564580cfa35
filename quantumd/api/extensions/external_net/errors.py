"""What can go wrong with external networks. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class ExternalNetworkInUse(ApiError):
    """Routers or floating IPs have ports on the network."""

    status = 409

    def __init__(self, network_id: str) -> None:
        super().__init__(
            f"External network {network_id} cannot be updated to be made non-external, "
            "since it has existing gateway ports."
        )
        self.network_id = network_id


class DefaultExternalNetworkExists(ApiError):
    """There is one default external network at most. ``network_id`` is the one that there is."""

    status = 409

    def __init__(self, network_id: str) -> None:
        super().__init__(f"A default external network already exists: {network_id}.")
        self.network_id = network_id
