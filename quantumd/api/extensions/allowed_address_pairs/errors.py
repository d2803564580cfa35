"""What can be wrong with address pairs. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class AllowedAddressPairsMissingIP(ApiError):
    """A pair names no address."""

    status = 400

    def __init__(self) -> None:
        super().__init__("AllowedAddressPair must contain ip_address")


class DuplicateAddressPairInRequest(ApiError):
    """The same pair is named twice."""

    status = 400

    def __init__(self, mac_address: str | None, ip_address: str) -> None:
        super().__init__(f"Request contains duplicate address pair: mac_address {mac_address} ip_address {ip_address}.")


class AllowedAddressPairExhausted(ApiError):
    """There are more pairs than the setting network.max_address_pairs lets a port have."""

    status = 400

    def __init__(self, limit: int) -> None:
        super().__init__(f"The number of allowed address pair exceeds the maximum {limit}.")
