"""The conformance page names every alias, and tests that there are."""

from __future__ import annotations

import re
from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from tests.bed.needs import CHECKOUT
from tests.conformance import INTRODUCTION, PROOFS, every_extension, page

_NAMED = re.compile(r"`(tests/[a-z_/]+\.py(?:::\w+)*)`")


def missing(proof: str) -> str | None:
    """Return what of a test's name is not there: its file, class or function."""
    path, *names = proof.split("::")
    file = CHECKOUT / path
    if not file.exists():
        return path
    text = file.read_text(encoding="utf-8")
    return next((name for name in names if not re.search(rf"^\s*(?:class|def) {name}\b", text, re.MULTILINE)), None)


class ConformanceTests(SynchronousTestCase):
    """docs/conformance.md."""

    def test_every_alias_has_its_proof(self) -> None:
        """And no alias is there that nobody announces."""
        self.assertEqual({each.alias for each in every_extension()}, set(PROOFS))

    def test_an_alias_is_announced_once(self) -> None:
        """By one family."""
        counted = Counter(each.alias for each in every_extension())
        self.assertEqual([alias for alias, count in counted.items() if count > 1], [])

    def test_every_proof_is_there(self) -> None:
        """Files, classes and functions of the names exist."""
        proofs = [proof for named in PROOFS.values() for proof in named] + _NAMED.findall(INTRODUCTION)
        self.assertEqual([(proof, missing(proof)) for proof in proofs if missing(proof) is not None], [])

    def test_the_page_is_the_one_that_is_made(self) -> None:
        """``python -m tests.conformance > docs/conformance.md`` changes nothing."""
        self.assertEqual((CHECKOUT / "docs" / "conformance.md").read_text(encoding="utf-8"), page())
