"""Flavors and the service profiles behind them."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.flavors.attributes import FLAVOR_ATTRIBUTES, PROFILE_ATTRIBUTES
from quantumd.api.extensions.flavors.errors import FlavorNotFound, ServiceProfileNotFound
from quantumd.api.extensions.flavors.flavors import Flavors
from quantumd.api.extensions.flavors.profiles import Profiles
from quantumd.api.extensions.routers.flavored import is_chosen
from quantumd.api.extensions.service_providers.providers import providers_of
from quantumd.api.resource import Action, Resource

_ALIAS = "flavors"
_PROFILES_OF = "flavors/<flavor_id>/service_profiles"


def feature(parts: Parts) -> Feature:
    """Return the family."""
    providers = providers_of(parts)
    flavors = Flavors(parts.chance, providers, is_chosen)
    return Feature(
        extensions=(
            Extension(
                _ALIAS,
                "Neutron Service Flavors",
                "Flavor specification for Neutron advanced services.",
                "2015-09-17T10:00:00-00:00",
            ),
        ),
        resources=(
            Resource(
                "flavor",
                "flavors",
                FLAVOR_ATTRIBUTES,
                flavors,
                FlavorNotFound,
                extension=_ALIAS,
            ),
            Resource(
                "service_profile",
                "service_profiles",
                PROFILE_ATTRIBUTES,
                Profiles(parts.chance, providers),
                ServiceProfileNotFound,
                extension=_ALIAS,
            ),
        ),
        actions=(
            Action(
                "POST",
                _PROFILES_OF,
                flavors.associate,
                rule="create_flavor_service_profile",
                status=201,
                extension=_ALIAS,
            ),
            Action(
                "DELETE",
                f"{_PROFILES_OF}/<profile_id>",
                flavors.dissociate,
                rule="delete_flavor_service_profile",
                extension=_ALIAS,
            ),
            Action(
                "GET",
                "flavors/<flavor_id>/next_providers",
                flavors.next_providers,
                writes=False,
                rule="get_flavor_next_providers",
                extension=_ALIAS,
            ),
        ),
    )
