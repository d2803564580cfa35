"""What devices are called and marked with, by which everybody knows them again. Pure.

Source: Nova and the Linux bridge agent that Neutron had, which used the same names.
"""

from __future__ import annotations

import re
from typing import Final

BRIDGE_PREFIX: Final = "brq"
TAP_PREFIX: Final = "tap"
VXLAN_PREFIX: Final = "vxlan-"
ID_CHARACTERS: Final = 11
"""As many of an id as fit into a device's name."""
FULL_ID: Final = 36

_TAP = re.compile(r"tap[0-9a-f]{8}-[0-9a-f]{2}")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SERVED, _NAMED, _CARRIES = "quantumd port ", "port ", "quantumd network "


def bridge_of(network_id: str) -> str:
    """Return the bridge of a network."""
    return BRIDGE_PREFIX + network_id[:ID_CHARACTERS]


def tap_of(port_id: str) -> str:
    """Return the device of a port."""
    return TAP_PREFIX + port_id[:ID_CHARACTERS]


def vxlan_of(vni: int) -> str:
    """Return the device through which a network's frames go to other hosts."""
    return f"{VXLAN_PREFIX}{vni}"


def is_tap(device: str) -> bool:
    """Whether a device is called as those of ports are."""
    return _TAP.fullmatch(device) is not None


def is_bridge(device: str) -> bool:
    """Whether a device is called as bridges of networks are."""
    return device.startswith(BRIDGE_PREFIX)


def start_of_id(tap: str) -> str:
    """Return the beginning of the id of a device's port."""
    return tap[len(TAP_PREFIX) :]


def served_alias(port_id: str) -> str:
    """Return the alias of the device of a port whose packets are let pass: the process that answers DHCP reads it."""
    return _SERVED + port_id


def named_alias(port_id: str) -> str:
    """Return the alias that only says which port a device is; whoever plugs a port without a binding sets it."""
    return _NAMED + port_id


def network_alias(network_id: str) -> str:
    """Return the alias of devices that were made, or taken over, for a network."""
    return _CARRIES + network_id


def is_served(alias: str) -> bool:
    """Whether an alias is that of a port whose packets are let pass."""
    return alias.startswith(_SERVED)


def port_in(alias: str) -> str | None:
    """Return which port an alias names; None when it names none."""
    found = _ID.search(alias) if alias.startswith((_SERVED, _NAMED)) else None
    return found[0] if found is not None else None


def network_in(alias: str) -> str | None:
    """Return which network an alias names; None when it names none."""
    return alias.removeprefix(_CARRIES) if alias.startswith(_CARRIES) else None


def served_port(device: str, alias: str) -> str | None:
    """Return the port whose packets a device is let pass; None of any other device."""
    return port_in(alias) if is_tap(device) and is_served(alias) else None
