"""What can go wrong with tap mirrors. What the plug-in Tap as a Service knows is named and said as it does."""

from __future__ import annotations

from quantumd.errors import ApiError


class TapMirrorNotFound(ApiError):
    """There is no such tap mirror in the caller's scope."""

    status = 404

    def __init__(self, mirror_id: str) -> None:
        super().__init__(f"Tap Mirror {mirror_id} does not exist")


class TapMirrorTunnelConflict(ApiError):
    """The copies of another mirror travel under this id."""

    status = 409

    def __init__(self, tunnel_id: int) -> None:
        super().__init__(f"Tap Mirror with tunnel_id {tunnel_id} already exists")


class InvalidTapMirrorDirections(ApiError):
    """The directions contradict each other, or an id does not fit where it travels."""

    status = 400


class InvalidTapMirrorRemote(ApiError):
    """Nobody gets copies there."""

    status = 400

    def __init__(self, remote_ip: str, why: str) -> None:
        super().__init__(f"Copies cannot be sent to {remote_ip}: {why}.")


class TapMirrorRemoteIsHost(ApiError):
    """Tunnels of networks end there: copies could be taken for frames of a network."""

    status = 409

    def __init__(self, remote_ip: str) -> None:
        super().__init__(f"Copies cannot be sent to {remote_ip}: tunnels of networks end there.")


class TapMirrorTypeNotSupported(ApiError):
    """The active L2 driver cannot encapsulate copies so."""

    status = 409

    def __init__(self, mirror_type: str) -> None:
        super().__init__(f"The L2 driver sends no copies of type {mirror_type}.")
