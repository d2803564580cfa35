"""Answers ports by what this host itself knows of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from quantumd.errors import SettingsError
from quantumd.interfaces import Asker
from quantumd.services.metadata.answer import Answer
from quantumd.services.metadata.interfaces import IAnswering, IResponder
from quantumd.services.metadata.own import Files, document_at
from quantumd.services.metadata.request import Request


@implementer(IResponder)
@define(eq=False)
class OwnResponder:
    """See IResponder. ``read`` fires with the files of a port; it may fail with SettingsError."""

    read: Callable[[Asker], Deferred[Files]]

    def answer(self, request: Request, asker: Asker, answer: Any) -> Any:
        """See IResponder."""
        return _Answering(self, request, asker, answer)

    def close(self) -> Any:
        """See IResponder."""
        return None


@implementer(IAnswering)
@define(eq=False)
class _Answering:
    """See IAnswering."""

    _responder: OwnResponder
    _request: Request
    _asker: Asker
    _answer: Answer
    _log = Logger()

    def take(self, data: bytes) -> None:
        """See IAnswering: nothing that is sent changes anything here."""

    def end(self) -> None:
        """See IAnswering."""
        if self._request.method not in (b"GET", b"HEAD"):
            self._answer.refuse(405, "Metadata is only read here.")
            return
        reading = self._responder.read(self._asker)
        reading.addCallback(self._tell)
        reading.addErrback(self._cannot)

    def abandon(self) -> None:
        """See IAnswering."""

    def _tell(self, files: Files) -> None:
        found = document_at(self._request.path, self._asker, files)
        if found is None:
            self._answer.refuse(404, "There is nothing here.")
            return
        self._answer.begin(200, ((b"content-type", found.content_type),), len(found.body))
        self._answer.write(found.body)
        self._answer.finish()

    def _cannot(self, failure: Failure) -> None:
        failure.trap(SettingsError)
        self._log.warn("metadata of port {port}: {why}", port=self._asker.port_id, why=str(failure.value))
        self._answer.refuse(500, "The metadata cannot be read.")
