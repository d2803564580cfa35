"""The policy file: names of rules and check strings in YAML, as operators of OpenStack write it."""

from __future__ import annotations

from typing import Final

import yaml

from quantumd.api.policy.rules import Override
from quantumd.errors import SettingsError

_TEXT: Final = "tag:yaml.org,2002:str"


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
