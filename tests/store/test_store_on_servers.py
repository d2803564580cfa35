"""The tests of the store's threads, streams and consumers once more, on PostgreSQL and on MariaDB."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bed.databases import SERVERS, lacking
from tests.store import test_consumer, test_stream, test_writer
from tests.store.bed import StoreCase

OF_SQLITE = frozenset({"CommitFailureTests", "GroupCommitTests"})
"""What breaks a commit as only SQLite can, and what counts on positions without gaps."""


def _on_servers() -> Iterator[type[StoreCase]]:
    for module in (test_consumer, test_stream, test_writer):
        for name, case in vars(module).items():
            is_case = isinstance(case, type) and issubclass(case, StoreCase) and case.__module__ == module.__name__
            if not is_case or name in OF_SQLITE:
                continue
            for server in SERVERS:
                words = {"database": server, "skip": lacking(server), "__doc__": case.__doc__, "__module__": __name__}
                yield pytest.mark.time_limit(300)(type(f"{name}_{server}", (case,), words))


globals().update((each.__name__, each) for each in _on_servers())
