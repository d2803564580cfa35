"""The page of rules and the sample file are printed from the rules."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.extensions.features import serve
from quantumd.api.policy.defaults import DEFAULTS
from quantumd.api.policy.defaults.base import RULES as BASE
from quantumd.api.policy.overrides import read_overrides
from quantumd.api.policy.page import page, requests_of, sample
from quantumd.api.policy.rules import make_policy
from quantumd.config import NetworkSettings
from tests.bed.needs import CHECKOUT

UNASKED = frozenset({"get_flavor_service_profile"})
"""Rules of Neutron's for requests that no client makes."""


class PageTests(SynchronousTestCase):
    """What operators read is what holds."""

    served = serve(NetworkSettings(), (), (), preview=True)

    def test_page_is_printed_from_the_rules(self) -> None:
        """Print it anew with ``python -m quantumd.api.policy.page > docs/policy.md``."""
        self.assertEqual((CHECKOUT / "docs" / "policy.md").read_text(), page())

    def test_sample_is_printed_from_the_rules(self) -> None:
        """Print it anew with ``python -m quantumd.api.policy.page --sample > conf/policy.yaml``."""
        text = (CHECKOUT / "conf" / "policy.yaml").read_text()
        self.assertEqual(text, sample())
        self.assertEqual(read_overrides(text.encode(), "sample"), {})

    def test_sample_without_its_marks_is_the_defaults(self) -> None:
        """Every line of it can be taken as it is."""
        text = "\n".join(line[1:] for line in sample().splitlines() if line.startswith('#"'))
        self.assertEqual(make_policy(read_overrides(text.encode(), "sample")).texts, DEFAULTS)

    def test_every_verb_that_is_served_has_a_rule(self) -> None:
        """What is served later cannot go without."""
        verbs = {"list": "get", "show": "get"}
        wanted = {f"{verbs.get(verb, verb)}_{each.ruled_as}" for each in self.served.resources for verb in each.verbs}
        self.assertEqual(wanted - {*DEFAULTS}, set())

    def test_every_action_that_is_served_has_a_rule(self) -> None:
        """But those that tell callers their own project."""
        without = {each.path for each in self.served.actions if each.rule not in DEFAULTS}
        self.assertEqual(without, {"quotas/tenant", "quotas/project"})

    def test_every_rule_is_asked(self) -> None:
        """None is for show."""
        self.assertEqual({*DEFAULTS} - {*requests_of(self.served)} - {*BASE}, UNASKED)
