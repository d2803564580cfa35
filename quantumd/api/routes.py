"""Routes of an application: which path is answered by which function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from klein import Klein

from quantumd.api.request import ApiRequest


def route(klein: Klein, path: str, method: str, answer: Callable[..., Any]) -> None:
    """Have ``answer(request, **parts)`` answer a method on a path; GET includes HEAD."""
    klein.route(path, methods=[method], endpoint=f"{method} {path}")(_plain(answer))


def _plain(answer: Callable[..., Any]) -> Callable[..., Any]:
    # Klein notes things on the functions that it is given, which bound methods do not take.
    def call(request: ApiRequest, **parts: str) -> Any:
        return answer(request, **parts)

    return call
