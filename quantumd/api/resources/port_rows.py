"""Writing ports: journal row first, then the port and its addresses. No rules here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import BindParameter, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from quantumd.api.resources.allocation import Address, shown_addresses, write_addresses
from quantumd.api.resources.port_views import PORT_DETAILS, PORT_KEYS, journalled_port, port_columns
from quantumd.api.resources.prepared import Prepared
from quantumd.api.resources.views import View
from quantumd.errors import ApiError
from quantumd.model.binding import NORMAL, UNBOUND
from quantumd.model.port import IMMEDIATE, is_host_content
from quantumd.model.status import DOWN
from quantumd.store.tables import ip_allocations, ports, realisations
from quantumd.store.transaction import Transaction

T = TypeVar("T")

ATTEMPTS = 16
"""How often a port is tried with other generated values before its creation is given up."""

_INSERT = Prepared(insert(ports))
_KEPT = frozenset({"id", "network_id", "project_id", "created_at"})
_NEW: Mapping[str, BindParameter[Any]] = {
    name: bindparam(f"new_{name}") for name in PORT_KEYS.values() if name not in _KEPT
}
_UPDATE = Prepared(update(ports).where(ports.c.id == bindparam("wanted")).values(_NEW))
_UPDATE_CONTENT = Prepared(
    update(ports).where(ports.c.id == bindparam("wanted")).values({**_NEW, "record_version": bindparam("new_version")})
)
_DELETE = Prepared(delete(ports).where(ports.c.id == bindparam("wanted")))
_FORGET_ADDRESSES = Prepared(delete(ip_allocations).where(ip_allocations.c.port_id == bindparam("wanted")))
_FORGET_REALISATIONS = Prepared(delete(realisations).where(realisations.c.port_id == bindparam("wanted")))

NewPort: TypeAlias = tuple[View, Sequence[Address]]
"""The view of a port that is to be written, and its addresses."""


def new_port_view(**named: Any) -> View:
    """Return the view of a port that is nothing but what is named; its other attributes are what most ports have."""
    return {
        "name": "",
        "description": "",
        "admin_state_up": True,
        "status": DOWN,
        "device_id": "",
        "device_owner": "",
        "fixed_ips": [],
        "binding:vnic_type": NORMAL,
        "binding:profile": {},
        "binding:host_id": "",
        "binding:vif_type": UNBOUND,
        "binding:vif_details": {},
        "ip_allocation": IMMEDIATE,
        "port_security_enabled": True,
        "tags": [],
        "revision_number": 1,
        **PORT_DETAILS,
        **named,
    }


def insert_port(tx: Transaction, request_id: str, view: View, addresses: Sequence[Address]) -> int:
    """Write a new port and return its journal position. IntegrityError when its MAC or an address is taken."""
    insert_ports(tx, request_id, ((view, addresses),))
    return tx.position


def insert_ports(tx: Transaction, request_id: str, new: Sequence[NewPort]) -> None:
    """Write new ports with their addresses. IntegrityError when a MAC or an address is taken."""
    rows = []
    for view, _ in new:
        position = _journal(tx, request_id, "create", view, after=view)
        rows.append({**port_columns(view), "record_version": position})
    _INSERT.write(tx, rows)
    write_addresses(tx, [(view["id"], addresses) for view, addresses in new if addresses])


def change_port(
    tx: Transaction,
    request_id: str,
    before: View,
    changes: Mapping[str, Any],
    addresses: Sequence[Address] | None = None,
) -> tuple[View, int | None]:
    """Write what of ``changes`` differs; return the new view and the journal position, None when nothing differs.

    :param addresses: the port's addresses from now on, in order; None leaves them.
    """
    wanted = dict(changes) if addresses is None else {**changes, "fixed_ips": shown_addresses(addresses)}
    changed = {name: value for name, value in wanted.items() if name not in before or before[name] != value}
    if not changed:
        return before, None
    changed.update(revision_number=before["revision_number"] + 1, updated_at=tx.now)
    after = {**before, **changed}
    position = _journal(tx, request_id, "update", after, before=before, after=after)
    _write(tx, after, position if is_host_content([PORT_KEYS.get(name, name) for name in changed]) else None)
    if addresses is not None and "fixed_ips" in changed:
        _FORGET_ADDRESSES.write(tx, ({"wanted": before["id"]},))
        write_addresses(tx, ((before["id"], addresses),))
    if "binding:host_id" in changed and before["binding:host_id"]:
        _FORGET_REALISATIONS.write(tx, ({"wanted": before["id"]},))
    return after, position


_TOUCH = Prepared(
    update(ports)
    .where(ports.c.id == bindparam("wanted"))
    .values(revision_number=ports.c.revision_number + bindparam("one"), updated_at=bindparam("at"))
)


def touch_port(tx: Transaction, port_id: str) -> None:
    """Note a new revision because something kept beside the port changed; the journal tells of that something."""
    _TOUCH.write(tx, ({"wanted": port_id, "one": 1, "at": tx.now},))


def _write(tx: Transaction, view: View, version: int | None) -> None:
    """Write the whole row anew: one statement that is always the same is far cheaper than one made for each change."""
    row = {f"new_{name}": value for name, value in port_columns(view).items() if name not in _KEPT}
    row["wanted"] = view["id"]
    if version is None:
        _UPDATE.write(tx, (row,))
    else:
        _UPDATE_CONTENT.write(tx, ({**row, "new_version": version},))


_UPDATE_STATUS = Prepared(
    update(ports)
    .where(ports.c.id == bindparam("wanted"))
    .values({name: bindparam(f"new_{name}") for name in ("status", "revision_number", "updated_at")})
)


def change_status(tx: Transaction, request_id: str, before: View, status: str) -> None:
    """Write another status, with a journal row of its own operation: ``status``. Records do not change."""
    changed = {"status": status, "revision_number": before["revision_number"] + 1, "updated_at": tx.now}
    after = {**before, **changed}
    _journal(tx, request_id, "status", after, before=before, after=after)
    _UPDATE_STATUS.write(tx, ({"wanted": before["id"], **{f"new_{name}": changed[name] for name in changed}},))


def remove_port(tx: Transaction, request_id: str, before: View) -> int:
    """Delete the port with its addresses and return the journal position."""
    position = _journal(tx, request_id, "delete", before, before=before)
    for statement in (_FORGET_ADDRESSES, _FORGET_REALISATIONS, _DELETE):
        statement.write(tx, ({"wanted": before["id"]},))
    return position


def _journal(
    tx: Transaction,
    request_id: str,
    operation: str,
    port: View,
    before: View | None = None,
    after: View | None = None,
) -> int:
    return tx.journal(
        resource="port",
        resource_id=port["id"],
        project_id=port["project_id"],
        request_id=request_id,
        operation=operation,
        before=None if before is None else journalled_port(before),
        after=None if after is None else journalled_port(after),
    )


def settled(tx: Transaction, attempt: Callable[[], T], explain: Callable[[], None], give_up: ApiError) -> T:
    """Return what ``attempt`` returns, tried again in a new savepoint while a unique value of it is taken.

    :param explain: raises the caller's error when a value that the caller named is the taken one.
    :param give_up: raised after ATTEMPTS attempts.
    """
    for _ in range(ATTEMPTS):
        try:
            with tx.savepoint():
                return attempt()
        except IntegrityError:
            explain()
    raise give_up


_MAC_TAKEN = select(ports.c.id).where(
    ports.c.network_id == bindparam("network"), ports.c.mac_address == bindparam("mac")
)
_ADDRESS_OWNER = select(ip_allocations.c.port_id).where(
    ip_allocations.c.subnet_id == bindparam("subnet"), ip_allocations.c.ip_key == bindparam("key")
)


def is_mac_taken(tx: Transaction, network_id: str, mac_address: str) -> bool:
    """Whether a port of the network has the MAC address."""
    return tx.connection.execute(_MAC_TAKEN, {"network": network_id, "mac": mac_address}).first() is not None


def owner_of_address(tx: Transaction, address: Address) -> str | None:
    """Return the id of the port that has the address, None when it is free."""
    keys = {"subnet": address.subnet_id, "key": address.key}
    owner: str | None = tx.connection.execute(_ADDRESS_OWNER, keys).scalar()
    return owner
