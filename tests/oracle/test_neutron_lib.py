"""Attribute maps, defaults, visibility, filters, sort keys, actions and validators: ours are neutron-lib's.

neutron-lib brings what must not be where we run, so it lives in an environment of its own (tests/bed/needs.py).
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.extensions.features import serve
from quantumd.config import NetworkSettings
from tests.bed.needs import environment_python
from tests.oracle.compare import RELAXED, Difference, Oracle, differences
from tests.oracle.differences import DELIBERATE, MOST

PYTHON = environment_python("oracle")


def found() -> list[Difference]:
    """Return every difference between neutron-lib and what is served in preview."""
    served = serve(NetworkSettings(), ("physnet1",), (), preview=True)
    if PYTHON is None:
        raise LookupError("the tests are skipped without the oracle")
    return differences(served, Oracle(PYTHON, tuple(each.alias for each in served.extensions)))


class NeutronLibTests(SynchronousTestCase):
    """What clients know of attributes is true here."""

    if not PYTHON:
        skip = "needs neutron-lib in .venv/oracle"

    def setUp(self) -> None:
        """Compare."""
        self.found = found()

    def test_every_difference_is_deliberate(self) -> None:
        """Each difference has its reason in differences.py."""
        unexplained = [str(each) for each in self.found if not any(known.covers(each) for known in DELIBERATE)]
        self.assertEqual(unexplained, [])

    def test_nothing_is_taken_that_they_refuse(self) -> None:
        """No validator is laxer than theirs."""
        self.assertEqual([str(each) for each in self.found if each.what == RELAXED], [])

    def test_every_deliberate_difference_is_there(self) -> None:
        """What no longer differs is not listed."""
        idle = [known for known in DELIBERATE if not any(known.covers(each) for each in self.found)]
        self.assertEqual(idle, [])


class DeliberateTests(SynchronousTestCase):
    """The list of what differs on purpose."""

    def test_there_are_few(self) -> None:
        """At most 20, each with its reason, and none that takes what they refuse."""
        self.assertLessEqual(len(DELIBERATE), MOST)
        for known in DELIBERATE:
            self.assertTrue(known.reason)
            self.assertFalse(any(fnmatchcase(RELAXED, pattern) for pattern in known.what))
