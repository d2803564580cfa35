"""Conntrack helpers: the router knows connections that are agreed on in others, and translates them alike. Pure.

A helper is given to a connection when it begins; one that has begun keeps what it has.
"""

from __future__ import annotations

from typing import Final

from quantumd.edge.nft.interfaces import Chain, Helper
from quantumd.l3.features.base import FAMILY, Filters
from quantumd.model.conntrack_helper import KERNEL_NAMES
from quantumd.model.router_records import HelpedPort, RouterRecord

HELPING: Final = "helping"
_HOOK: Final = "type filter hook prerouting priority -150;"
"""Behind that which knows connections, and before their addresses are translated."""


def help_of(router: RouterRecord) -> Filters:
    """Return what gives connections their helpers; nothing of a router without any."""
    if not router.helped:
        return Filters()
    return Filters(
        {(FAMILY, HELPING): Chain(tuple(map(_rule, router.helped)), _HOOK)},
        helpers={(FAMILY, _name(each)): _helper(each) for each in router.helped},
    )


def _rule(helped: HelpedPort) -> str:
    return f'meta l4proto {helped.protocol} th dport {helped.port} ct helper set "{_name(helped)}"'


def _name(helped: HelpedPort) -> str:
    return f"{helped.helper}_{helped.protocol}"


def _helper(helped: HelpedPort) -> Helper:
    return Helper(KERNEL_NAMES[helped.helper][helped.protocol], helped.protocol)
