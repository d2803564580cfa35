"""Service profiles: how a service is provided, by a driver or by what a driver is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy import Connection, select

from quantumd.api.extensions.agents.agents import for_admins
from quantumd.api.extensions.flavors.errors import (
    ServiceProfileDriverNotFound,
    ServiceProfileEmpty,
    ServiceProfileInUse,
    ServiceProfileNotFound,
)
from quantumd.api.extensions.service_providers.providers import Provider
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.kept import KeptAsRows
from quantumd.api.resources.rows import Rows
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.store.tables.services import flavor_profiles, service_profiles
from quantumd.store.transaction import Transaction

PROFILES = Rows(
    "service_profile", service_profiles, ServiceProfileNotFound, for_admins, hidden=frozenset({"created_at"})
)

_GIVEN = ("description", "driver", "enabled", "metainfo")


@frozen
class Profiles(KeptAsRows):
    """Operations on service profiles."""

    rows: ClassVar = PROFILES
    chance: Chance
    providers: tuple[Provider, ...]

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows."""
        self._require_driver(body["driver"])
        if not body["driver"] and not body["metainfo"]:
            raise ServiceProfileEmpty()
        view = {"id": self.chance.new_id(), **{name: body[name] for name in _GIVEN}}
        PROFILES.insert(tx, context, {**view, "created_at": tx.now})
        return view

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations. A profile that a flavor has stays as it is."""
        before = PROFILES.show(tx.connection, context, resource_id)
        self._require_driver(changes.get("driver", ""))
        _require_unused(tx.connection, resource_id)
        return PROFILES.change(tx, context, before, changes)

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. A profile that a flavor has is kept."""
        before = PROFILES.show(tx.connection, context, resource_id)
        _require_unused(tx.connection, resource_id)
        PROFILES.remove(tx, context, before)

    def _require_driver(self, driver: str) -> None:
        if driver and all(each.driver != driver for each in self.providers):
            raise ServiceProfileDriverNotFound(driver)


def _require_unused(connection: Connection, profile_id: str) -> None:
    statement = select(flavor_profiles.c.flavor_id).where(flavor_profiles.c.service_profile_id == profile_id).limit(1)
    if connection.execute(statement).first() is not None:
        raise ServiceProfileInUse(profile_id)
