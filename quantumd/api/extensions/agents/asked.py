"""What requests about agents and what they carry name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from quantumd.api.errors import HTTPBadRequest, InvalidValue
from quantumd.api.values import UUID
from quantumd.store.tables.services import agents


def agent_row(connection: Connection, agent_id: str) -> Row[Any] | None:
    """Return the row of an agent, whatever its role; None when there is none."""
    return connection.execute(select(agents).where(agents.c.id == agent_id)).first()


def id_in(body: Any, name: str) -> str:
    """Return the id that a body names so. HTTPBadRequest, InvalidInput."""
    if not isinstance(body, dict) or name not in body:
        raise HTTPBadRequest(f"Failed to parse request. Required attribute '{name}' not specified")
    try:
        found: str = UUID.convert(body[name])
    except InvalidValue as refusal:
        raise refusal.of_attribute(name) from None
    return found
