"""The ports that a request names: one, or a range, outside and inside. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from quantumd.api.errors import BadRequest
from quantumd.model.port_forwarding import PortSpan, parse_span

RESOURCE: Final = "port_forwarding"
_OUTER, _INNER = "external_port", "internal_port"


def spans_of(named: Mapping[str, Any]) -> tuple[PortSpan, PortSpan]:
    """Return the ports outside and inside that a body names. BadRequest."""
    return _span(named, _OUTER), _span(named, _INNER)


def merged_spans(before: Mapping[str, Any], changes: Mapping[str, Any]) -> tuple[PortSpan, PortSpan]:
    """Return the ports after a change; a side of which it names none stays as it is. BadRequest."""
    outer, inner = (changes if _names_any(changes, side) else before for side in (_OUTER, _INNER))
    return _span(outer, _OUTER), _span(inner, _INNER)


def _names_any(named: Mapping[str, Any], side: str) -> bool:
    return any(named.get(name) is not None for name in (side, f"{side}_range"))


def _span(named: Mapping[str, Any], side: str) -> PortSpan:
    port, span = named.get(side), named.get(f"{side}_range")
    if port is None and span is None:
        raise BadRequest(RESOURCE, f"Either {side} or {side}_range must be specified")
    found = parse_span(str(port) if span is None else span)
    if port is not None and found.single != port:
        raise BadRequest(RESOURCE, f"{side} {port} is not what {side}_range {span} says")
    return found
