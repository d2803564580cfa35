"""Ports of the integration bridge for devices of this host.

A switch that learns of a port's end and of its new beginning at once keeps the device that it had opened. If that is
gone, and another one has its name, nothing that comes from it is ever heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from quantumd.edge.ovsdb.interfaces import IOvsdb, PutDevicePort, RemovePort

LEAVES_SECONDS: Final = 60.0
"""How long a removed port is remembered: by then the switch has acted, or is not the same one."""


@define(eq=False)
class DevicePorts:
    """Puts and removes ports; what was removed comes again only when the switch has let go of it."""

    _ovsdb: IOvsdb
    _bridge: str
    _clock: IReactorTime
    _leaving: dict[str, float] = field(factory=dict, init=False)
    """When each was removed, in that order."""

    def put(self, device: str, external_ids: Mapping[str, str]) -> Deferred[None]:
        """Put a device into the bridge, or set what is said of its port. EdgeError."""
        return Deferred.fromCoroutine(self._put(device, external_ids))

    async def _put(self, device: str, external_ids: Mapping[str, str]) -> None:
        if device in self._leaving:
            await self._ovsdb.acted()
            self._leaving.pop(device, None)
        await self._ovsdb.transact((PutDevicePort(self._bridge, device, external_ids),))

    def remove(self, device: str) -> Deferred[None]:
        """Remove a port. EdgeError."""
        now = self._clock.seconds()
        for name in [name for name, since in self._leaving.items() if now - since > LEAVES_SECONDS]:
            del self._leaving[name]
        self._leaving[device] = now
        return self._ovsdb.transact((RemovePort(self._bridge, device),))
