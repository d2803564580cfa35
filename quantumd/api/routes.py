"""Routes of an application: which path is answered by which function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from klein import Klein
from werkzeug.routing import Map, Rule
from werkzeug.routing.rules import RuleFactory

from quantumd.api.request import ApiRequest


class MatchedRule(Rule):
    """A rule that is matched with paths, and of which no path is made.

    For the latter werkzeug compiles two functions for each rule: two thirds of what the start takes beside imports.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Any:
        return _build_nothing


class MatchedRules(Map):
    """Rules that are only matched."""

    def add(self, rulefactory: RuleFactory) -> None:
        """Take a rule, as one that is only matched."""
        for rule in rulefactory.get_rules(self):
            super().add(MatchedRule(rule.rule, **rule.get_empty_kwargs()))


def make_klein() -> Klein:
    """Return an application without routes, which takes rules that are only matched."""
    klein = Klein()
    klein._url_map = MatchedRules()
    return klein


def route(klein: Klein, path: str, method: str, answer: Callable[..., Any]) -> None:
    """Have ``answer(request, **parts)`` answer a method on a path; GET includes HEAD."""
    klein.route(path, methods=[method], endpoint=f"{method} {path}")(_plain(answer))


def _plain(answer: Callable[..., Any]) -> Callable[..., Any]:
    # Klein notes things on the functions that it is given, which bound methods do not take.
    def call(request: ApiRequest, **parts: str) -> Any:
        return answer(request, **parts)

    return call


def _build_nothing(*_: object) -> Any:
    raise NotImplementedError("paths are not made from routes")
