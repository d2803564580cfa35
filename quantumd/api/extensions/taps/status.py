"""The status of taps: what their ports are together, looked at whenever it is asked for."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, exists, or_

from quantumd.api.resources.prepared import text_of
from quantumd.model.status import ACTIVE, DOWN, L2
from quantumd.model.tap_records import TapRecord
from quantumd.store.tables import hosts, ports
from quantumd.store.tables.taps import tap_flows, tap_services

_SOURCE: Final = ports.alias("tapped")
_TARGET: Final = ports.alias("listening")
_SERVICE: Final = tap_services.alias("service_of_flow")


def _reports(host: ColumnElement[Any], what: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(hosts.c.host == host, hosts.c.role == text_of(L2), what)


def _has_tunnels(host: ColumnElement[Any]) -> ColumnElement[bool]:
    return _reports(host, hosts.c.tunnel_ip.is_not(None))


def _copies(host: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the host understands taps."""
    return _reports(host, hosts.c.record_kinds.like(text_of(f"%{TapRecord.kind}%")))


def _when(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return case((condition, text_of(ACTIVE)), else_=text_of(DOWN))


SERVICE_STATUS: Final[ColumnElement[Any]] = _when(
    exists().where(_TARGET.c.id == tap_services.c.port_id, _TARGET.c.status == text_of(ACTIVE))
)
"""ACTIVE while its port is."""

FLOW_STATUS: Final[ColumnElement[Any]] = _when(
    exists().where(
        _SERVICE.c.id == tap_flows.c.tap_service_id,
        _TARGET.c.id == _SERVICE.c.port_id,
        _TARGET.c.status == text_of(ACTIVE),
        _SOURCE.c.id == tap_flows.c.source_port,
        _SOURCE.c.status == text_of(ACTIVE),
        _copies(_SOURCE.c.host_id),
        _copies(_TARGET.c.host_id),
        or_(
            _SOURCE.c.host_id == _TARGET.c.host_id,
            and_(_has_tunnels(_SOURCE.c.host_id), _has_tunnels(_TARGET.c.host_id)),
        ),
    )
)
"""ACTIVE while both ports are, on hosts that know taps, and copies can get from one to the other."""
