"""What can go wrong with quotas. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from collections.abc import Sequence

from quantumd.api.errors import HTTPBadRequest
from quantumd.errors import ApiError


class OverQuota(ApiError):
    """A project would have more than it may."""

    status = 409

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"Quota exceeded for resources: {list(names)}.")
        self.names = tuple(names)


class TenantQuotaNotFound(ApiError):
    """The project has no limits of its own."""

    status = 404

    def __init__(self, project_id: str) -> None:
        super().__init__(f"Quota for project {project_id} could not be found.")
        self.project_id = project_id


class QuotaMissingTenant(ApiError):
    """Who asks belongs to no project."""

    status = 400

    def __init__(self) -> None:
        super().__init__("Tenant-id was missing from quota request.")


class LimitBelowUse(HTTPBadRequest):
    """The project has more already, and the request does not say that it means it."""

    type_name = "HTTPBadRequest"

    def __init__(self, name: str, limit: int, used: int) -> None:
        super().__init__(f"Quota limit {limit} for {name} must be greater than or equal to already used {used}")
        self.name = name


class AdminRequired(ApiError):
    """Only administrators may ask for this. ``reason`` is a sentence without its full stop."""

    status = 403

    def __init__(self, reason: str) -> None:
        super().__init__(f"User does not have admin privileges: {reason}.")
