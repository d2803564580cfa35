"""The broker that the settings name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from quantumd.config import AmqpSettings
from quantumd.edge.amqp.broker import AmqpBroker
from quantumd.edge.amqp.location import parse_location
from quantumd.edge.amqp.publisher import PublishLimits
from quantumd.edge.amqp.session import Login
from quantumd.edge.amqp.trust import trust_of
from quantumd.errors import SettingsError

_LONGEST_PASSWORD = 4096


def make_broker(reactor: Any, settings: AmqpSettings) -> AmqpBroker:
    """Return the provider; it connects when it is started. SettingsError."""
    if not settings.urls:
        raise SettingsError("amqp.urls is empty: there is no broker to connect to")
    locations = [parse_location(url) for url in settings.urls]
    read_password(settings)
    login = Login(
        password=lambda: read_password(settings),
        trust=trust_of(settings.ca_file),
        heartbeat=settings.heartbeat_seconds,
        connect_seconds=settings.timeout_seconds,
        call_seconds=settings.timeout_seconds,
    )
    return AmqpBroker(reactor, locations, login, PublishLimits(seconds=3 * settings.timeout_seconds))


def read_password(settings: AmqpSettings) -> str:
    """Return the password, that of the file if there is one; the line's end is not part of it.

    :raises SettingsError: there is none, or its file cannot be read. The sentence never holds it.
    """
    if not settings.password_file:
        if not settings.password:
            raise SettingsError("amqp.password_file is empty: the broker asks for a password")
        return settings.password
    try:
        with Path(settings.password_file).open("rb") as file:
            text = file.read(_LONGEST_PASSWORD).decode().rstrip("\r\n")
    except OSError as error:
        raise SettingsError(f"amqp.password_file: {settings.password_file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"amqp.password_file: {settings.password_file} is not UTF-8 text") from None
    if not text:
        raise SettingsError(f"amqp.password_file: {settings.password_file} is empty")
    return text
