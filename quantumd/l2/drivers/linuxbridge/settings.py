"""What the settings of a host say to this driver."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

from attrs import frozen

from quantumd.config import L2Settings
from quantumd.errors import SettingsError
from quantumd.l2.mappings import parse_interfaces
from quantumd.model.network import VXLAN


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
