"""The documents say what is there: links, commands, settings, measurements and the tables of attributes.

``python -m tests.test_docs`` prints the tables of docs/api.md, made from the attribute maps.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.attributes import REQUIRED, UNSET, Attribute
from quantumd.api.extensions.features import Served, serve
from quantumd.api.policy.defaults import DEFAULTS
from quantumd.api.resource import Resource
from quantumd.config import NetworkSettings, Settings
from quantumd.metrics import Metrics
from tests.bed.needs import CHECKOUT

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_MAKE = re.compile(r"\bmake ([a-z][a-z-]*)")
_TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_METRIC = re.compile(r"\bquantumd_[a-z_]+\b")
_SUFFIXES = ("_total", "_bucket", "_count", "_sum")
_FILES = frozenset({"log.py", "api.md", "host.py", "amqp.py", "bus.key", "database.password"})
"""Names of files that look like settings."""
_EVENTS = frozenset({"l3.meter"})
"""Names of events that do."""


def everything() -> Served:
    """Return all that the API can serve."""
    return serve(NetworkSettings(), (), (), preview=True)


def documents() -> list[Path]:
    """Return README.md, everything in docs/ and the READMEs of rooms."""
    rooms = (CHECKOUT / "quantumd").rglob("README.md")
    return [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md")), *sorted(rooms)]


def texts() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each document."""
    for path in documents():
        yield str(path.relative_to(CHECKOUT)), path.read_text(encoding="utf-8")


def prose(text: str) -> str:
    """Return a document without its blocks of code, in which brackets are no links."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def code_of(text: str) -> list[str]:
    """Return what of a document is code: its blocks, indented or fenced, and what is in backticks."""
    fenced = re.findall(r"^```.*?^```", text, flags=re.DOTALL | re.MULTILINE)
    return [*fenced, *re.findall(r"^    .*$", text, flags=re.MULTILINE), *_CODE.findall(prose(text))]


def settings_names() -> frozenset[str]:
    """Return every setting as section.name."""
    sections: dict[str, Any] = {part.name: type(part.default) for part in attrs.fields(Settings)}
    return frozenset(f"{name}.{key.name}" for name, section in sections.items() for key in attrs.fields(section))


def attribute_table(resource: Resource) -> str:
    """Return a table of attributes as docs/api.md has it."""
    head = ("Attribute", "Value", "Create", "Update", "Filter", "Own rule to", "Extension")
    rows = [head, ("---",) * len(head), *(_row(each, resource.ruled_as) for each in resource.attributes)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(attribute: Attribute, ruled_as: str) -> tuple[str, ...]:
    verbs = {"see": "get", "create": "create", "update": "update"}
    return (
        f"`{attribute.name}`",
        _kind(attribute.schema),
        _default(attribute) if attribute.in_post else "",
        "yes" if attribute.in_put else "",
        "" if attribute.filter_convert is None else "yes",
        ", ".join(shown for shown, verb in verbs.items() if f"{verb}_{ruled_as}:{attribute.name}" in DEFAULTS),
        f"`{attribute.extension}`" if attribute.extension else "",
    )


def _default(attribute: Attribute) -> str:
    if attribute.default is REQUIRED:
        return "**required**"
    if attribute.default is UNSET:
        return "else automatic"
    shown = {"": "''", None: "null", True: "true", False: "false"}
    value = attribute.default
    return f"else `{shown.get(value, value) if value.__hash__ else value}`".replace("()", "[]")


def _kind(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'])}"
    if schema["type"] == "object" and "properties" in schema:
        return "{" + ", ".join(schema["properties"]) + "}"
    if schema["type"] == "integer" and schema.get("maximum", 1 << 63) < 1 << 62:
        return f"integer {schema['minimum']} to {schema['maximum']}"
    if "maxLength" in schema:
        return f"string of up to {schema['maxLength']}"
    return str(schema.get("format", schema["type"]))


class LinkTests(SynchronousTestCase):
    """Links between the documents and into the code."""

    def test_every_relative_link_leads_to_a_file(self) -> None:
        """Relative to the document that it is in."""
        dead = [
            f"{name}: {link}"
            for name, text in texts()
            for link in _LINK.findall(prose(text))
            if "://" not in link
            and not link.startswith("#")
            and not (CHECKOUT / name).parent.joinpath(link.partition("#")[0]).exists()
        ]
        self.assertEqual(dead, [])

    def test_every_file_that_is_named_exists(self) -> None:
        """Paths in backticks that begin with a directory of the checkout."""
        path = re.compile(r"(?:quantumd|tests|bench|conf|docs|constraints|twisted)/[\w./-]+")
        named = {
            (name, word.partition("::")[0])
            for name, text in texts()
            for word in _CODE.findall(prose(text))
            if path.fullmatch(word.partition("::")[0])
        }
        self.assertEqual(sorted(f"{n}: {word}" for n, word in named if not (CHECKOUT / word).exists()), [])

    def test_every_test_that_is_named_exists(self) -> None:
        """As ``tests/file.py::Class``."""
        named = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
        missing = [
            f"{name}: {path}::{what}"
            for name, text in texts()
            for path, what in named.findall(text)
            if not re.search(rf"^(class|    (async )?def) {what}\b", (CHECKOUT / path).read_text(), re.MULTILINE)
        ]
        self.assertEqual(missing, [])


class NameTests(SynchronousTestCase):
    """Names that the documents use."""

    def test_every_make_target_exists(self) -> None:
        """In all documents, inside backticks and blocks of code."""
        targets = set(_TARGET.findall((CHECKOUT / "Makefile").read_text()))
        named = {
            f"{name}: {target}"
            for name, text in texts()
            for code in code_of(text)
            for target in _MAKE.findall(code)
            if target not in targets
        }
        self.assertEqual(named, set())

    def test_every_setting_exists(self) -> None:
        """Words in backticks that are a section's name, a dot and a name, or assign to one."""
        sections = "|".join(part.name for part in attrs.fields(Settings))
        shape = re.compile(rf"(?:--set )?((?:{sections})\.[a-z_]+)(?: ?=.*)?")
        named = {
            f"{name}: {found[1]}"
            for name, text in texts()
            for word in _CODE.findall(prose(text))
            if (found := shape.fullmatch(word)) and found[1] not in settings_names() | _FILES | _EVENTS
        }
        self.assertEqual(named, set())

    def test_operations_names_every_measurement(self) -> None:
        """And no document names one that is not there."""
        known = {metric.name for metric in Metrics().registry.collect() if metric.name.startswith("quantumd_")}
        named: dict[str, str] = {}
        for name, text in texts():
            for word in _METRIC.findall(text):
                suffix = next((each for each in _SUFFIXES if word.endswith(each)), "")
                named[word if word in known else word.removesuffix(suffix)] = name
        self.assertEqual({word: at for word, at in named.items() if word not in known}, {})
        operations = (CHECKOUT / "docs" / "operations.md").read_text()
        self.assertEqual([name for name in sorted(known) if f"`{name}" not in operations], [])


class ApiTests(SynchronousTestCase):
    """docs/api.md."""

    def test_the_tables_are_those_of_the_attribute_maps(self) -> None:
        """Make them anew with ``python -m tests.test_docs > docs/resources.md`` when this fails."""
        self.assertEqual((CHECKOUT / "docs" / "resources.md").read_text(), resources_page())


def resources_page() -> str:
    """Return docs/resources.md: every resource with its attributes, every request beside them, every extension."""
    served = everything()
    parts = ["# Resources\n\nMade by `python -m tests.test_docs` from the attribute maps; see [api.md](api.md).\n"]
    for resource in served.resources:
        verbs = ", ".join(verb for verb in ("create", "list", "show", "update", "delete") if verb in resource.verbs)
        parts.append(f"## {resource.collection}\n\n`/v2.0/{resource.path}`: {verbs}.\n")
        parts.append(f"{attribute_table(resource)}\n")
    if served.actions:
        lines = "\n".join(f"- `{each.method} /v2.0/{each.path}`" for each in served.actions)
        parts.append(f"## Requests beside the verbs\n\n{lines}\n")
    lines = "\n".join(f"- `{each.alias}`: {each.name}" for each in served.extensions)
    parts.append(f"## Extensions\n\n{lines}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(resources_page())
