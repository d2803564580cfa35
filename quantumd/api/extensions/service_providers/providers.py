"""Service providers: what can stand behind a kind of service, as the kinds of routers that drivers make."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from quantumd.api.extensions.feature import Parts


@frozen
class Provider:
    """One way to provide a service. ``driver`` is what flavors' profiles call it."""

    service_type: str
    name: str
    driver: str
    is_default: bool = False


ROUTERS: Final = "L3_ROUTER_NAT"
PROVIDERS: Final = (Provider(ROUTERS, "quantumd", "quantumd.l3", is_default=True),)
"""Those that there are where routers are served."""


def providers_of(parts: Parts) -> tuple[Provider, ...]:
    """Return those that there are."""
    return PROVIDERS if parts.obeys("router") else ()
