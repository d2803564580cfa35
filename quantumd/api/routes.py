"""Klein's routes, without what nobody here needs of them."""

from __future__ import annotations

from typing import Any

from klein import Klein
from werkzeug.routing import Map, Rule
from werkzeug.routing.rules import RuleFactory


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


def _build_nothing(*_: object) -> Any:
    raise NotImplementedError("paths are not made from routes")
