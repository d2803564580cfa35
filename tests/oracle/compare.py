"""Our attribute maps beside neutron-lib's: every difference, as data."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from quantumd.api.attribute_map import PROJECT, TENANT
from quantumd.api.attributes import REQUIRED, UNSET, Attribute
from quantumd.api.extensions.features import Served
from quantumd.api.resource import Resource
from quantumd.errors import ApiError
from tests.oracle.corpus import corpus

_SCRIPT: Final = Path(__file__).with_name("neutron_lib_maps.py")

RELAXED: Final = "takes what they refuse"
STRICTER: Final = "refuses what they take"
CONVERTED: Final = "makes something else of"

_KINDS: Final = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}

_NOTHING: Final[tuple[list[Any], ...]] = (["value", None], ["value", ""], ["value", []], ["value", {}])


@frozen
class Difference:
    """One way in which an attribute of ours is not theirs; ``example`` is a value that shows it."""

    collection: str
    attribute: str
    what: str
    example: Any = None

    def __str__(self) -> str:
        shown = "" if self.example is None else f": {self.example!r}"
        return f"{self.collection}.{self.attribute} {self.what}{shown}"


@frozen
class Oracle:
    """neutron-lib in its own environment."""

    python: Path
    aliases: tuple[str, ...]

    def ask(self, **question: Any) -> Any:
        """Return its answer. LookupError when it has none."""
        done = subprocess.run(
            (self.python, str(_SCRIPT)),
            input=json.dumps({"aliases": self.aliases, **question}),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise LookupError(done.stderr)
        return json.loads(done.stdout)


def differences(served: Served, oracle: Oracle) -> list[Difference]:
    """Return every difference between what we serve and what neutron-lib says of the same extensions."""
    told = oracle.ask()
    ours = {resource.collection.replace("-", "_"): resource for resource in served.resources}
    collections = {name: attributes for name, attributes in told["collections"].items() if name in ours}
    mapped = frozenset((*told["aliases"], None))
    found = [
        each for name, attributes in collections.items() for each in _map_differences(ours[name], attributes, mapped)
    ]
    found += _missing_collections(ours, told["collections"])
    found += _missing_actions(served, told["actions"])
    values = {
        name: {
            attribute: corpus(attribute, spec)
            for attribute, spec in attributes.items()
            if (spec["allow_post"] or spec["allow_put"]) and _attribute(ours[name], attribute) is not None
        }
        for name, attributes in collections.items()
    }
    judged = oracle.ask(values=values)
    for name, attributes in values.items():
        for attribute, tried in attributes.items():
            mine = _attribute(ours[name], attribute)
            if mine is not None:
                found += _value_differences(name, mine, tried, judged[name][attribute])
    return found


def _attribute(resource: Resource, name: str) -> Attribute | None:
    wanted = PROJECT if name == TENANT else name
    return next((each for each in resource.attributes if each.name == wanted), None)


def _missing_collections(ours: Mapping[str, Resource], theirs: Mapping[str, Any]) -> Iterator[Difference]:
    for name, attributes in theirs.items():
        if name not in ours and any(spec["primary_key"] for spec in attributes.values()):
            yield Difference(name, "*", "is not served")


def _missing_actions(served: Served, theirs: Mapping[str, Any]) -> Iterator[Difference]:
    have = {(action.method, action.path.rpartition("/")[2]) for action in served.actions}
    for members in theirs.values():
        for member, actions in members.items():
            for name, method in actions.items():
                if (method, name) not in have:
                    yield Difference(member, name, f"is no {method} request of ours")


def _map_differences(
    resource: Resource, theirs: Mapping[str, Any], mapped: frozenset[str | None]
) -> Iterator[Difference]:
    """Yield what differs.

    :param mapped: the aliases whose attributes neutron-lib holds; those of others Neutron has itself.
    """
    name = resource.collection.replace("-", "_")
    for attribute, spec in theirs.items():
        mine = _attribute(resource, attribute)
        if mine is None:
            yield Difference(name, attribute, "is missing")
        else:
            yield from _spec_differences(name, attribute, mine, spec)
    if "id" not in theirs:
        return
    for each in resource.attributes:
        is_shown = each.is_visible or each.in_post or each.in_put
        if is_shown and each.extension in mapped and each.name not in (*theirs, PROJECT):
            yield Difference(name, each.name, "is unknown to neutron-lib")


def _spec_differences(name: str, attribute: str, mine: Attribute, theirs: Mapping[str, Any]) -> Iterator[Difference]:
    said = {
        "allow_post": mine.in_post,
        "allow_put": mine.in_put,
        "is_visible": mine.is_visible,
        "is_filter": mine.filter_convert is not None,
        "is_sort_key": mine.sorts,
    }
    for key, value in said.items():
        if value != theirs[key]:
            yield Difference(name, attribute, f"{key} is {value}")
    # Whose it is follows from the caller, whatever the maps say.
    if mine.in_post and theirs["allow_post"] and attribute not in (TENANT, PROJECT):
        default = _default(mine)
        # What they leave to their plug-ins is nothing in particular: no text, no items.
        is_left_open = theirs["default"] == "UNSET" and default in _NOTHING
        if default != theirs["default"] and not is_left_open:
            yield Difference(name, attribute, f"has the default {default} instead of {theirs['default']}")


def _default(attribute: Attribute) -> Any:
    if attribute.default is REQUIRED:
        return "REQUIRED"
    return "UNSET" if attribute.default is UNSET else ["value", _plain(attribute.default)]


def _value_differences(
    name: str, mine: Attribute, tried: list[Any], judged: list[tuple[str, Any]]
) -> Iterator[Difference]:
    for value, (verdict, result) in zip(tried, judged, strict=True):
        got, made = _converted(mine, value)
        if got != verdict:
            what = RELAXED if verdict == "refused" else f"{STRICTER} ({_KINDS[type(value)]})"
            yield Difference(name, mine.name, what, value)
        # Texts in another canonical form are the same value: what they made becomes what we made.
        elif got == "taken" and _plain(made) != result and _converted(mine, result) != ("taken", made):
            yield Difference(name, mine.name, CONVERTED, value)


def _converted(attribute: Attribute, value: Any) -> tuple[str, Any]:
    try:
        return "taken", attribute.convert(value)
    except ApiError as refusal:
        return "refused", str(refusal)


def _plain(value: Any) -> Any:
    """Return the value as JSON has it."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value
