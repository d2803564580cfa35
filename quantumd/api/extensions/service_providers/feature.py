"""The list of service providers."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from sqlalchemy import Connection

from quantumd.api.attributes import Attribute
from quantumd.api.errors import HTTPNotFound
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.computed import Computed
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.service_providers.providers import Provider, providers_of
from quantumd.api.resource import Query, Resource
from quantumd.api.values import BOOLEAN, string
from quantumd.model.context import Context

_TEXT = string(255)

_ATTRIBUTES = (
    Attribute("service_type", *_TEXT),
    Attribute("name", *_TEXT),
    Attribute("default", *BOOLEAN),
)


@frozen
class _Listed:
    providers: tuple[Provider, ...]

    def views(self, connection: Connection, context: Context, query: Query) -> list[dict[str, Any]]:
        """Return all of them."""
        return [
            {"service_type": each.service_type, "name": each.name, "default": each.is_default}
            for each in self.providers
        ]


def feature(parts: Parts) -> Feature:
    """Return the family."""
    return Feature(
        extensions=(
            Extension(
                "service-type",
                "Neutron Service Type Management",
                "API for retrieving service providers for Neutron advanced services",
                "2013-01-20T00:00:00-00:00",
            ),
        ),
        resources=(
            Resource(
                "service_provider",
                "service_providers",
                _ATTRIBUTES,
                Computed(_Listed(providers_of(parts)).views, HTTPNotFound),
                HTTPNotFound,
                path="service-providers",
                verbs=frozenset({"list"}),
                extension="service-type",
            ),
        ),
    )
