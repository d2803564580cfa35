"""The composition root: what runs in which process. The only module that may import everything."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final

from twisted.application.service import IService
from twisted.internet import reactor as twisted_reactor

from quantumd.bus.memory import MemoryBus
from quantumd.config import Settings
from quantumd.interfaces import IBus
from quantumd.l2.drivers import find_driver
from quantumd.l2.drivers.interfaces import IL2Driver
from quantumd.process import Ground, make_ground, maker
from quantumd.roles import DHCP, L2, L3, ROLES, HostRoles, Roles

API: Final = "api"


def make_appliance(settings: Settings, reactor: Any, driver: IL2Driver | None = None) -> IService:
    """Return the service tree of a process that does everything.

    :param driver: used in place of the one that the settings name.
    :raises QuantumdError: the settings or the database forbid the start.
    """
    ground = make_ground(settings, reactor, "all")
    bus = _amqp_bus(ground) if settings.bus.joined_by_hosts else MemoryBus(reactor)
    return _make(ground, bus, (API, *ROLES), driver or find_driver(settings.l2.driver))


def make_role(role: str, settings: Settings, reactor: Any) -> IService:
    """Return the service tree of a process that has one role, and talks to the others over AMQP. QuantumdError."""
    ground = make_ground(settings, reactor, role)
    return _make(ground, _amqp_bus(ground), (role,), find_driver(settings.l2.driver))


def _make(ground: Ground, bus: IBus, wanted: Collection[str], driver: IL2Driver) -> IService:
    host_roles = [role for role in wanted if role != API]
    if API not in wanted:
        _make_health(ground, bus, _make_roles(ground, bus, host_roles, driver))
        return ground.root
    # A process that only has a host's roles needs neither a database nor HTTP.
    from quantumd.server import ServerSide

    server = ServerSide(ground, bus, driver, _holder(ground, host_roles))
    server.begin()
    server.finish(_make_roles(ground, bus, host_roles, driver), lambda: _waits_for(bus))
    return ground.root


def _holder(ground: Ground, host_roles: Collection[str]) -> str:
    """Return the name by which a process that reads the journal is known again: see quantumd.store.consumer."""
    api = ground.settings.api
    return ground.host if host_roles else f"{ground.host} {api.listen} {api.instance}".rstrip()


def _make_roles(ground: Ground, bus: IBus, wanted: Collection[str], driver: IL2Driver) -> Roles:
    roles = HostRoles(ground.settings, ground.reactor, ground.host, bus, ground.metrics, driver).make(wanted)
    roles.service.setServiceParent(ground.root)
    return roles


def _make_health(ground: Ground, bus: IBus, roles: Roles) -> None:
    """Make what tells how a process of one role is."""
    sections: Mapping[str, Any] = {L2: ground.settings.l2, DHCP: ground.settings.dhcp, L3: ground.settings.l3}
    role = next(each for each in roles.loops if each in sections)
    listen = sections[role].health_listen
    if not listen:
        return
    # What is switched off is not loaded.
    from quantumd.api.health import Health
    from quantumd.api.health_service import make_health_service

    async def waits_for() -> Sequence[str]:
        return [*_waits_for(bus), *roles.waits_for()]

    health = Health(waits_for, ground.metrics, ground.reactor)
    make_health_service(listen, f"{role}.health_listen", health).setServiceParent(ground.root)


def _waits_for(bus: IBus) -> Sequence[str]:
    return () if bus.is_connected else ("bus: the broker is away",)


def _amqp_bus(ground: Ground) -> IBus:
    # txAMQP costs an appliance without a broker nothing.
    from quantumd.bus.made import make_amqp_bus

    bus = make_amqp_bus(ground.reactor, ground.settings.bus, ground.settings.amqp, ground.host)
    bus.setServiceParent(ground.root)
    return bus


make_everything = maker(make_appliance, twisted_reactor)
make_api = maker(partial(make_role, API), twisted_reactor)
make_l2 = maker(partial(make_role, L2), twisted_reactor)
make_dhcp = maker(partial(make_role, DHCP), twisted_reactor)
make_l3 = maker(partial(make_role, L3), twisted_reactor)
"""The ``makeService`` of each of ``twistd``'s commands."""
