"""What can go wrong with segments. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class SegmentNotFound(ApiError):
    """There is no such segment in the caller's scope."""

    status = 404

    def __init__(self, segment_id: str) -> None:
        super().__init__(f"Segment {segment_id} could not be found.")
        self.segment_id = segment_id


class SegmentInUse(ApiError):
    """Something needs the segment. ``reason`` is a sentence without its full stop."""

    status = 409

    def __init__(self, segment_id: str, reason: str) -> None:
        super().__init__(f"Segment '{segment_id}' cannot be deleted: {reason}.")
        self.segment_id = segment_id
