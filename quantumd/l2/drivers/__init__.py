"""L2 drivers: those that come with quantumd, and those of other distributions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from twisted.plugin import getPlugins
from twisted.python.reflect import namedAny

from quantumd.errors import SettingsError
from quantumd.l2.drivers.interfaces import IL2Driver

DRIVERS: Mapping[str, str] = {
    "ovs": "quantumd.l2.drivers.ovs.driver.OvsDriver",
    "linuxbridge": "quantumd.l2.drivers.linuxbridge.driver.LinuxBridgeDriver",
    "memory": "quantumd.l2.drivers.memory.MemoryDriver",
}
"""The drivers in this distribution and their classes. A process has one; what the others need is not loaded."""


def find_driver(name: str) -> IL2Driver:
    """Return the driver of that name. SettingsError names those there are."""
    if name in DRIVERS:
        return cast(IL2Driver, namedAny(DRIVERS[name])())
    # Plug-ins are looked for only when they are wanted: it reads every directory on the path.
    import quantumd.plugins

    others = {driver.name: driver for driver in getPlugins(IL2Driver, quantumd.plugins)}
    if name not in others:
        raise SettingsError(
            f"l2.driver: there is no driver {name!r}; there are {', '.join(sorted((*DRIVERS, *others)))}"
        )
    return others[name]
