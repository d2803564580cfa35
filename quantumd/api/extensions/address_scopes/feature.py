"""Address scopes: subnet pools that routers may connect without translation, because no address is in two of them."""

from __future__ import annotations

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.extensions.address_scopes.network_aspect import NetworkScopes
from quantumd.api.extensions.address_scopes.scopes import AddressScopes
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.resource import Resource
from quantumd.api.resources.pool_errors import AddressScopeNotFound
from quantumd.api.resources.standard_attributes import ID, NAMED, PROJECT_ID
from quantumd.api.values import BOOLEAN, filter_boolean, filter_integer, one_of

ALIAS = "address-scope"

SCOPE_ATTRIBUTES = (
    ID,
    NAMED,
    PROJECT_ID,
    Attribute(
        "shared",
        *BOOLEAN,
        in_post=True,
        in_put=True,
        default=False,
        filter_convert=filter_boolean,
    ),
    Attribute("ip_version", *one_of(4, 6), in_post=True, default=REQUIRED, filter_convert=filter_integer),
)


def feature(parts: Parts) -> Feature:
    """Return what address scopes add to the API."""
    extension = Extension(ALIAS, "Address scope", "Address scopes extension.", "2015-07-26T10:00:00-00:00")
    scopes = Resource(
        "address_scope",
        "address_scopes",
        SCOPE_ATTRIBUTES,
        AddressScopes(parts.chance),
        AddressScopeNotFound,
        path="address-scopes",
        extension=ALIAS,
    )
    return Feature(extensions=(extension,), resources=(scopes,), network_aspects=(NetworkScopes(),))
