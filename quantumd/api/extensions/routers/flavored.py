"""Flavors of routers: which may be chosen, and that one which is chosen stays."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from quantumd.api.errors import BadRequest
from quantumd.api.extensions.flavors.errors import FlavorDisabled
from quantumd.api.extensions.flavors.flavors import FLAVORS, provider_of
from quantumd.api.extensions.service_providers.providers import ROUTERS, Provider
from quantumd.model.context import Context
from quantumd.store.tables.routers import routers
from quantumd.store.transaction import Transaction


def require_flavor(tx: Transaction, context: Context, flavor_id: str, providers: Sequence[Provider]) -> None:
    """Refuse a flavor of which there is no router.

    :raises FlavorNotFound, FlavorDisabled, BadRequest: it is none that could be chosen.
    :raises FlavorServiceProfileBindingNotFound, ServiceProfileDisabled, ServiceProfileDriverNotFound: see
        ``provider_of``.
    """
    flavor = FLAVORS.show(tx.connection, context, flavor_id)
    if not flavor["enabled"]:
        raise FlavorDisabled()
    if flavor["service_type"] != ROUTERS:
        raise BadRequest("router", f"Flavor {flavor_id} is of {flavor['service_type']}, not of {ROUTERS}")
    provider_of(tx.connection, context.elevated, flavor_id, providers)


def is_chosen(tx: Transaction, flavor_id: str) -> bool:
    """Whether any router has a flavor."""
    found = select(routers.c.id).where(routers.c.flavor_id == flavor_id).limit(1)
    return tx.connection.execute(found).first() is not None
