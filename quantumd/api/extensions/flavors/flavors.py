"""Flavors: kinds of a service that users choose from, each with the profiles that can provide it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy import Connection, delete, insert, select

from quantumd.api.errors import HTTPBadRequest
from quantumd.api.extensions.flavors.errors import (
    FlavorInUse,
    FlavorNotFound,
    FlavorServiceProfileBindingExists,
    FlavorServiceProfileBindingNotFound,
    ServiceProfileDisabled,
    ServiceProfileDriverNotFound,
)
from quantumd.api.extensions.flavors.profiles import PROFILES
from quantumd.api.extensions.service_providers.providers import Provider
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.kept import KeptAsRows
from quantumd.api.resources.rows import Rows, for_everybody
from quantumd.api.resources.views import IDS, View
from quantumd.model.context import Context
from quantumd.store.tables.services import flavor_profiles, flavors
from quantumd.store.transaction import Transaction

Parts = Mapping[str, str]

_COLUMNS = flavor_profiles.c
_GIVEN = ("name", "description", "service_type", "enabled")


def _with_profiles(connection: Connection, context: Context, views: Mapping[str, View]) -> None:
    statement = select(flavor_profiles).where(_COLUMNS.flavor_id.in_(IDS)).order_by(_COLUMNS.service_profile_id)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in connection.execute(statement, {"ids": list(views)}):
        found[row.flavor_id].append(row.service_profile_id)
    for flavor_id, view in views.items():
        view["service_profiles"] = found[flavor_id]


FLAVORS = Rows(
    "flavor", flavors, FlavorNotFound, for_everybody, hidden=frozenset({"created_at"}), children=_with_profiles
)


@frozen
class Flavors(KeptAsRows):
    """Operations on flavors, and the requests about their profiles."""

    rows: ClassVar = FLAVORS
    chance: Chance
    providers: tuple[Provider, ...]
    is_chosen: Callable[[Transaction, str], bool] = lambda tx, flavor_id: False
    """Whether anything has a flavor, so that it stays."""

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows."""
        profiles = sorted(body["service_profiles"])
        view = {
            "id": self.chance.new_id(),
            **{name: body[name] for name in _GIVEN},
            "service_profiles": profiles,
        }
        FLAVORS.insert(tx, context, {**view, "created_at": tx.now})
        _associate(tx, context, view["id"], profiles)
        return view

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations."""
        before = FLAVORS.show(tx.connection, context, resource_id)
        changed = dict(changes)
        if "service_profiles" in changed:
            changed["service_profiles"] = sorted(changed["service_profiles"])
            tx.connection.execute(delete(flavor_profiles).where(_COLUMNS.flavor_id == resource_id))
            _associate(tx, context, resource_id, changed["service_profiles"])
        return FLAVORS.change(tx, context, before, changed)

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. FlavorInUse."""
        before = FLAVORS.show(tx.connection, context, resource_id)
        if self.is_chosen(tx, resource_id):
            raise FlavorInUse(resource_id)
        FLAVORS.remove(tx, context, before)

    def associate(self, tx: Transaction, context: Context, parts: Parts, body: Any) -> View:
        """Give a flavor a profile. PolicyNotAuthorized, FlavorServiceProfileBindingExists, the two NotFound."""
        profile_id = _asked_profile(body)
        before = FLAVORS.show(tx.connection, context, parts["flavor_id"])
        if profile_id in before["service_profiles"]:
            raise FlavorServiceProfileBindingExists(profile_id, before["id"])
        _associate(tx, context, before["id"], (profile_id,))
        FLAVORS.change(tx, context, before, {"service_profiles": sorted((*before["service_profiles"], profile_id))})
        return {"service_profile": {"id": profile_id}}

    def dissociate(self, tx: Transaction, context: Context, parts: Parts, body: Any) -> None:
        """Take a profile from a flavor. PolicyNotAuthorized, FlavorServiceProfileBindingNotFound."""
        flavor_id, profile_id = parts["flavor_id"], parts["profile_id"]
        before = FLAVORS.show(tx.connection, context, flavor_id)
        if profile_id not in before["service_profiles"]:
            raise FlavorServiceProfileBindingNotFound(profile_id, flavor_id)
        tx.connection.execute(
            delete(flavor_profiles).where(_COLUMNS.flavor_id == flavor_id, _COLUMNS.service_profile_id == profile_id)
        )
        left = [each for each in before["service_profiles"] if each != profile_id]
        FLAVORS.change(tx, context, before, {"service_profiles": left})

    def next_providers(self, connection: Connection, context: Context, parts: Parts, query: Any) -> View:
        """Return who would provide the next service of a flavor.

        :raises FlavorServiceProfileBindingNotFound, ServiceProfileDisabled, ServiceProfileDriverNotFound: nobody.
        """
        found = provider_of(connection, context, parts["flavor_id"], self.providers)
        return {"next_providers": [{"driver": found.driver, "provider": found.name}]}


def provider_of(connection: Connection, context: Context, flavor_id: str, providers: Sequence[Provider]) -> Provider:
    """Return who provides what has a flavor.

    :raises FlavorServiceProfileBindingNotFound, ServiceProfileDisabled, ServiceProfileDriverNotFound: nobody.
    """
    profiles = FLAVORS.show(connection, context, flavor_id)["service_profiles"]
    if not profiles:
        raise FlavorServiceProfileBindingNotFound("", flavor_id)
    (profile,) = PROFILES.views(connection, context, profiles[:1])
    if not profile["enabled"]:
        raise ServiceProfileDisabled()
    for provider in providers:
        if provider.driver == profile["driver"]:
            return provider
    raise ServiceProfileDriverNotFound(profile["driver"])


def _associate(tx: Transaction, context: Context, flavor_id: str, profile_ids: Sequence[str]) -> None:
    for profile_id in profile_ids:
        PROFILES.show(tx.connection, context, profile_id)
        tx.connection.execute(insert(flavor_profiles), {"flavor_id": flavor_id, "service_profile_id": profile_id})


def _asked_profile(body: Any) -> str:
    profile = body.get("service_profile") if isinstance(body, dict) else None
    if not isinstance(profile, dict) or not isinstance(profile.get("id"), str):
        raise HTTPBadRequest("Failed to parse request. Required attribute 'id' not specified")
    profile_id: str = profile["id"]
    return profile_id
