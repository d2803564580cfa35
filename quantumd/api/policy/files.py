"""The policy file: names of rules and check strings in YAML, as operators of OpenStack write it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

import yaml

from quantumd.api.policy.rules import Override, Policy, default_policy, make_policy
from quantumd.errors import SettingsError

LARGEST_BYTES: Final = 1_048_576
"""No policy file is larger."""
_TEXT: Final = "tag:yaml.org,2002:str"


def load_policy(path: str, known: Collection[str] = ()) -> Policy:
    """Return the policy of the file, or the defaults when there is no path.

    :param known: see ``make_policy``.
    :raises SettingsError: the file cannot be read or used; the sentence names the line.
    """
    if not path:
        return default_policy()
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"api.policy_file {path} cannot be read: {error.strerror}") from None
    if len(content) > LARGEST_BYTES:
        raise SettingsError(f"api.policy_file {path} is larger than {LARGEST_BYTES} bytes")
    return make_policy(read_overrides(content, path), path, known)


def read_overrides(content: bytes, place: str) -> dict[str, Override]:
    """Return the rules of a policy file. SettingsError.

    The file is only read as a tree of texts: no object is made of what it says, and nothing in it is expanded.
    """
    try:
        root = yaml.compose(content.decode(), Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise SettingsError(f"{place} is not UTF-8 text") from None
    except RecursionError:
        raise SettingsError(f"{place} is nested too deeply") from None
    except yaml.YAMLError as error:
        raise SettingsError(_broken(error, place)) from None
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise SettingsError(
            f"{place}, line {_line(root)}: a policy file holds names of rules, each with a check string"
        )
    overrides: dict[str, Override] = {}
    for key, value in root.value:
        for node in (key, value):
            if not isinstance(node, yaml.ScalarNode) or node.tag != _TEXT:
                raise SettingsError(f"{place}, line {_line(node)}: a rule is a name and a check string, both texts")
        if key.value in overrides:
            raise SettingsError(f"{place}, line {_line(key)}: the rule {key.value!r} is there twice")
        overrides[key.value] = Override(value.value, _line(key))
    return overrides


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _broken(error: yaml.YAMLError, place: str) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"{place}, line {mark.line + 1}" if mark is not None else place
    return f"{where}: this is no YAML: {getattr(error, 'problem', None) or 'a character that it does not allow'}"
