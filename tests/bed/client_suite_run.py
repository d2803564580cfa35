"""Run by the client environment's Python: functional tests that ship with the client, in the order of their names.

The line of JSON on standard input says ``modules`` (dotted names of modules and packages), ``only`` (beginnings of the
ids of tests, or nothing), ``alone`` (beginnings too), ``worker`` and ``workers``: the test classes are dealt out among
them; with no workers it is those tests that are to run alone. Each line of JSON on
the descriptor of the first argument is a test that has ended: ``id``, ``outcome`` (passed, skipped, failed), ``why``
(the error, or the reason to skip) and ``seconds``.
"""

from __future__ import annotations

import json
import os
import pkgutil
import re
import sys
import time
import traceback
import unittest
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

_ERROR = re.compile(r"[\w.]+(Error|Exception|Failed|Timeout|Disabled|NotFound)\w*(:|$)")
_OUTSIDE = re.compile(r"(\w+) \((.+)\)")
_LONGEST = 600


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
            json.dumps({"id": _id(test), "outcome": outcome, "why": why, "seconds": seconds}), file=self._to, flush=True
        )

    def addSuccess(self, test: Any) -> None:
        self._tell(test, "passed")

    def addSkip(self, test: Any, reason: str) -> None:
        self._tell(test, "skipped", reason)

    def addError(self, test: Any, err: Any) -> None:
        self._tell(test, "failed", _why(err))

    addFailure = addError


def _id(test: Any) -> str:
    # What goes wrong before or after all tests of a class is told as setUpClass (module.Class).
    outside = _OUTSIDE.fullmatch(test.id())
    return f"{outside[2]}.{outside[1]}" if outside else str(test.id())


def _why(err: Any) -> str:
    # testtools hands over texts with logs; what begins with the last name of an error says what happened.
    lines = [line.strip() for line in "".join(traceback.format_exception(*err)).splitlines() if line.strip()]
    named = [number for number, line in enumerate(lines) if _ERROR.match(line)]
    return " ".join(lines[named[-1] if named else -1 :])[:_LONGEST]


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
    # Behind everything else: what stands beside this file has names that others have too.
    sys.path.append(str(Path(__file__).parent))
    told = Told(os.fdopen(int(sys.argv[1]), "w"))
    loader = unittest.TestLoader()
    every = [test for name in modules(wanted["modules"]) for test in tests(loader.loadTestsFromName(name))]
    only = tuple(wanted["only"])
    chosen = [test for test in every if not only or test.id().startswith(only)]
    alone = tuple(wanted["alone"])
    if wanted["workers"] == 0:
        mine = [test for test in chosen if test.id().startswith(alone)]
    else:
        beside = [test for test in chosen if not test.id().startswith(alone)]
        classes = list(dict.fromkeys(type(test) for test in beside))
        own = set(classes[wanted["worker"] :: wanted["workers"]])
        mine = [test for test in beside if type(test) in own]
    unittest.TestSuite(mine).run(told)


if __name__ == "__main__":
    main()
