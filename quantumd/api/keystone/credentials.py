"""As whom quantumd itself asks Keystone."""

from __future__ import annotations

from urllib.parse import urlsplit

import orjson
from attrs import field, frozen

from quantumd.config import KeystoneSettings
from quantumd.edge.files import secret_of
from quantumd.errors import SettingsError


@frozen
class Credentials:
    """The service user. The password is read when it is needed: a file may change while the daemon runs."""

    user: str
    user_domain: str
    project: str
    project_domain: str
    _password: str = field(repr=False)
    _password_file: str

    def login(self) -> bytes:
        """Return the body that asks for a token.

        :raises SettingsError: the password's file cannot be read.
        """
        user = {"name": self.user, "domain": {"name": self.user_domain}, "password": self.password()}
        scope = {"project": {"name": self.project, "domain": {"name": self.project_domain}}}
        identity = {"methods": ["password"], "password": {"user": user}}
        return orjson.dumps({"auth": {"identity": identity, "scope": scope}})

    def password(self) -> str:
        """Return the password, that of the file if there is one; the line's end is not part of it.

        :raises SettingsError: there is none, or its file cannot be read. The sentence never holds it.
        """
        missing = "quantumd's own user needs its password"
        return secret_of(self._password, self._password_file, "keystone.password_file", missing)


def read_credentials(settings: KeystoneSettings) -> Credentials:
    """Return the service user of the settings.

    :raises SettingsError: there is no password, or the URL is no URL of Keystone or holds a user.
    """
    check_url(settings.auth_url)
    credentials = Credentials(
        settings.user, settings.user_domain, settings.project, settings.project_domain,
        settings.password, settings.password_file,
    )  # fmt: skip
    credentials.password()
    return credentials


def check_url(url: str, name: str = "keystone.auth_url") -> None:
    """Refuse what cannot be asked; ``name`` is that of the setting.

    :raises SettingsError: it is no http or https URL with a host, or it holds a user, a query or a fragment.
    """
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise SettingsError(f"{name} is no URL") from None
    if not is_good or not url.isascii():
        raise SettingsError(f"{name} is no URL: expected something like https://keystone.example.org:5000/v3")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise SettingsError(f"{name} holds a user, a query or a fragment: leave it out")
