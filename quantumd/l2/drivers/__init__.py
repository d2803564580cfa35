"""L2 drivers: those that come with quantumd, and those of other distributions."""

from __future__ import annotations

from twisted.plugin import getPlugins

from quantumd.errors import SettingsError
from quantumd.l2.drivers.interfaces import IL2Driver
from quantumd.l2.drivers.linuxbridge.driver import LinuxBridgeDriver
from quantumd.l2.drivers.memory import MemoryDriver
from quantumd.l2.drivers.ovs.driver import OvsDriver

DRIVERS: tuple[IL2Driver, ...] = (OvsDriver(), LinuxBridgeDriver(), MemoryDriver())
"""The drivers in this distribution."""


def find_driver(name: str) -> IL2Driver:
    """Return the driver of that name. SettingsError names those there are."""
    by_name = {driver.name: driver for driver in DRIVERS}
    if name in by_name:
        return by_name[name]
    # Plug-ins are looked for only when they are wanted: it reads every directory on the path.
    import quantumd.plugins

    by_name.update((driver.name, driver) for driver in getPlugins(IL2Driver, quantumd.plugins))
    if name not in by_name:
        raise SettingsError(f"l2.driver: there is no driver {name!r}; there are {', '.join(sorted(by_name))}")
    return by_name[name]
