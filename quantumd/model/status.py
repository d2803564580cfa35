"""Status: what the API says of ports, routers and floating IPs, decided from what their hosts observed.

Nothing else sets that of ports and floating IPs to ACTIVE. Routers begin with it, as clients expect: a router that a
host carries is ACTIVE until that host says that something is wrong.
"""

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
    """What a port must be for ACTIVE: enabled, on ``host_id``, realised at ``version`` or later by every role.

    The first of the roles sees whether it is plugged.
    """

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

    :param is_served: whether it has an address on a subnet where DHCP answers.
    """
    return (L2, DHCP) if is_served else (L2,)


def next_status(current: str, wanted: Wanted, seen: Sequence[Realisation]) -> str:
    """Return the port's status.

    DOWN becomes ACTIVE when every wanted role of its host has realised the wanted version and the first of them sees
    it plugged.
    ACTIVE ends when the port is disabled, when its host says it is unplugged, or when one of the roles reports a fault.
    A role that lags behind, or of which nothing is known, changes nothing: absence of information is no news.
    """
    if not wanted.is_enabled or not wanted.host_id:
        return DOWN
    here = {item.role: item for item in seen if item.host == wanted.host_id and item.role in wanted.roles}
    if any(item.fault is not None for item in here.values()):
        return DOWN
    first = here.get(wanted.roles[0])
    if first is not None and not first.plugged:
        return DOWN
    if current == ACTIVE:
        return ACTIVE
    is_realised = all(role in here and here[role].version >= wanted.version for role in wanted.roles)
    return ACTIVE if is_realised else current


def next_router_status(current: str, version: int, seen: Realisation) -> str:
    """Return the status of a router of which its own host tells: DOWN when it is faulty or not there.

    It is ACTIVE again when the host has realised it, at ``version`` or later. That it is disabled changes nothing: its
    admin state says that.

    :param version: since when in the journal the router is with this host.
    """
    if seen.fault is not None or not seen.plugged:
        return DOWN
    return ACTIVE if seen.version >= version else current


def next_floating_status(current: str, router: str, version: int, realised: int) -> str:
    """Return the status of a floating IP that leads somewhere, when the host of its router has reported the router.

    It is DOWN while the router is. It becomes ACTIVE when what is realised is not older than where it leads.

    :param router: the router's status after the report; DOWN of one that is disabled.
    :param version: where in the journal the floating IP was led to where it leads now.
    :param realised: the version of the router that its host has realised, 0 of one that it has not.
    """
    if router != ACTIVE:
        return DOWN
    return ACTIVE if realised >= version else current
