"""What can go wrong with flavors. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.api.errors import InvalidInput
from quantumd.errors import ApiError


class FlavorNotFound(ApiError):
    """There is no such flavor."""

    status = 404

    def __init__(self, flavor_id: str) -> None:
        super().__init__(f"Flavor {flavor_id} could not be found.")


class FlavorInUse(ApiError):
    """A router has the flavor."""

    status = 409

    def __init__(self, flavor_id: str) -> None:
        super().__init__(f"Flavor {flavor_id} is used by some service instance.")


class FlavorDisabled(ApiError):
    """The flavor cannot be chosen."""

    status = 503

    def __init__(self) -> None:
        super().__init__("Flavor is not enabled.")


class ServiceProfileNotFound(ApiError):
    """There is no such service profile."""

    status = 404

    def __init__(self, profile_id: str) -> None:
        super().__init__(f"Service Profile {profile_id} could not be found.")


class ServiceProfileInUse(ApiError):
    """A flavor has the profile."""

    status = 409

    def __init__(self, profile_id: str) -> None:
        super().__init__(f"Service Profile {profile_id} is used by some service instance.")


class FlavorServiceProfileBindingExists(ApiError):
    """The flavor has the profile already."""

    status = 409

    def __init__(self, profile_id: str, flavor_id: str) -> None:
        super().__init__(f"Service Profile {profile_id} is already associated with flavor {flavor_id}.")


class FlavorServiceProfileBindingNotFound(ApiError):
    """The flavor does not have the profile."""

    status = 404

    def __init__(self, profile_id: str, flavor_id: str) -> None:
        super().__init__(f"Service Profile {profile_id} is not associated with flavor {flavor_id}.")


class ServiceProfileDriverNotFound(ApiError):
    """No service provider has the driver."""

    status = 404

    def __init__(self, driver: str) -> None:
        super().__init__(f"Service Profile driver {driver} could not be found.")


class ServiceProfileEmpty(ApiError):
    """The profile says nothing."""

    status = 400

    def __init__(self) -> None:
        super().__init__("Service Profile needs either a driver or metainfo.")


class ServiceProfileDisabled(ApiError):
    """The profile that the flavor would use is disabled."""

    status = 503

    def __init__(self) -> None:
        super().__init__("Service Profile is not enabled.")


class InvalidServiceType(InvalidInput):
    """There is no such kind of service."""

    type_name = "InvalidServiceType"

    def __init__(self, service_type: str) -> None:
        ApiError.__init__(self, f"Invalid service type: {service_type}.")
        self.reason = f"Invalid service type: {service_type}"
