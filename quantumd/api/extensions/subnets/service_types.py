"""``service_types``: the owners of ports for which a subnet is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Connection
from zope.interface import implementer

from quantumd.api.aspects import Condition, IAspect, View
from quantumd.api.attributes import Attribute
from quantumd.api.errors import HTTPBadRequest
from quantumd.api.values import Value, shown
from quantumd.errors import ApiError
from quantumd.model.context import Context
from quantumd.model.subnet import is_service_type
from quantumd.store.transaction import Transaction

ALIAS: Final = "subnet-service-types"
_NAME: Final = "service_types"
_LONGEST: Final = 255


class InvalidSubnetServiceType(ApiError):
    """No port can have such an owner."""

    status = 400

    def __init__(self, service_type: str) -> None:
        super().__init__(f"Subnet service type {shown(service_type)} does not correspond to a valid device owner.")


class InvalidInputSubnetServiceType(ApiError):
    """An owner is text."""

    status = 400

    def __init__(self, service_type: object) -> None:
        super().__init__(f"Subnet service type {shown(service_type)} is not a string.")


def _service_types(value: Any) -> tuple[str, ...]:
    # As today whatever is nothing stands for an empty list.
    if not value:
        return ()
    if not isinstance(value, list):
        raise HTTPBadRequest("Subnet service types must be a list.")
    for each in value:
        if not isinstance(each, str):
            raise InvalidInputSubnetServiceType(each)
        if not is_service_type(each) or len(each) > _LONGEST or "\x00" in each:
            raise InvalidSubnetServiceType(each)
    return tuple(dict.fromkeys(value))


_VALUE = Value(_service_types, {"type": "array", "items": {"type": "string", "maxLength": _LONGEST}})


@implementer(IAspect)
@frozen
class ServiceTypes:
    """Settles ``service_types``, a column of the subnet's row."""

    attributes = (Attribute(_NAME, *_VALUE, in_post=True, in_put=True, default=(), extension=ALIAS),)
    filters: Mapping[str, Condition] = {}

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect."""
        if before is None:
            return {_NAME: list(named.get(_NAME, ()))}
        if _NAME not in named or list(named[_NAME]) == before[_NAME]:
            return {}
        return {_NAME: list(named[_NAME])}

    def store(self, tx: Transaction, resource_id: str, values: View) -> None:
        """See IAspect: it is a column."""

    def load(self, connection: Connection, views: Mapping[str, View]) -> None:
        """See IAspect: it is a column."""

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect: it is a column."""
