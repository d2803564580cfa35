"""RBAC policies, as the API serves them."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID as ParsedUuid

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.errors import InvalidInput
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.rbac.errors import RbacPolicyNotFound
from quantumd.api.extensions.rbac.objects import OBJECT_TYPES
from quantumd.api.extensions.rbac.operations import Policies
from quantumd.api.resource import Resource
from quantumd.api.resources.standard_attributes import ID, PROJECT_ID
from quantumd.api.values import UUID, Value, filter_text, filter_uuid, shown, string
from quantumd.model.sharing import EVERYBODY

_ALIAS = "rbac-policies"

_EXTENSIONS = (
    Extension(
        _ALIAS,
        "RBAC Policies",
        "Allows creation and modification of policies that control project access to resources.",
        "2015-06-17T12:15:12-00:00",
    ),
    Extension(
        "rbac-security-groups",
        "Add security_group type to network RBAC",
        "Add security_group type to network RBAC",
        "2019-02-14T00:00:00-00:00",
        capability="security-group",
    ),
    Extension(
        "rbac-address-group",
        "Add address_group type to RBAC",
        "Add address_group type to network RBAC",
        "2021-01-20T00:00:00-00:00",
        capability="address-group",
    ),
    Extension(
        "rbac-address-scope",
        "Add address_scope type to RBAC",
        "Add address_scope type to RBAC",
        "2020-02-12T00:00:00-00:00",
    ),
    Extension(
        "rbac-subnetpool",
        "Add subnetpool type to RBAC",
        "Add subnetpool type to RBAC",
        "2020-02-05T00:00:00-00:00",
    ),
)


def _object_type(value: Any) -> str:
    name = value.strip().lower() if isinstance(value, str) else ""
    if name not in OBJECT_TYPES:
        raise InvalidInput(f"'{shown(value)}' is not a valid RBAC object type")
    return name


OBJECT_TYPE: Final = Value(_object_type, {"enum": list(OBJECT_TYPES)})


def _target(value: Any) -> str:
    if value == EVERYBODY:
        return EVERYBODY
    try:
        # Identity services name projects by UUIDs without hyphens as well as with them.
        if isinstance(value, str) and len(value) <= 45:
            ParsedUuid(value)
            return value
    except ValueError:
        pass
    raise InvalidInput(f"'{shown(value)}' is not a valid target project ID; expected a UUID or '*'")


TARGET: Final = Value(_target, {"type": "string", "pattern": r"^(\*|[0-9A-Fa-f-]{32,36})$"})

POLICY_ATTRIBUTES = (
    ID,
    PROJECT_ID,
    Attribute("object_type", *OBJECT_TYPE, in_post=True, default=REQUIRED, filter_convert=filter_text),
    Attribute("object_id", *UUID, in_post=True, default=REQUIRED, filter_convert=filter_uuid),
    Attribute("action", *string(255), in_post=True, default=REQUIRED, filter_convert=filter_text),
    Attribute("target_tenant", *TARGET, in_post=True, in_put=True, default=REQUIRED, filter_convert=filter_text),
)


def feature(parts: Parts) -> Feature:
    """Return the family of RBAC policies."""
    return Feature(
        extensions=_EXTENSIONS,
        resources=(
            Resource(
                "rbac_policy",
                "rbac_policies",
                POLICY_ATTRIBUTES,
                Policies(parts.chance),
                RbacPolicyNotFound,
                path="rbac-policies",
                quota="rbac_policy",
                extension=_ALIAS,
            ),
        ),
        quotas={"rbac_policy": 10},
    )
