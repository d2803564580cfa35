"""What the settings of a host say to this driver."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address

from attrs import frozen

from quantumd.config import L2Settings
from quantumd.errors import SettingsError
from quantumd.model.network import VXLAN

_INTERFACE = re.compile(r"[A-Za-z0-9_.-]{1,15}")


@frozen
class Exits:
    """How networks leave this host: physical networks by NICs, tunnels from an address, '' is no tunnels."""

    interfaces: Mapping[str, str]
    tunnel_ip: str = ""


def exits_of(settings: L2Settings) -> Exits:
    """Return how networks leave this host. SettingsError."""
    tunnel_ip = settings.tunnel_ip
    try:
        tunnel_ip = str(ip_address(tunnel_ip)) if tunnel_ip else ""
    except ValueError:
        raise SettingsError(f"l2.tunnel_ip: {tunnel_ip!r} is not an IP address") from None
    others = [each for each in settings.tunnel_types if each != VXLAN]
    if others:
        raise SettingsError(f"l2.tunnel_types: the driver linuxbridge carries {VXLAN}, not {others[0]}")
    if settings.tunnel_types and not tunnel_ip:
        raise SettingsError("l2.tunnel_types: there are no tunnels without l2.tunnel_ip")
    return Exits(parse_interfaces(settings.interface_mappings), tunnel_ip)


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
