"""The bus over AMQP that the settings describe."""

from __future__ import annotations

import time
from typing import Any

from quantumd.bus.amqp import AmqpBus
from quantumd.bus.signing import SHORTEST_KEY_BYTES, Signer
from quantumd.bus.users import PLACE, HostUsers
from quantumd.bus.wiring import Wiring
from quantumd.config import AmqpSettings, BusSettings
from quantumd.edge.amqp.location import parse_location
from quantumd.edge.amqp.made import make_broker
from quantumd.edge.files import read_secret
from quantumd.errors import SettingsError


def make_amqp_bus(reactor: Any, bus: BusSettings, amqp: AmqpSettings, host: str) -> AmqpBus:
    """Return the bus of a process on ``host``; it connects when it is started. SettingsError."""
    wiring = Wiring(bus.exchange, bus.quorum)
    asks, tells = (make_broker(reactor, amqp) for _ in range(2))
    return AmqpBus(reactor, asks, tells, host, wiring, make_signer(bus), make_users(bus, amqp))


def make_users(bus: BusSettings, amqp: AmqpSettings) -> HostUsers | None:
    """Return which user may speak for which host; None when the settings do not say. SettingsError."""
    if not bus.host_user:
        return None
    if PLACE not in bus.host_user:
        raise SettingsError(f"bus.host_user: {bus.host_user!r} is the same for every host, for it has no {PLACE}")
    return HostUsers(bus.host_user, frozenset(parse_location(url).user for url in amqp.urls))


def make_signer(settings: BusSettings) -> Signer | None:
    """Return what signs with the key of the settings' file; None when they name none. SettingsError."""
    if not settings.signing_key_file:
        return None
    key = read_secret(settings.signing_key_file, "bus.signing_key_file").encode()
    if len(key) < SHORTEST_KEY_BYTES:
        raise SettingsError(f"bus.signing_key_file: the key is shorter than {SHORTEST_KEY_BYTES} bytes")
    # Hosts compare times, so the wall clock.
    return Signer(key, time.time)
