"""Attribute maps: each attribute of a resource as data.

They drive validation, defaults, visibility, filters, the policy action of each attribute and the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import frozen


class _Required:
    def __repr__(self) -> str:
        return "REQUIRED"


class _Unset:
    def __repr__(self) -> str:
        return "UNSET"


REQUIRED: Final = _Required()
"""Default of an attribute that a create request must name."""

UNSET: Final = _Unset()
"""Default of an attribute that the rules fill in (an automatic gateway, an allocated address): it stays absent."""


@frozen
class Attribute:
    """One attribute of a resource.

    ``convert`` takes a JSON value and returns the value the rules work with, or raises InvalidInput.
    ``schema`` is the JSON schema of the value, for the OpenAPI document. ``in_post`` / ``in_put``: whether a create /
    an update may name it. ``default`` is used on create when absent (REQUIRED, UNSET or a value).
    ``is_visible``: whether answers hold it. ``filter_convert`` turns the text of a query into what rows hold; None:
    nobody can filter by it. ``is_sort_key`` says whether lists can be ordered by it; None: as they can be filtered.
    Who may see and set it is a matter of rules: quantumd.api.policy.
    ``extension`` is the alias that brings it; None for the core.
    """

    name: str
    convert: Callable[[Any], Any]
    schema: Mapping[str, Any]
    in_post: bool = False
    in_put: bool = False
    default: Any = UNSET
    is_visible: bool = True
    filter_convert: Callable[[str], Any] | None = None
    extension: str | None = None
    is_sort_key: bool | None = None

    @property
    def sorts(self) -> bool:
        """Whether lists can be ordered by it."""
        return self.filter_convert is not None if self.is_sort_key is None else self.is_sort_key
