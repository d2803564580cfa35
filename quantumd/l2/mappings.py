"""The settings that say by what a host reaches physical networks, which every process of a host reads."""

from __future__ import annotations

import re

from quantumd.errors import SettingsError

_INTERFACE = re.compile(r"[A-Za-z0-9_.-]{1,15}")


def parse_bridges(mappings: tuple[str, ...]) -> dict[str, str]:
    """Return physical network → bridge from the setting's ``physical_network:bridge``. SettingsError."""
    parsed = {}
    for mapping in mappings:
        physical_network, _, bridge = mapping.partition(":")
        if not physical_network or not bridge:
            raise SettingsError(f"l2.bridge_mappings: {mapping!r} is not physical_network:bridge")
        parsed[physical_network] = bridge
    return parsed


def parse_interfaces(mappings: tuple[str, ...]) -> dict[str, str]:
    """Return physical network → NIC from the setting's ``physical_network:interface``. SettingsError."""
    parsed: dict[str, str] = {}
    for mapping in mappings:
        name, _, interface = mapping.partition(":")
        if not name or _INTERFACE.fullmatch(interface) is None:
            raise SettingsError(f"l2.interface_mappings: {mapping!r} is not physical_network:interface")
        if interface in parsed.values():
            raise SettingsError(f"l2.interface_mappings: {interface!r} can be in one bridge only")
        parsed[name] = interface
    return parsed
