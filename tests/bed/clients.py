"""Many API clients at once, each on a connection of its own that it keeps."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from queue import Empty, SimpleQueue
from typing import Any

from attrs import define, field, frozen

_TIMEOUT_SECONDS = 60.0


@frozen
class Reply:
    """What one POST was answered with."""

    status: int
    body: Any

    @property
    def error_type(self) -> str:
        """The type of a refusal, empty when it is none."""
        return str(self.body.get("NeutronError", {}).get("type", ""))


@define(eq=False)
class Clients:
    """``number`` threads that POST what they are given. A client whose request breaks asks no more."""

    host: str
    port: int
    number: int
    replies: list[Reply] = field(factory=list, init=False)
    broken: list[str] = field(factory=list, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def post(self, path: str, bodies: Iterable[Any]) -> list[Reply]:
        """Send every body, and return the replies of this call when all are there or no client is left."""
        waiting: SimpleQueue[bytes] = SimpleQueue()
        for body in bodies:
            waiting.put(json.dumps(body).encode())
        first = len(self.replies)
        begin = threading.Barrier(self.number)
        with ThreadPoolExecutor(self.number) as threads:
            for done in [threads.submit(self._work, path, waiting, begin) for _ in range(self.number)]:
                done.result()
        return self.replies[first:]

    def _work(self, path: str, waiting: SimpleQueue[bytes], begin: threading.Barrier) -> None:
        connection = HTTPConnection(self.host, self.port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.connect()
            begin.wait(_TIMEOUT_SECONDS)
            while True:
                connection.request("POST", path, waiting.get_nowait(), {"Content-Type": "application/json"})
                response = connection.getresponse()
                self._note(Reply(response.status, json.loads(response.read())))
        except Empty:
            pass
        except (OSError, HTTPException) as error:
            with self._lock:
                self.broken.append(repr(error))
        finally:
            connection.close()

    def _note(self, reply: Reply) -> None:
        with self._lock:
            self.replies.append(reply)
