"""Check strings, the language of policies, read into trees: ``rule:admin_only or (role:member and not rule:shared)``.

The language is oslo.policy's: checks are ``kind:match``, ``@`` (always) and ``!`` (never); ``not`` binds closest, then
``and``, then ``or``; an empty text is always true. Source: oslo.policy, the generic documentation of its rules.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from attrs import frozen

LONGEST_BYTES: Final = 8192
"""No check string is longer."""
_DEEPEST: Final = 50

_TOKEN: Final = re.compile(r"""\s*(\(|\)|(?:'[^']*'|"[^"]*"|%\([^()\s]*\)s|[^\s()'"%]|%)+)""")


class BadCheck(Exception):
    """The text is no check; ``str()`` is a clause that says why."""


@frozen
class Always:
    """``@``, ``!`` or nothing."""

    is_allowed: bool


@frozen
class Check:
    """``kind:match``, as it is written."""

    kind: str
    match: str


@frozen
class Not:
    """``not part``."""

    part: Tree


@frozen
class All:
    """``part and part``."""

    parts: tuple[Tree, ...]


@frozen
class Some:
    """``part or part``."""

    parts: tuple[Tree, ...]


Tree: TypeAlias = "Always | Check | Not | All | Some"


def parse(text: str) -> Tree:
    """Return the tree of a check string. BadCheck."""
    if len(text) > LONGEST_BYTES:
        raise BadCheck(f"it is longer than {LONGEST_BYTES} characters")
    tokens = _tokens(text)
    if not tokens:
        return Always(True)
    tree, rest = _some(tokens, 0)
    if rest:
        raise BadCheck(f"there is {rest[0]!r} where it should end or go on with 'and' or 'or'")
    return tree


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise BadCheck(f"a quote that begins at {text[at:].strip()[:20]!r} does not end")
        tokens.append(found[1])
        at = found.end()
    return tokens


def _some(tokens: list[str], depth: int) -> tuple[Tree, list[str]]:
    parts, rest = _joined(tokens, depth)
    found = [parts]
    while rest and rest[0].lower() == "or":
        part, rest = _joined(rest[1:], depth)
        found.append(part)
    return (found[0] if len(found) == 1 else Some(tuple(found))), rest


def _joined(tokens: list[str], depth: int) -> tuple[Tree, list[str]]:
    part, rest = _one(tokens, depth)
    found = [part]
    while rest and rest[0].lower() == "and":
        part, rest = _one(rest[1:], depth)
        found.append(part)
    return (found[0] if len(found) == 1 else All(tuple(found))), rest


def _one(tokens: list[str], depth: int) -> tuple[Tree, list[str]]:
    if depth > _DEEPEST:
        raise BadCheck("it is nested too deeply")
    if not tokens:
        raise BadCheck("it ends where a check should be")
    first, rest = tokens[0], tokens[1:]
    if first.lower() == "not":
        part, rest = _one(rest, depth + 1)
        return Not(part), rest
    if first == "(":
        part, rest = _some(rest, depth + 1)
        if not rest or rest[0] != ")":
            raise BadCheck("a parenthesis is not closed")
        return part, rest[1:]
    return _check(first), rest


def _check(token: str) -> Tree:
    if token in ("@", "!"):
        return Always(token == "@")
    if token == ")" or token.lower() in ("and", "or"):
        raise BadCheck(f"there is {token!r} where a check should be")
    kind, colon, match = token.partition(":")
    if not colon or not kind or not match:
        raise BadCheck(f"{token!r} is no check, which is kind:match, @ or !")
    return Check(kind, match)
