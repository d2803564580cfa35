"""What Keystone says to questions about tokens. Pure."""

from __future__ import annotations

import orjson

from quantumd.api.keystone.caller import BadDocument, Caller, read_caller
from quantumd.edge.http.messages import Reply
from quantumd.errors import EdgeUnavailable


def caller_of(reply: Reply, what: str) -> Caller:
    """Return whom the token of an answer stands for; ``what`` was asked for.

    :raises EdgeUnavailable: the answer is another one, or makes no sense. Nothing of it is repeated that may have been
        sent.
    """
    if reply.status not in (200, 201):
        raise EdgeUnavailable(f"Keystone answers {what} with {reply.status}{_title(reply.body)}")
    try:
        return read_caller(reply.body)
    except BadDocument as error:
        raise EdgeUnavailable(f"Keystone's answer to {what} makes no sense: {error}") from None


def _title(body: bytes) -> str:
    # The short name of the error only: its message may repeat what was sent.
    try:
        title = orjson.loads(body)["error"]["title"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""
    return f" ({str(title)[:80]})"
