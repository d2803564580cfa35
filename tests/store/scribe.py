"""A process that writes until it is killed: ``python -m tests.store.scribe URL NAME``; says what is durable."""

from __future__ import annotations

import os
import sys
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from quantumd.config import DatabaseSettings
from quantumd.store.store import Store
from quantumd.store.transaction import Transaction
from tests.contracts.store import add, note

CLIENTS = 8


async def client(store: Store, prefix: str, most: int) -> None:
    """Write names, one after the other, and print each when it is acknowledged."""
    for number in range(most):
        name = f"{prefix}-{number}"

        def work(transaction: Transaction, name: str = name) -> None:
            add(name)(transaction)
            note(transaction, name)

        await store.write(work)
        # Not print: one write, so that what was said has left the process.
        os.write(1, f"{name}\n".encode())


async def write(url: str, name: str, most: int) -> None:
    """Write from several clients."""
    any_reactor: Any = reactor
    store = Store(any_reactor, DatabaseSettings(), url)
    store.start()
    for running in [Deferred.fromCoroutine(client(store, f"{name}.{number}", most)) for number in range(CLIENTS)]:
        await running
    await store.stop()


if __name__ == "__main__":
    react(lambda _: Deferred.fromCoroutine(write(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
