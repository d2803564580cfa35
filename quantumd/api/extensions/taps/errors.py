"""What can go wrong with taps. Types, messages and status codes are those of the plug-in Tap as a Service."""

from __future__ import annotations

from quantumd.errors import ApiError


class TapServiceNotFound(ApiError):
    """There is no such tap service in the caller's scope."""

    status = 404

    def __init__(self, tap_id: str) -> None:
        super().__init__(f"Tap Service  {tap_id} does not exist")


class TapFlowNotFound(ApiError):
    """There is no such tap flow in the caller's scope."""

    status = 404

    def __init__(self, flow_id: str) -> None:
        super().__init__(f"Tap Flow  {flow_id} does not exist")


class InvalidDestinationPort(ApiError):
    """Copies cannot go to a port that the caller does not see."""

    status = 404

    def __init__(self, port_id: str) -> None:
        super().__init__(f"Destination Port {port_id} does not exist")


class InvalidSourcePort(ApiError):
    """Nothing can be copied of a port that the caller does not see."""

    status = 404

    def __init__(self, port_id: str) -> None:
        super().__init__(f"Source Port  {port_id} does not exist")


class PortDoesNotBelongToProject(ApiError):
    """A project taps its own ports only."""

    status = 403

    def __init__(self) -> None:
        super().__init__("The specified port does not belong to the project")


class TapServiceNotBelongToProject(ApiError):
    """Copies go to services of the same project only."""

    status = 403

    def __init__(self) -> None:
        super().__init__("Specified Tap Service does not belong to the project")
