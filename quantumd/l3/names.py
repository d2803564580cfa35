"""What namespaces and devices of routers are called, by which everybody knows them again. Pure."""

from __future__ import annotations

from typing import Final

PREFIX: Final = "quantumd-"
"""Begins the names of routers' namespaces. Neutron's begin with qrouter-, and are none of ours."""

INSIDE: Final = "qr-"
GATEWAY: Final = "qg-"
"""Begin the names of a router's own ends of its wires, as in Neutron."""

_OUTER: Final = "tap"
_ID_CHARACTERS: Final = 11
"""As many of an id as fit into a device's name."""


def namespace_of(router_id: str) -> str:
    """Return the namespace of a router."""
    return PREFIX + router_id


def router_in(namespace: str) -> str:
    """Return the router that lives in a namespace of ours."""
    return namespace.removeprefix(PREFIX)


def inner_of(prefix: str, port_id: str) -> str:
    """Return the router's own end of the wire of a port."""
    return prefix + port_id[:_ID_CHARACTERS]


def outer_of(port_id: str) -> str:
    """Return the end that is plugged."""
    return _OUTER + port_id[:_ID_CHARACTERS]


def inner_end(prefix: str, outer: str) -> str:
    """Return the router's own end of the wire whose other end is plugged."""
    return prefix + outer.removeprefix(_OUTER)
