"""What can go wrong with ranges of segments. Types and messages are those of Neutron 29."""

from __future__ import annotations

from collections.abc import Iterable

from quantumd.errors import ApiError


class NetworkSegmentRangeNotFound(ApiError):
    """There is no such range."""

    status = 404

    def __init__(self, range_id: str) -> None:
        super().__init__(f"Network Segment Range {range_id} could not be found.")
        self.range_id = range_id


class NetworkSegmentRangeReferencedByProject(ApiError):
    """Networks hold segments of what would go from the range."""

    status = 409

    def __init__(self, range_id: str) -> None:
        super().__init__(f"Network Segment Range {range_id} is referenced by one or more project networks.")
        self.range_id = range_id


class NetworkSegmentRangeDefaultReadOnly(ApiError):
    """The range comes from the settings, and is changed there."""

    status = 400

    def __init__(self, range_id: str) -> None:
        super().__init__(
            f"Network Segment Range {range_id} is a default segment range which could not be updated or deleted."
        )
        self.range_id = range_id


class NetworkSegmentRangeOverlaps(ApiError):
    """Other ranges have some of the same ids."""

    status = 409

    def __init__(self, range_ids: Iterable[str]) -> None:
        super().__init__(f"Network segment range overlaps with range(s) with id {', '.join(range_ids)}")


class NetworkSegmentRangeNetTypeNotSupported(ApiError):
    """Networks of the type have no ids, or the request names no type."""

    status = 400

    def __init__(self, network_type: str | None) -> None:
        super().__init__(f"Network type {network_type} does not support network segment ranges.")


class NetworkVlanRangeError(ApiError):
    """These are no VLANs. ``reason`` is a sentence without its full stop."""

    status = 400

    def __init__(self, minimum: int, maximum: int, reason: str) -> None:
        super().__init__(f"Invalid network VLAN range: '{minimum}:{maximum}' - '{reason}'.")


class NetworkTunnelRangeError(ApiError):
    """These are no ids of tunnels of the type. ``reason`` is a sentence without its full stop."""

    status = 400

    def __init__(self, minimum: int, maximum: int, reason: str) -> None:
        super().__init__(f"Invalid network tunnel range: '{minimum}:{maximum}' - {reason}.")
