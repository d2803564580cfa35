"""Status: what the API says of a port, decided from what its host observed. Nothing else sets it to ACTIVE."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

ACTIVE = "ACTIVE"
DOWN = "DOWN"

L2 = "l2"
DHCP = "dhcp"
L3 = "l3"


@frozen
class Wanted:
    """What a port must be for ACTIVE: enabled, on ``host_id``, realised at ``version`` or later by every role."""

    is_enabled: bool
    host_id: str
    version: int
    roles: tuple[str, ...]


@frozen
class Realisation:
    """What a host last said of a port in one role. See PortReport for the fields."""

    role: str
    host: str
    version: int
    plugged: bool
    fault: str | None


def roles_of(is_served: bool) -> tuple[str, ...]:
    """Return the roles that must realise a port.

    :param is_served: whether it has an IPv4 address on a subnet with DHCP.
    """
    return (L2, DHCP) if is_served else (L2,)


def next_status(current: str, wanted: Wanted, seen: Sequence[Realisation]) -> str:
    """Return the port's status.

    DOWN becomes ACTIVE when every wanted role of its host has realised the wanted version and l2 sees it plugged.
    ACTIVE ends when the port is disabled, when its host says it is unplugged, or when one of the roles reports a fault.
    A role that lags behind, or of which nothing is known, changes nothing: absence of information is no news.
    """
    if not wanted.is_enabled or not wanted.host_id:
        return DOWN
    here = {item.role: item for item in seen if item.host == wanted.host_id and item.role in wanted.roles}
    if any(item.fault is not None for item in here.values()):
        return DOWN
    l2 = here.get(L2)
    if l2 is not None and not l2.plugged:
        return DOWN
    if current == ACTIVE:
        return ACTIVE
    is_realised = all(role in here and here[role].version >= wanted.version for role in wanted.roles)
    return ACTIVE if is_realised else current
