"""What can go wrong with trunks. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class TrunkNotFound(ApiError):
    """There is no such trunk in the caller's scope."""

    status = 404

    def __init__(self, trunk_id: str) -> None:
        super().__init__(f"Trunk {trunk_id} could not be found.")


class TrunkPortInUse(ApiError):
    """The port is a sub-port."""

    status = 409

    def __init__(self, port_id: str) -> None:
        super().__init__(f"Port {port_id} is in use by another trunk.")


class ParentPortInUse(ApiError):
    """The port is a parent, or bound."""

    status = 409

    def __init__(self, port_id: str) -> None:
        super().__init__(f"Port {port_id} is currently in use and is not eligible for use as a parent port.")


class SubPortNotFound(ApiError):
    """The port is no sub-port of the trunk."""

    status = 404

    def __init__(self, trunk_id: str, port_id: str) -> None:
        super().__init__(f"SubPort on trunk {trunk_id} with parent port {port_id} could not be found.")


class DuplicateSubPort(ApiError):
    """Another sub-port of the trunk has the tag."""

    status = 409

    def __init__(self, segmentation_type: str, segmentation_id: int, trunk_id: str) -> None:
        super().__init__(
            f"segmentation_type {segmentation_type} and segmentation_id {segmentation_id} already in use on trunk "
            f"{trunk_id}."
        )


class SubPortMtuGreaterThanTrunkPortMtu(ApiError):
    """Frames of the sub-port's network do not fit through the parent."""

    status = 409

    def __init__(self, port_id: str, port_mtu: int, trunk_id: str, trunk_mtu: int) -> None:
        super().__init__(
            f"MTU {port_mtu} of subport {port_id} cannot be greater than MTU {trunk_mtu} of trunk {trunk_id}."
        )


class PortInUseAsTrunkParent(ApiError):
    """The port goes after its trunk."""

    status = 409

    def __init__(self, port_id: str, trunk_id: str) -> None:
        super().__init__(f"Port {port_id} is currently a parent port for trunk {trunk_id}.")


class PortInUseAsSubPort(ApiError):
    """The port is taken from its trunk first."""

    status = 409

    def __init__(self, port_id: str, trunk_id: str) -> None:
        super().__init__(f"Port {port_id} is currently a subport for trunk {trunk_id}.")


class TrunkInUse(ApiError):
    """The parent is bound to a host."""

    status = 409

    def __init__(self, trunk_id: str) -> None:
        super().__init__(f"Trunk {trunk_id} is currently in use.")


class TrunkDisabled(ApiError):
    """A trunk whose admin_state_up is false stays as it is."""

    status = 409

    def __init__(self, trunk_id: str) -> None:
        super().__init__(f"Trunk {trunk_id} is currently disabled.")
