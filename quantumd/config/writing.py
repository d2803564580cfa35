"""Writes the sample file, ``conf/quantumd.toml``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from quantumd.config.settings import Settings, keys_of


def sample() -> str:
    """Return the text of ``conf/quantumd.toml``: every setting with its default, unit and sentence, commented out."""
    lines = [
        "# Settings of quantumd. Every setting is here with its default; uncomment a line to change it.",
        "# Made by `python -m quantumd.config`; an unknown name stops the start.",
    ]
    for part in attrs.fields(Settings):
        lines += ["", f"# {part.default.__doc__}", f"[{part.name}]"]
        for key in keys_of(part):
            lines += ["", *_sample_comment(key.metadata), f"#{key.name} = {_toml(key.default)}"]
    return "\n".join(lines) + "\n"


def _sample_comment(metadata: Mapping[Any, Any]) -> Iterator[str]:
    yield f"# {metadata['sentence']}"
    if metadata["choices"]:
        yield f"# One of: {', '.join(metadata['choices'])}."
    bounds = [f"at {word} {metadata[word]:_}" for word in ("least", "most") if metadata[word] is not None]
    if metadata["unit"]:
        bounds.insert(0, f"in {metadata['unit']}")
    if bounds:
        sentence = ", ".join(bounds)
        yield f"# {sentence[0].upper()}{sentence[1:]}."


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{value:_}" if isinstance(value, int) else str(value)
