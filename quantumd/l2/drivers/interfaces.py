"""What an L2 driver is. Those of other distributions are Twisted plug-ins in ``quantumd.plugins``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from attrs import frozen
from twisted.internet.defer import succeed
from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from twisted.application.service import IService
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IReactorTime

    from quantumd.config import DhcpSettings, L2Settings
    from quantumd.converge.records import Records
    from quantumd.edge.frames.interfaces import IFrames
    from quantumd.interfaces import IConverger, IPlugs, IServiceDoor
    from quantumd.model.counters import PortCounters
    from quantumd.model.services import ServicePoint


@frozen
class Site:
    """Where a driver is put: this host, its settings, and the records that its converger shall read.

    ``run_dir`` is where locks of the running process are kept. ``points`` are the services that ports find here.
    """

    host: str
    l2: L2Settings
    dhcp: DhcpSettings
    records: Records
    reactor: IReactorTime
    edges: str
    kernel_datapath: bool
    run_dir: str = ""
    points: tuple[ServicePoint, ...] = ()


@frozen
class FrameParts:
    """How frames of ports come to the process, and the connection for that, to run.

    ``has_services``: whether the driver leads ports to services of the host.
    """

    frames: IFrames
    connection: IService
    has_services: bool = False


@frozen
class PlugParts:
    """How other roles of this host plug devices of theirs, and the connection for that, to run."""

    plugs: IPlugs
    connection: IService


@frozen
class L2Parts:
    """What a driver gives: the converger that the loop drives, its connections to run, and the frames of its ports.

    The frames' connection is not among ``connections``: it runs where frames are answered.

    ``count_foreign_flows`` returns how many flows of strangers were there at the last look, ``count_repaired_flows``
    how many were found gone, changed or of strangers since the start. ``read_counters`` fires
    with what ports have sent and received, by their ids; a driver that cannot count has none. ``faults``
    returns, by bridge or the like, what is wrong that no step failed for. ``count_unlogged`` returns how many packets
    logs asked for that were too many to be logged. ``plugs`` need no more than ``connections``; None of a driver that
    plugs no devices of other roles. ``door`` is the way of ports to services; None of a driver that has none, or where
    the site has no points.
    """

    converger: IConverger
    connections: IService
    frames: FrameParts
    count_foreign_flows: Callable[[], int] = lambda: 0
    read_counters: Callable[[], Deferred[Mapping[str, PortCounters]]] = lambda: succeed({})
    faults: Callable[[], Mapping[tuple[str, str], str]] = dict
    count_repaired_flows: Callable[[], int] = lambda: 0
    count_unlogged: Callable[[], int] = lambda: 0
    plugs: IPlugs | None = None
    door: IServiceDoor | None = None


class IL2Driver(Interface):
    """Makes ports of this host carry the traffic of their networks."""

    name = Attribute("str: by which the setting l2.driver chooses it.")
    capabilities = Attribute("frozenset[str]: aliases of API extensions whose promises packets obey under it.")

    def install(site: Site) -> L2Parts:
        """Make the parts; nothing is connected before the services start."""

    def frames(site: Site) -> FrameParts:
        """Make the frames alone, for a process that answers them while another one carries the ports."""

    def plugs(site: Site) -> PlugParts | None:
        """Make the plugs alone, for a process that has devices to plug; None of a driver that plugs none."""
