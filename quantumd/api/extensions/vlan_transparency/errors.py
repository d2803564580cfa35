"""What can go wrong with the tags of guests. The type is that of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class VlanTransparencyDriverError(ApiError):
    """Hosts cannot carry the tags of guests on a network of this type."""

    status = 400

    def __init__(self, network_type: str) -> None:
        super().__init__(f"Backend does not support VLAN Transparency on networks of type {network_type}.")
        self.network_type = network_type
