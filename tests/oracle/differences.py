"""Where we differ from neutron-lib on purpose: at most 20, each with its reason; none takes what it refuses."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

from attrs import frozen

from tests.oracle.compare import CONVERTED, STRICTER, Difference

MOST: Final = 20


@frozen
class Deliberate:
    """A difference that is meant: at which attributes (``collection.attribute``), and what. Both may hold ``*``."""

    where: tuple[str, ...]
    what: tuple[str, ...]
    reason: str

    def covers(self, found: Difference) -> bool:
        """Whether this is the one that was found."""
        name = f"{found.collection}.{found.attribute}"
        is_there = any(fnmatchcase(name, pattern) for pattern in self.where)
        return is_there and any(fnmatchcase(found.what, pattern) for pattern in self.what)


DELIBERATE: Final[tuple[Deliberate, ...]] = (
    Deliberate(
        ("*",),
        (f"{STRICTER} (a boolean)", f"{STRICTER} (a number)"),
        "True is no number, a fraction no integer, a number no address or MAC, and columns hold 63 bits.",
    ),
    Deliberate(
        ("*.name",),
        (f"{STRICTER} (a text)",),
        "A name is one line, without a break at its end, and no longer than its column.",
    ),
    Deliberate(
        ("ports.binding:host_id", "bindings.host", "security_group_rules.remote_address_group_id"),
        (f"{STRICTER} (a text)", f"{STRICTER} (a list)", f"{STRICTER} (an object)", f"{STRICTER} (null)"),
        "Their maps do not look at it and their database fails on it; it is a text of at most 255 characters.",
    ),
    Deliberate(
        ("service_profiles.metainfo",),
        (f"{STRICTER} (a list)", f"{STRICTER} (an object)", f"{STRICTER} (null)"),
        "Their map does not look at it and their database fails on it; it is a text.",
    ),
    Deliberate(
        ("service_profiles.id",),
        ("allow_post is False", "is_filter is True", "is_sort_key is True"),
        "Ids are given by the service, and profiles are found by theirs, as everything else.",
    ),
    Deliberate(
        ("tap_services.*", "tap_flows.*", "tap_mirrors.*"),
        ("is_filter is True", "is_sort_key is True"),
        "Their maps say so of no attribute; taps are found and sorted by what they show, as everything else.",
    ),
    Deliberate(
        ("ndp_proxies.*",),
        ("is_filter is True",),
        "Their map says so of the name alone; the client lists those of a router, a port or an address.",
    ),
    Deliberate(
        ("routers.flavor_id",),
        (f"{STRICTER} (a*", f"{STRICTER} (null)", "has the default *"),
        "Their map does not look at it: what is no id would name no flavor; none is the same as not named.",
    ),
    Deliberate(
        ("conntrack_helpers.helper",),
        (f"{STRICTER} (a list)", f"{STRICTER} (an object)"),
        "Their map makes a text of anything, which is no helper's name, and says so later.",
    ),
    Deliberate(
        ("tap_services.project_id", "tap_flows.project_id"),
        (f"{STRICTER} (a text)",),
        "Their maps bound no project's id; it is no longer than its column, as that of everything else.",
    ),
    Deliberate(
        ("tap_mirrors.directions",),
        (f"{STRICTER} (an object)",),
        "A mirror of no direction copies nothing.",
    ),
    Deliberate(
        ("ports.fixed_ips",),
        (f"{STRICTER} (a list)",),
        "An item that names neither a subnet nor an address, or what nobody knows, is refused at once; theirs later.",
    ),
    Deliberate(
        ("ports.mac_address",),
        (f"{STRICTER} (a text)",),
        "A number in a text is no MAC address.",
    ),
    Deliberate(
        ("ports.mac_address",),
        (CONVERTED,),
        "Null asks for another address: theirs is made by the converter, ours where it can be tried again.",
    ),
    Deliberate(
        ("networks.segments",),
        (CONVERTED, f"{STRICTER} (a text)", f"{STRICTER} (an object)"),
        "What is not named is left out, where theirs marks it; no segments are null or an empty list, not any nothing.",
    ),
    Deliberate(
        ("ports.binding:vif_type", "ports.binding:vnic_type"),
        ("is_filter is True",),
        "Operators ask which ports failed to bind.",
    ),
    Deliberate(
        ("bindings.project_id",),
        ("is_visible is False",),
        "The port that a binding is of says whose it is.",
    ),
    Deliberate(
        ("security_groups.stateful",),
        ("has the default *",),
        "A project has its own default (security-groups-default-statefulness), so the map has none.",
    ),
)
