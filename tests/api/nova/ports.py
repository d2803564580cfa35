"""Rows of the journal about ports."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from quantumd.store.journal import JournalRow
from quantumd.store.transaction import Transaction

SERVER = "5f1b8c52-3e6c-4c3a-9a8e-2f5f3b0a1c11"
OTHER_SERVER = "0a4c4c9e-55ab-4a39-8a5e-6d3f6a3d9f22"
PORT = "7c1d7f6c-8a4e-4a53-b8de-0d2c2f9b3a33"

_positions = count(1)


def port(**named: Any) -> dict[str, Any]:
    """Return the journal's view of a port of SERVER that is DOWN."""
    return {
        "id": PORT,
        "name": "",
        "status": "DOWN",
        "admin_state_up": True,
        "device_id": SERVER,
        "device_owner": "compute:nova",
        "mac_address": "fa:16:3e:00:00:01",
        "fixed_ips": [{"subnet_id": "s", "ip_address": "10.0.0.5"}],
        "binding:host_id": "host-a",
        "binding:vnic_type": "normal",
        "binding:vif_type": "ovs",
        "binding:vif_details": {},
        "binding:profile": {},
        **{name.replace("binding_", "binding:"): value for name, value in named.items()},
    }


def row(
    before: dict[str, Any] | None, after: dict[str, Any] | None, operation: str = "update", resource: str = "port"
) -> JournalRow:
    """Return a row, at the next position."""
    seen = after or before or {}
    return JournalRow(
        next(_positions), "2026-01-01T00:00:00Z", resource, seen["id"], "p", "req-1", operation,
        None if before is None else json.dumps(before), None if after is None else json.dumps(after),
    )  # fmt: skip


def write(tx: Transaction, before: dict[str, Any] | None, after: dict[str, Any] | None, operation: str) -> None:
    """Append such a row to the journal."""
    seen = after or before or {}
    tx.journal(
        resource="port", resource_id=seen["id"], project_id="p", request_id="req-1", operation=operation,
        before=before, after=after,
    )  # fmt: skip
