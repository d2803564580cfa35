"""Why a stream is refused."""

from __future__ import annotations

from quantumd.errors import ApiError


class NotAcceptable(ApiError):
    """The client takes no events."""

    status = 406
    type_name = "HTTPNotAcceptable"

    def __init__(self) -> None:
        super().__init__("Events are sent as text/event-stream, which the request does not accept.")


class TooManyStreams(ApiError):
    """The caller has as many streams as one may have."""

    status = 429

    def __init__(self, most: int) -> None:
        super().__init__(f"One caller may have {most} streams of events at a time.")


class NoRoomForStreams(ApiError):
    """All callers together have as many streams as there may be."""

    status = 503
    type_name = "ServiceUnavailable"

    def __init__(self) -> None:
        super().__init__("There are too many streams of events; try again.")
