"""The status of trunks: what their ports are together, looked at whenever it is asked for."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, case, exists

from quantumd.api.resources.prepared import text_of
from quantumd.model.binding import BINDING_FAILED
from quantumd.model.status import ACTIVE, DOWN
from quantumd.model.trunk import BUILD, DEGRADED
from quantumd.store.tables import networks, ports, realisations
from quantumd.store.tables.ports import sub_ports, trunks

_PARENTS: Final = ports.alias("parents")
_INSIDE: Final = ports.alias("ports_inside")


_IS_NOT_ACTIVE: Final = _INSIDE.c.status != text_of(ACTIVE)


def _is_parent_active() -> ColumnElement[bool]:
    return exists().where(_PARENTS.c.id == trunks.c.port_id, _PARENTS.c.status == text_of(ACTIVE))


def _has_sub_port(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether one for which this holds is to be ACTIVE: it is enabled, and so is its network."""
    return exists().where(
        sub_ports.c.trunk_id == trunks.c.id,
        _INSIDE.c.id == sub_ports.c.port_id,
        networks.c.id == _INSIDE.c.network_id,
        _INSIDE.c.admin_state_up.is_(True),
        networks.c.admin_state_up.is_(True),
        *conditions,
    )


_HAS_FAULT: Final = exists().where(
    realisations.c.port_id == _INSIDE.c.id,
    realisations.c.host == _INSIDE.c.host_id,
    realisations.c.fault.is_not(None),
)

STATUS: Final[ColumnElement[Any]] = case(
    (~_is_parent_active(), text_of(DOWN)),
    (_has_sub_port(_IS_NOT_ACTIVE, (_INSIDE.c.vif_type == text_of(BINDING_FAILED)) | _HAS_FAULT), text_of(DEGRADED)),
    (_has_sub_port(_IS_NOT_ACTIVE), text_of(BUILD)),
    else_=text_of(ACTIVE),
)
"""DOWN while the parent carries nothing; then DEGRADED if a sub-port cannot, BUILD if one does not yet."""
