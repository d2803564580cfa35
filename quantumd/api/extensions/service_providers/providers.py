"""Service providers: what can stand behind a kind of service, as the kinds of routers that drivers make."""

from __future__ import annotations

from attrs import frozen


@frozen
class Provider:
    """One way to provide a service. ``driver`` is what flavors' profiles call it."""

    service_type: str
    name: str
    driver: str
    is_default: bool = False


PROVIDERS: tuple[Provider, ...] = ()
"""Those that are there; routers bring the first."""
