"""The configuration of Open vSwitch, as far as quantumd reads and writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from attrs import frozen
from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


@frozen
class InterfaceRow:
    """An interface of the switch. ``ofport`` is None until the switch has given it one; -1 when it cannot."""

    name: str
    external_ids: Mapping[str, str]
    ofport: int | None
    error: str | None


@frozen
class BridgeRow:
    """A bridge. ``datapath_type`` is ``system`` (kernel) or ``netdev`` (userspace);"""

    name: str
    datapath_type: str
    fail_mode: str | None
    protocols: frozenset[str]
    external_ids: Mapping[str, str]
    has_controller: bool


@frozen
class InterfaceChange:
    """An interface appeared, changed (``old`` and ``new``) or went (``new`` is None)."""

    old: InterfaceRow | None
    new: InterfaceRow | None


@frozen
class PutBridge:
    """Make the bridge, or set these columns of it; ``external_ids`` are added to those it has."""

    name: str
    datapath_type: str
    fail_mode: str | None
    protocols: frozenset[str]
    external_ids: Mapping[str, str]


@frozen
class RemoveBridge:
    """Remove the bridge and all its ports."""

    name: str


@frozen
class PutPatchPort:
    """Make a patch port, or set these columns of it. ``peer`` is the name of the patch port at the other bridge."""

    bridge: str
    name: str
    peer: str
    external_ids: Mapping[str, str]


ERSPAN_TYPES = frozenset({"erspan", "ip6erspan"})


@frozen
class PutTunnelPort:
    """Make a tunnel port whose flows say where each frame goes and under which id, or set these columns of it.

    ``tunnel_type`` is vxlan, gre or geneve, or one of those that carry copies: ip6gre, erspan or ip6erspan.
    ``local_ip`` is what other hosts know this one by; '' leaves it to the host's routes.
    """

    bridge: str
    name: str
    tunnel_type: str
    local_ip: str
    external_ids: Mapping[str, str]


@frozen
class PutDevicePort:
    """Put a device of the host, called ``name``, into a bridge, or set these columns of its port."""

    bridge: str
    name: str
    external_ids: Mapping[str, str]


@frozen
class RemovePort:
    """Remove a port from a bridge."""

    bridge: str
    name: str


@frozen
class EditBridgeIds:
    """Add and remove keys of a bridge's ``external_ids``, leaving the others alone."""

    name: str
    put: Mapping[str, str]
    remove: frozenset[str]


Operation: TypeAlias = (
    PutBridge | RemoveBridge | PutPatchPort | PutTunnelPort | PutDevicePort | RemovePort | EditBridgeIds
)


class IOvsdb(Interface):
    """Open vSwitch's database. Connects by itself and again when the connection is lost."""

    is_connected = Attribute("bool: whether the database's whole content is known at the moment.")

    def startService() -> None:
        """Begin to connect."""

    def stopService() -> Deferred[None] | None:
        """Disconnect; what is configured stays."""

    def on_connected(listener: Callable[[], None]) -> None:
        """Call ``listener`` each time the whole content is known, also after a reconnection."""

    def on_interfaces(listener: Callable[[tuple[InterfaceChange, ...]], None]) -> None:
        """Call ``listener`` with changes of interfaces as the database tells them; never by polling."""

    def on_bridge(listener: Callable[[str], None]) -> None:
        """Call ``listener(name)`` when a bridge appears, changes or goes."""

    def interfaces() -> Mapping[str, InterfaceRow]:
        """Return every interface by name; includes those of other people's bridges."""

    def bridge(name: str) -> BridgeRow | None:
        """Return the bridge of that name, or None."""

    def ports_of(bridge: str) -> frozenset[str]:
        """Return the names of the ports of a bridge; O(ports), not for hot paths."""

    def statistics() -> Deferred[Mapping[str, Mapping[str, int]]]:
        """Read the counters of every interface anew, by its name: ``rx_bytes`` and so on, as the switch names them.

        The switch writes them every few seconds. EdgeError.
        """

    def transact(operations: tuple[Operation, ...]) -> Deferred[None]:
        """Apply all operations in one transaction, or none; each is harmless twice.

        Fires when the database has committed it, which does not mean that the switch has acted on it: see ``acted``.
        OvsdbRefused, EdgeUnavailable, EdgeTimeout (all EdgeError).
        """

    def acted() -> Deferred[None]:
        """Fire when the switch has acted on all that was committed before. EdgeError."""
