"""Network devices of this host and what its bridges know: seen, and changed one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from attrs import frozen
from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

BRIDGE, VXLAN = "bridge", "vxlan"
EVERYBODY = "00:00:00:00:00:00"
"""As the MAC of an entry of a VXLAN device: where frames go whose receiver has none."""


@frozen
class PortFlags:
    """How a bridge uses a port: whether it learns MACs there, and floods frames for unknown ones to it."""

    learning: bool = True
    flood: bool = True


@frozen
class Link:
    """A device. ``master`` is the name of the bridge that it is in, ``flags`` are those of a port of a bridge.

    ``filters``: of a bridge, whether it shows IPv4 and IPv6 packets to the filters of IP. ``vni`` and ``local_ip`` are
    those of a VXLAN device.
    """

    name: str
    index: int
    kind: str = ""
    master: str = ""
    alias: str = ""
    mtu_bytes: int = 1500
    is_up: bool = False
    filters: bool = False
    vni: int = 0
    local_ip: str = ""
    flags: PortFlags | None = None
    mac: str = ""


@frozen
class Fdb:
    """Where frames for a MAC go: out of a port of a bridge, or, with ``target_ip``, through a VXLAN device.

    With a bridge as the ``device`` they go to this host itself.
    """

    device: str
    mac: str
    target_ip: str = ""


@frozen
class AddBridge:
    """Make a bridge that neither delays nor looks at multicast, and shows IP packets to the filters of IP."""

    name: str
    alias: str


@frozen
class AddVxlan:
    """Make a VXLAN device that learns nothing by itself."""

    name: str
    vni: int
    local_ip: str
    mtu_bytes: int
    alias: str


@frozen
class DeleteLink:
    """Remove a device; one that is not there is no error."""

    name: str


@frozen
class ChangeLink:
    """Change what is given of a device; ``master`` '' takes it out of its bridge. It is up afterwards if ``up``.

    A bridge that is ``owned`` gets a MAC of its own, which does not change with its ports.
    """

    name: str
    master: str | None = None
    alias: str | None = None
    mtu_bytes: int | None = None
    up: bool = False
    filters: bool = False
    flags: PortFlags | None = None
    owned: bool = False


@frozen
class PutFdb:
    """Add an entry, or put it in the place of another one."""

    entry: Fdb


@frozen
class RemoveFdb:
    """Remove an entry; one that is not there is no error."""

    entry: Fdb


Operation: TypeAlias = AddBridge | AddVxlan | DeleteLink | ChangeLink | PutFdb | RemoveFdb


class ILinks(Interface):
    """The devices of the network namespace that this process is in."""

    is_connected = Attribute("bool: whether devices are known as they are.")

    def start() -> None:
        """Begin to look; devices are known when ``on_connected`` has been called."""

    def stop() -> None:
        """Look no more; everything stays as it is."""

    def links() -> Mapping[str, Link]:
        """Return the devices as they were heard of last, by name."""

    def on_connected(listener: Callable[[], None]) -> None:
        """Call ``listener`` each time all devices are known anew."""

    def on_links(listener: Callable[[frozenset[str]], None]) -> None:
        """Call ``listener`` with the names of devices that came, changed or went."""

    def on_lost_entry(listener: Callable[[Fdb], None]) -> None:
        """Call ``listener`` with each entry that went, whoever removed it."""

    def entries() -> Deferred[frozenset[Fdb]]:
        """Return what bridges and VXLAN devices know that nobody learned. EdgeError."""

    def apply(operations: Iterable[Operation]) -> Deferred[None]:
        """Do these in order, as far as the kernel lets it. EdgeError tells the first that it refused."""
