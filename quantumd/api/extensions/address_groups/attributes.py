"""The attribute map of address groups."""

from __future__ import annotations

from typing import Any, Final

from quantumd.api.attributes import UNSET, Attribute
from quantumd.api.errors import InvalidInput, InvalidValue
from quantumd.api.resources.standard_attributes import ID, NAMED, PROJECT_ID, STANDARD_WITH_LONG_DESCRIPTION
from quantumd.api.values import BOOLEAN, CIDR, Value, list_of, none_as, shown


def _subnet(value: Any) -> str:
    try:
        return str(CIDR.convert(value))
    except InvalidInput:
        raise InvalidValue(f"'{shown(value)}' is not a valid IP subnet") from None


SUBNETS: Final = none_as([], list_of(Value(_subnet, CIDR.schema)))
"""Prefixes in canonical form; null is none at all."""

ADDRESS_GROUP_ATTRIBUTES = (
    ID,
    NAMED,
    PROJECT_ID,
    Attribute("addresses", *SUBNETS, in_post=True, default=UNSET),
    Attribute("shared", *BOOLEAN, default=False, is_visible=False),
    *STANDARD_WITH_LONG_DESCRIPTION,
)
"""Whom a group is shared with is a matter of RBAC policies, and nobody sees it here, as in Neutron 29."""
