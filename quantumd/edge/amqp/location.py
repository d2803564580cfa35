"""Where brokers are: URLs without passwords."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from attrs import frozen

from quantumd.errors import SettingsError

_PORTS = {"amqp": 5672, "amqps": 5671}


@frozen
class Location:
    """One broker. ``vhost`` is the broker's name for a part of itself; ``/`` is the one that it begins with."""

    host: str
    port: int
    user: str
    vhost: str
    is_tls: bool

    def __str__(self) -> str:
        """As logs show it."""
        return f"{'amqps' if self.is_tls else 'amqp'}://{self.host}:{self.port}"


def parse_location(url: str) -> Location:
    """Return the broker of ``amqp://user@host:port/vhost``; ``amqps`` is the same over TLS.

    :raises SettingsError: it is none, or has a password in it, which would be in every listing of the settings.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SettingsError("amqp.urls: a URL's host or port is wrong") from None
    if parts.password is not None:
        raise SettingsError("amqp.urls: a URL holds a password; put it into the file that amqp.password_file names")
    if parts.scheme not in _PORTS or not parts.hostname or parts.query or parts.fragment:
        raise SettingsError(f"amqp.urls: {url!r} is not amqp://user@host:port/vhost or amqps://…")
    vhost = unquote(parts.path[1:]) or "/"
    return Location(
        parts.hostname, port or _PORTS[parts.scheme], unquote(parts.username or "guest"), vhost, parts.scheme == "amqps"
    )
