"""From rows of the journal to what Nova must hear. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import orjson
from attrs import frozen

from quantumd.model.port import COMPUTE_OWNER_PREFIX
from quantumd.model.status import ACTIVE, DOWN
from quantumd.store.journal import JournalRow

PLUGGED: Final = "network-vif-plugged"
UNPLUGGED: Final = "network-vif-unplugged"
DELETED: Final = "network-vif-deleted"
CHANGED: Final = "network-changed"

NOVA_KEEPS: Final = (
    "fixed_ips",
    "mac_address",
    "admin_state_up",
    "device_id",
    "device_owner",
    "binding:vnic_type",
    "binding:vif_type",
    "binding:vif_details",
    "binding:profile",
)
"""What of a port Nova keeps with its servers, and would read again after ``network-changed``."""

_STATUS_EVENTS: Mapping[tuple[str, str], str] = {(DOWN, ACTIVE): PLUGGED, (ACTIVE, DOWN): UNPLUGGED}


@frozen
class Event:
    """One event: what happened to a port of a server. ``position`` is that of the change in the journal."""

    position: int
    name: str
    server_id: str
    port_id: str


def events_of(rows: Iterable[JournalRow]) -> tuple[Event, ...]:
    """Return what Nova must hear of these changes, in their order.

    Only ports of Nova's servers count: ``device_owner`` begins with ``compute:`` and ``device_id`` is a UUID. Of
    several ``network-changed`` of a port without another of its events between them only the first is there: Nova
    reads the port when it hears of one, and then all of them are committed.

    Source: openstack/neutron, neutron/notifiers/nova.py, which sends ``network-changed`` for every update of a port
    through the API, also when nothing that Nova keeps has changed.
    """
    found: list[Event] = []
    last: dict[tuple[str, str], str] = {}
    for row in rows:
        if row.resource != "port":
            continue
        for event in _events_of_port(row):
            about = (event.server_id, event.port_id)
            if not event.name == last.get(about) == CHANGED:
                found.append(event)
            last[about] = event.name
    return tuple(found)


def _events_of_port(row: JournalRow) -> Iterator[Event]:
    before, after = _port(row.before), _port(row.after)
    if row.operation == "delete":
        if is_of_server(before):
            yield Event(row.position, DELETED, before["device_id"], row.resource_id)
        return
    # Until its server is named in it, a port is none of Nova's; what was made in one go with it, Nova made itself.
    if not before or not is_of_server(after):
        return
    name = _STATUS_EVENTS.get((before["status"], after["status"]))
    if name is not None:
        yield Event(row.position, name, after["device_id"], row.resource_id)
    if any(before.get(key) != after.get(key) for key in NOVA_KEEPS):
        yield Event(row.position, CHANGED, after["device_id"], row.resource_id)


def is_of_server(port: Mapping[str, Any]) -> bool:
    """Whether a port is one of a server of Nova's."""
    return str(port.get("device_owner", "")).startswith(COMPUTE_OWNER_PREFIX) and _is_uuid(port.get("device_id"))


def body_of(events: Sequence[Event]) -> bytes:
    """Return the body of a POST to os-server-external-events."""
    return orjson.dumps({
        "events": [
            {"name": event.name, "server_uuid": event.server_id, "tag": event.port_id, "status": "completed"}
            for event in events
        ]
    })  # fmt: skip


def _port(text: str | None) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(text) if text else {}
    return found


def _is_uuid(value: Any) -> bool:
    try:
        UUID(value)
    except (ValueError, TypeError, AttributeError):
        return False
    return True
