"""What callers are told of errors."""

from __future__ import annotations

import orjson
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.answers import answer_to
from quantumd.api.errors import HTTPBadRequest, HTTPNotFound, InvalidInput, SeveralErrors


class SeveralTests(SynchronousTestCase):
    """Several errors at once."""

    def told(self, *errors: HTTPBadRequest | HTTPNotFound | InvalidInput) -> tuple[int, str, str]:
        """Return status, type and message."""
        answer = answer_to(SeveralErrors(errors))
        body = orjson.loads(answer.body)["NeutronError"]
        return answer.status, body["type"], body["message"]

    def test_errors_of_one_status_are_told_together(self) -> None:
        """Under the type of the first, one sentence a line."""
        told = self.told(HTTPBadRequest("one"), InvalidInput("two"))
        self.assertEqual(told, (400, "HTTPBadRequest", "one\nInvalid input for operation: two."))

    def test_errors_of_several_statuses_are_a_conflict(self) -> None:
        """Each with its status and type."""
        told = self.told(HTTPBadRequest("one"), HTTPNotFound("two"))
        self.assertEqual(told, (409, "Conflict", "HTTP 400 HTTPBadRequest: one\nHTTP 404 HTTPNotFound: two"))
