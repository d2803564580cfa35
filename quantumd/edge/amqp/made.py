"""The broker that the settings name."""

from __future__ import annotations

from typing import Any

from quantumd.config import AmqpSettings
from quantumd.edge.amqp.broker import AmqpBroker
from quantumd.edge.amqp.location import parse_location
from quantumd.edge.amqp.publisher import PublishLimits
from quantumd.edge.amqp.session import Login
from quantumd.edge.certificates import read_trust
from quantumd.edge.files import secret_of
from quantumd.errors import SettingsError


def make_broker(reactor: Any, settings: AmqpSettings) -> AmqpBroker:
    """Return the provider; it connects when it is started. SettingsError."""
    if not settings.urls:
        raise SettingsError("amqp.urls is empty: there is no broker to connect to")
    locations = [parse_location(url) for url in settings.urls]
    read_password(settings)
    login = Login(
        password=lambda: read_password(settings),
        trust=read_trust(settings.ca_file, "amqp.ca_file"),
        heartbeat=settings.heartbeat_seconds,
        connect_seconds=settings.timeout_seconds,
        call_seconds=settings.timeout_seconds,
    )
    return AmqpBroker(reactor, locations, login, PublishLimits(seconds=3 * settings.timeout_seconds))


def read_password(settings: AmqpSettings) -> str:
    """Return the password, that of the file if there is one; the line's end is not part of it.

    :raises SettingsError: there is none, or its file cannot be read. The sentence never holds it.
    """
    missing = "the broker asks for a password"
    return secret_of(settings.password, settings.password_file, "amqp.password_file", missing)
