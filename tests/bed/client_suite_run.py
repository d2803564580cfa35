"""Run by the client environment's Python: functional tests that ship with the client, in the order of their names.

The line of JSON on standard input says ``modules`` (dotted names of modules and packages), ``only`` (beginnings of the
ids of tests, or nothing), ``worker`` and ``workers``: the test classes are dealt out among them. Each line of JSON on
the descriptor of the first argument is a test that has ended: ``id``, ``outcome`` (passed, skipped, failed), ``why``
(the last line of it) and ``seconds``.
"""

from __future__ import annotations

import json
import os
import pkgutil
import sys
import time
import traceback
import unittest
from collections.abc import Iterator
from importlib import import_module
from typing import Any, TextIO


class Told(unittest.TestResult):
    """Tells of each test."""

    def __init__(self, to: TextIO) -> None:
        super().__init__()
        self._to = to
        self._began = 0.0

    def startTest(self, test: Any) -> None:
        self._began = time.monotonic()

    def stopTest(self, test: Any) -> None:
        """Nothing more comes of it."""

    def _tell(self, test: Any, outcome: str, why: str = "") -> None:
        seconds = round(time.monotonic() - self._began, 2)
        print(
            json.dumps({"id": test.id(), "outcome": outcome, "why": why, "seconds": seconds}), file=self._to, flush=True
        )

    def addSuccess(self, test: Any) -> None:
        self._tell(test, "passed")

    def addSkip(self, test: Any, reason: str) -> None:
        self._tell(test, "skipped", reason)

    def addError(self, test: Any, err: Any) -> None:
        self._tell(test, "failed", _last_line(err))

    addFailure = addError


def _last_line(err: Any) -> str:
    # testtools hands over texts with logs; the last line that names an error says what happened.
    text = "".join(traceback.format_exception(*err))
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith((" ", "}"))]
    named = [line for line in lines if "Error" in line or "Exception" in line or "Failed" in line or "!=" in line]
    return (named or lines or [""])[-1][:400]


def modules(names: list[str]) -> Iterator[str]:
    """Yield the modules of tests below the names."""
    for name in names:
        module = import_module(name)
        if not hasattr(module, "__path__"):
            yield name
            continue
        for found in pkgutil.iter_modules(module.__path__, name + "."):
            if found.name.rpartition(".")[2].startswith("test_"):
                yield found.name


def tests(suite: Any) -> Iterator[Any]:
    """Yield the tests of a suite of suites."""
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from tests(each)
        else:
            yield each


def main() -> None:
    """Run."""
    wanted = json.loads(sys.stdin.readline())
    told = Told(os.fdopen(int(sys.argv[1]), "w"))
    loader = unittest.TestLoader()
    every = [test for name in modules(wanted["modules"]) for test in tests(loader.loadTestsFromName(name))]
    only = tuple(wanted["only"])
    chosen = [test for test in every if not only or test.id().startswith(only)]
    classes = list(dict.fromkeys(type(test) for test in chosen))
    mine = set(classes[wanted["worker"] :: wanted["workers"]])
    unittest.TestSuite(test for test in chosen if type(test) in mine).run(told)


if __name__ == "__main__":
    main()
