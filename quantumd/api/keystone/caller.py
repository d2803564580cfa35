"""Whom a token stands for. Pure: from Keystone's documents to values, every part looked at."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import orjson
from attrs import frozen

LONGEST_NAME: Final = 255
"""How long an id or a role's name may be."""

MOST_ROLES: Final = 1000
"""How many roles a token may have."""


@frozen
class Caller:
    """Whom a token stands for. ``expires_seconds`` is when the token ends, since the epoch."""

    user_id: str
    expires_seconds: float
    project_id: str | None = None
    domain_id: str | None = None
    system_scope: str | None = None
    roles: frozenset[str] = frozenset()
    """Names in lower case: roles are compared so."""


class BadDocument(Exception):
    """Keystone's answer is not the document of a token."""


def read_caller(body: bytes) -> Caller:
    """Return whom the document of a token (the answer to GET or POST /v3/auth/tokens) describes.

    :raises BadDocument: it is no such document.
    Source: Identity API v3, tokens; the scope is a project, a domain, the system or nothing.
    """
    token = _object(_parsed(body), "token")
    system = _object(token, "system") if "system" in token else {}
    return Caller(
        user_id=_text(_object(token, "user"), "id"),
        expires_seconds=_seconds(_text(token, "expires_at")),
        project_id=_id_within(token, "project"),
        domain_id=_id_within(token, "domain"),
        system_scope="all" if system.get("all") is True else None,
        roles=_roles(token.get("roles", [])),
    )


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadDocument("it is not JSON") from error
    if not isinstance(document, dict):
        raise BadDocument("it is no object")
    return document


def _object(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    if not isinstance(value, dict):
        raise BadDocument(f"{name} is no object")
    return value


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME:
        raise BadDocument(f"{name} is no name")
    return value


def _id_within(document: dict[str, Any], name: str) -> str | None:
    return _text(_object(document, name), "id") if name in document else None


def _roles(roles: Any) -> frozenset[str]:
    if not isinstance(roles, list) or len(roles) > MOST_ROLES or not all(isinstance(role, dict) for role in roles):
        raise BadDocument("roles is no list of roles")
    return frozenset(_text(role, "name").lower() for role in roles)


def _seconds(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadDocument("expires_at is no time") from error
    if moment.tzinfo is None:
        raise BadDocument("expires_at has no time zone")
    return moment.timestamp()
