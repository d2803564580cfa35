"""What a request for events asks for. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from attrs import frozen

from quantumd.api.attribute_map import PROJECT, TENANT
from quantumd.api.errors import HTTPBadRequest, InvalidInput, PolicyNotAuthorized
from quantumd.api.events.wire import CONTENT_TYPE
from quantumd.api.query import Parameters
from quantumd.api.values import filter_integer, shown
from quantumd.model.context import Context, Scope

LONGEST_PROJECT: Final = 255
LARGEST_POSITION: Final = 2**63 - 1

_RESOURCE: Final = "resource"
_REFUSED: Final = re.compile(r"q\s*=\s*0(\.0*)?")
_TAKEN: Final = frozenset({CONTENT_TYPE.decode(), "text/*", "*/*"})


@frozen
class Wanted:
    """Which changes: those of a scope, of some resources (none: all), after a position (None: from now on)."""

    scope: Scope
    resources: frozenset[str]
    after: int | None


def wanted(context: Context, given: Parameters, last_event_id: str | None, names: Collection[str]) -> Wanted:
    """Return what is asked for.

    :param last_event_id: the header of that name; an empty one is none.
    :param names: the resources that there are.
    :raises HTTPBadRequest, InvalidInput: nothing that there is.
    :raises PolicyNotAuthorized: another project, asked for by somebody who is no administrator.
    """
    texts: dict[str, list[str]] = {}
    for key, text in given:
        texts.setdefault(PROJECT if key == TENANT else key, []).append(text)
    resources = frozenset(texts.pop(_RESOURCE, ()))
    projects = texts.pop(PROJECT, [])
    if texts:
        raise HTTPBadRequest(f"{[shown(key) for key in texts]} is invalid attribute for filtering")
    unknown = sorted(shown(name) for name in resources.difference(names))
    if unknown:
        raise InvalidInput(f"there is no resource {', '.join(unknown)}")
    after = _position(last_event_id) if last_event_id else None
    return Wanted(_scope(context, projects), resources, after)


def _scope(context: Context, projects: Sequence[str]) -> Scope:
    if not projects:
        return context.scope
    if len(set(projects)) > 1:
        raise InvalidInput("a stream is of one project or of all")
    project_id = projects[0]
    if not 0 < len(project_id) <= LONGEST_PROJECT:
        raise InvalidInput(f"{shown(project_id)} is no project")
    if not context.scope.is_everything and project_id != context.scope.project_id:
        raise PolicyNotAuthorized("rule:get_events")
    return Scope(project_id)


def _position(text: str) -> int:
    try:
        position: int = filter_integer(text)
    except InvalidInput:
        position = -1
    if not 0 <= position <= LARGEST_POSITION:
        raise InvalidInput(f"Last-Event-ID {shown(text)} is no position of the journal")
    return position


def accepts(accept: str | None) -> bool:
    """Return whether the header ``Accept`` takes events; without one everything is taken."""
    if accept is None or not accept.strip():
        return True
    return any(_is_taken(each) for each in accept.lower().split(","))


def _is_taken(media_range: str) -> bool:
    kind, *parameters = (part.strip() for part in media_range.split(";"))
    return kind in _TAKEN and not any(_REFUSED.fullmatch(parameter) for parameter in parameters)
