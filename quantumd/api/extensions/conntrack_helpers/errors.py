"""What can go wrong with conntrack helpers. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from collections.abc import Iterable

from quantumd.errors import ApiError


class ConntrackHelperNotFound(ApiError):
    """The router has no such helper."""

    status = 404

    def __init__(self, helper_id: str) -> None:
        super().__init__(f"Conntrack Helper {helper_id} could not be found.")


class ConntrackHelperNotAllowed(ApiError):
    """There is no helper of this name."""

    status = 400

    def __init__(self, helper: str) -> None:
        super().__init__(f"Conntrack Helper {helper} is not allowed.")


class InvalidProtocolForHelper(ApiError):
    """The helper does not understand this protocol."""

    status = 400

    def __init__(self, helper: str, protocol: str, supported: Iterable[str]) -> None:
        super().__init__(
            f"Conntrack Helper {helper} does not support: {protocol}. Supported protocols are: {', '.join(supported)}"
        )
