"""What can go wrong with subnets of segments. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class NetworkIdsDontMatch(ApiError):
    """The segment is another network's."""

    status = 400

    def __init__(self, network_id: str, segment_id: str) -> None:
        super().__init__(
            f"The subnet's network id, '{network_id}', doesn't match the network_id of segment '{segment_id}'"
        )


class SubnetsNotAllAssociatedWithSegments(ApiError):
    """Either every subnet of a network is on a segment or none is."""

    status = 400

    def __init__(self, network_id: str) -> None:
        super().__init__(
            f"All of the subnets on network '{network_id}' must either all be associated with segments or all not "
            "associated with any segment."
        )


class SubnetSegmentAssociationChangeNotAllowed(ApiError):
    """A subnet stays on its segment."""

    status = 400

    def __init__(self) -> None:
        super().__init__(
            "A subnet that is already associated with a segment cannot have its segment association changed."
        )


class NoUpdateSubnetWhenMultipleSegmentsOnNetwork(ApiError):
    """Nobody knows on which segment the addresses are in use."""

    status = 400

    def __init__(self, network_id: str) -> None:
        super().__init__(
            f"The network '{network_id}' has multiple segments, it is only possible to associate an existing subnet "
            "with a segment on networks with a single segment."
        )
