"""What namespaces and devices of routers are called, by which everybody knows them again. Pure."""

from __future__ import annotations

import re
from typing import Final

from quantumd.errors import SettingsError

PREFIX: Final = "quantumd-"
"""Begins the names of routers' namespaces, unless the settings say otherwise. Neutron's begin with qrouter-."""

INSIDE: Final = "qr-"
GATEWAY: Final = "qg-"
"""Begin the names of a router's own ends of its wires, as in Neutron."""

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SAFE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_OUTER: Final = "tap"
_ID_CHARACTERS: Final = 11
"""As many of an id as fit into a device's name."""


def parse_prefix(text: str) -> str:
    """Return what the setting says that names of namespaces begin with. SettingsError."""
    if _SAFE.fullmatch(text) is None:
        raise SettingsError(f"l3.namespace_prefix: {text!r} is no beginning of a name, as {PREFIX!r} is")
    return text


def namespace_of(router_id: str, prefix: str = PREFIX) -> str:
    """Return the namespace of a router."""
    return prefix + router_id


def router_in(namespace: str, prefix: str = PREFIX) -> str:
    """Return the router that lives in a namespace of ours; '' of one that is called otherwise."""
    router_id = namespace.removeprefix(prefix)
    return router_id if namespace.startswith(prefix) and _ID.fullmatch(router_id) else ""


def inner_of(prefix: str, port_id: str) -> str:
    """Return the router's own end of the wire of a port."""
    return prefix + port_id[:_ID_CHARACTERS]


def outer_of(port_id: str) -> str:
    """Return the end that is plugged."""
    return _OUTER + port_id[:_ID_CHARACTERS]


def inner_end(prefix: str, outer: str) -> str:
    """Return the router's own end of the wire whose other end is plugged."""
    return prefix + outer.removeprefix(_OUTER)
