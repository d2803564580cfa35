"""Trunks."""

from __future__ import annotations

from typing import Any

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.errors import InvalidValue
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.trunks.aspect import TrunkDetails
from quantumd.api.extensions.trunks.errors import TrunkNotFound
from quantumd.api.extensions.trunks.operations import Trunks
from quantumd.api.extensions.trunks.sub_ports import SubPorts
from quantumd.api.resource import Action, Resource
from quantumd.api.resources.port_changes import PortChanger
from quantumd.api.resources.standard_attributes import ADMIN_STATE_UP, ID, NAMED, PROJECT_ID, STANDARD, STATUS
from quantumd.api.values import UUID, Value, filter_uuid, shown
from quantumd.model.trunk import sub_ports_fault
from quantumd.store.tables.ports import trunks

ALIAS = "trunk"

_SUB_PORT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "port_id": {"type": "string", "format": "uuid"},
        "segmentation_type": {"type": "string"},
        "segmentation_id": {"type": ["integer", "string"]},
    },
    "required": ["port_id"],
}
_SUB_PORTS_SCHEMA = {"type": "array", "items": _SUB_PORT}
_BODY = {"type": "object", "properties": {"sub_ports": _SUB_PORTS_SCHEMA}, "required": ["sub_ports"]}


def _sub_ports(given: Any) -> tuple[Any, ...]:
    fault = sub_ports_fault(given)
    if fault is not None:
        raise InvalidValue(shown(fault))
    return tuple(given)


ATTRIBUTES = (
    ID,
    NAMED,
    PROJECT_ID,
    ADMIN_STATE_UP,
    Attribute("port_id", *UUID, in_post=True, default=REQUIRED, filter_convert=filter_uuid),
    STATUS,
    Attribute("sub_ports", *Value(_sub_ports, _SUB_PORTS_SCHEMA), in_post=True, default=(), is_sort_key=False),
    *STANDARD,
)


def feature(parts: Parts) -> Feature:
    """Return what trunks add to the API."""
    sub_ports = SubPorts(PortChanger(parts.settings, parts.chance, ()))
    operations = Trunks(sub_ports)
    resource = Resource(
        "trunk",
        "trunks",
        ATTRIBUTES,
        operations,
        TrunkNotFound,
        is_taggable=True,
        quota="trunk",
        extension=ALIAS,
        table=trunks,
    )
    inside = "trunks/<resource_id>"
    return Feature(
        extensions=(
            Extension(ALIAS, "Trunk Extension", "Provides support for trunk ports", "2016-01-01T10:00:00-00:00", ALIAS),
            Extension(
                "trunk-details", "Trunk port details", "Expose trunk port details", "2016-01-01T10:00:00-00:00", ALIAS
            ),
        ),
        resources=(resource,),
        actions=(
            Action(
                "PUT", f"{inside}/add_subports", operations.add, rule="add_subports", extension=ALIAS, body_schema=_BODY
            ),
            Action(
                "PUT",
                f"{inside}/remove_subports",
                operations.remove,
                rule="remove_subports",
                extension=ALIAS,
                body_schema=_BODY,
            ),
            Action(
                "GET", f"{inside}/get_subports", operations.listed, writes=False, rule="get_subports", extension=ALIAS
            ),
        ),
        releases=(operations.let_go,) if parts.obeys(ALIAS) else (),
        port_aspects=(TrunkDetails(sub_ports, parts.obeys(ALIAS)),),
        quotas={"trunk": -1},
    )
