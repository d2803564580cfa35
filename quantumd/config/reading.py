"""Reads settings from a file and from the command line, and says what is wrong with them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, get_type_hints

import attrs

from quantumd.config.settings import Settings, every_setting
from quantumd.errors import SettingsError

ASSIGNED: Final = "--set"
"""What errors call the command line."""


def default_path() -> Path:
    """Where the settings are read from when nobody says otherwise."""
    return Path("/etc/quantumd/quantumd.toml")


def load_settings(path: Path | None = None, assignments: Iterable[str] = ()) -> Settings:
    """Return the settings of a file, each ``section.key=value`` of ``assignments`` put over it.

    Without ``path`` every setting has its default before the assignments. A value in an assignment is TOML, or the
    text itself where the setting is a text.

    :raises SettingsError: the file cannot be read, or anything in it or in an assignment is unknown or wrong.
    """
    settings = Settings()
    if path is not None:
        settings = apply_document(settings, _read_document(path), str(path))
    for assignment in assignments:
        settings = apply_document(settings, _parse_assignment(assignment), ASSIGNED)
    return settings


def apply_document(settings: Settings, document: Mapping[str, Any], origin: str) -> Settings:
    """Return ``settings`` with the values of a parsed TOML document; ``origin`` names it in errors.

    :raises SettingsError: an unknown section or key, a wrong type, a value that is not allowed.
    """
    sections = {attribute.name: attribute for attribute in attrs.fields(Settings)}
    changed: dict[str, Any] = {}
    for name, table in document.items():
        if name not in sections:
            raise SettingsError(f"{origin}: there is no section [{name}]{_suggest(name, sections)}")
        if not isinstance(table, dict):
            raise SettingsError(f"{origin}: {name} is a section, write [{name}] and its settings below it")
        changed[name] = _apply_section(getattr(settings, name), name, table, origin)
    return attrs.evolve(settings, **changed)


def _apply_section(section: Any, name: str, table: Mapping[str, Any], origin: str) -> Any:
    known = {attribute.name: attribute for attribute in attrs.fields(type(section))}
    types = get_type_hints(type(section))
    changed: dict[str, Any] = {}
    for key, value in table.items():
        where = f"{origin}: {name}.{key}"
        if key not in known:
            raise SettingsError(f"{where}: there is no such setting{_suggest_key(name, key)}")
        if known[key].metadata["is_secret"]:
            _check_secret(value, where, origin)
        typed = _typed(value, types[key], where)
        _check_allowed(typed, known[key].metadata, where)
        changed[key] = typed
    return attrs.evolve(section, **changed)


def _check_secret(value: Any, where: str, origin: str) -> None:
    # Everybody on the machine sees command lines.
    if origin == ASSIGNED:
        raise SettingsError(f"{where}: a secret is not taken from the command line")
    if not isinstance(value, str):
        raise SettingsError(f"{where}: expected a text in quotes")


def _typed(value: Any, wanted: Any, where: str) -> Any:
    """Return the value as the setting's type; whole numbers are taken where fractions are allowed."""
    if wanted is float and type(value) is int:
        return float(value)
    if wanted in (bool, int, float, str) and type(value) is wanted:
        return value
    if wanted == tuple[str, ...] and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise SettingsError(f"{where}: expected {_TYPE_NAMES[wanted]}, got {value!r}")


_TYPE_NAMES: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text in quotes",
    tuple[str, ...]: "a list of texts",
}


def _check_allowed(value: Any, metadata: Mapping[Any, Any], where: str) -> None:
    choices, least, most = metadata["choices"], metadata["least"], metadata["most"]
    if choices and value not in choices:
        raise SettingsError(f"{where}: expected {_alternatives(choices)}, got {value!r}{_suggest(str(value), choices)}")
    if least is not None and not value >= least:
        raise SettingsError(f"{where}: must be at least {least}, got {value!r}")
    if most is not None and not value <= most:
        raise SettingsError(f"{where}: must be at most {most}, got {value!r}")


def _alternatives(choices: Iterable[str]) -> str:
    return " or ".join(f'"{choice}"' for choice in choices)


def _suggest(wrong: str, known: Iterable[str]) -> str:
    near = _nearest(wrong, list(known))
    return f"; did you mean {near[0]}?" if near else ""


def _nearest(wrong: str, known: list[str]) -> list[str]:
    # Takes longer to import than all settings take to read, and most are right.
    from difflib import get_close_matches

    return get_close_matches(wrong, known, n=1)


def _suggest_key(section: str, wrong: str) -> str:
    """Suggest a key of the same section, else the same or the nearest key of another."""
    names = {f"{part.name}.{key.name}": key.name for part, key in every_setting()}
    own = [key for full, key in names.items() if full.startswith(f"{section}.")]
    near = _nearest(wrong, own) or _nearest(wrong, list(names.values()))
    full = [full for full in names if near and full.endswith(f".{near[0]}")]
    full.sort(key=lambda candidate: not candidate.startswith(f"{section}."))
    return f"; did you mean {full[0]}?" if full else ""


def _read_document(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error


def _parse_assignment(assignment: str) -> Mapping[str, Any]:
    name, equals, text = assignment.partition("=")
    section, dot, key = name.strip().partition(".")
    if not (equals and dot and section and key):
        raise SettingsError(f"--set: expected section.key=value, got {assignment!r}")
    return {section: {key: _assigned(section, key, text)}}


def _assigned(section: str, key: str, text: str) -> Any:
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    wants_text = any(isinstance(k.default, str) for part, k in every_setting() if (part.name, k.name) == (section, key))
    return text if wants_text and not isinstance(value, str) else value
