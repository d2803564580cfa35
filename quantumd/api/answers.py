"""What callers are told when something is wrong. Pure: from an error to status, body and headers."""

from __future__ import annotations

from typing import Final

import orjson
from attrs import frozen

from quantumd.api.errors import HTTPMethodNotAllowed, TooManyAttempts, Unauthorized
from quantumd.errors import ApiError, EdgeError

_RETRY: Final = (b"Retry-After", b"1")


@frozen
class Answer:
    """A status code, a JSON body, and headers beyond the usual ones. ``is_bug``: nobody meant this to happen."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    is_bug: bool = False


def error_body(type_name: str, message: str) -> bytes:
    """Return the body of every error."""
    return orjson.dumps({"NeutronError": {"type": type_name, "message": message, "detail": ""}})


def answer_to(error: BaseException) -> Answer:
    """Return what the caller is told of an error; of a bug nothing but that it is one."""
    if isinstance(error, HTTPMethodNotAllowed):
        allow = (b"Allow", ", ".join(error.allowed).encode())
        return Answer(error.status, error_body(error.type, str(error)), (allow,))
    if isinstance(error, Unauthorized):
        return _challenge(error)
    if isinstance(error, TooManyAttempts):
        wait = (b"Retry-After", b"%d" % error.wait_seconds)
        return Answer(error.status, error_body(error.type, str(error)), (wait,))
    if isinstance(error, ApiError):
        headers = (_RETRY,) if error.status == 503 else ()
        return Answer(error.status, error_body(error.type, str(error)), headers)
    if isinstance(error, EdgeError):
        message = "The service is not available at the moment; try again."
        return Answer(503, error_body("ServiceUnavailable", message), (_RETRY,))
    message = "Request Failed: internal server error while processing your request."
    return Answer(500, error_body("HTTPInternalServerError", message), is_bug=True)


def _challenge(error: Unauthorized) -> Answer:
    # The body is that of Keystone's own errors: clients know it from every service.
    body = orjson.dumps({"error": {"code": error.status, "title": "Unauthorized", "message": str(error)}})
    return Answer(error.status, body, ((b"WWW-Authenticate", error.challenge.encode("ascii", "replace")),))
