"""Aspects: groups of attributes that an extension adds to networks, subnets or ports, with rules of their own.

A core resource asks each of its aspects in turn. An aspect that keeps tables of its own writes and reads them; one
whose values are columns of the core table only settles them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from zope.interface import Attribute as Promised
from zope.interface import Interface

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from quantumd.api.attributes import Attribute
    from quantumd.model.context import Context
    from quantumd.store.transaction import Transaction

View = dict[str, Any]
Condition = Callable[[tuple[Any, ...]], "ColumnElement[bool]"]
"""Makes a condition on the core table of a filter's alternatives."""


class IAspect(Interface):
    """One extension's share of a core resource."""

    attributes = Promised("tuple[Attribute, ...]: what it adds to the attribute map")
    filters = Promised("Mapping[str, Condition]: filters that are not plain columns of the core table, by attribute")

    def settle(
        tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """Return the values of own attributes as answers show them, after checking them. ApiError.

        On create (``before`` is None) ``named`` is the whole converted body and every own attribute is returned; on
        update ``named`` are the changes and only own attributes that really change are returned. ``view`` is the
        resource as it will be (``project_id``, ``network_id``, ``device_owner`` … are there), own attributes excepted.
        """

    def store(tx: Transaction, resource_id: str, values: View) -> None:
        """Write settled values that are not columns of the core table; the core row exists by now."""

    def load(connection: Connection, views: Mapping[str, View]) -> None:
        """Add own attributes that are not columns of the core table to the views, which are keyed by id."""

    def forget(tx: Transaction, resource_id: str) -> None:
        """Remove what is kept beside the core row, before that goes; ApiError when it must not go."""


class KeptInRow:
    """The part of an aspect that has nothing to do: its values are in the core row, which is read and written."""

    filters: Mapping[str, Condition] = {}

    def store(self, tx: Transaction, resource_id: str, values: View) -> None:
        """See IAspect."""

    def load(self, connection: Connection, views: Mapping[str, View]) -> None:
        """See IAspect."""

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect."""


class AddsNothing(KeptInRow):
    """The part of an aspect that only has a say when a resource goes: what hangs on it goes too, or holds it."""

    attributes: tuple[Attribute, ...] = ()

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect."""
        return {}
