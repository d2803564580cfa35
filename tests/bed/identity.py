"""An appliance in each mode of identity, and what clients need to use it."""

from __future__ import annotations

import ssl
import subprocess
import sys
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

from attrs import define, field
from attrs import frozen as value

from tests.bed.appliance import Appliance
from tests.bed.certificates import Authority
from tests.bed.needs import CHECKOUT

_LIMIT_SECONDS = 30.0


@define(eq=False)
class TlsFiles:
    """A server and a client with certificates, all in one directory."""

    directory: Path
    authority: Authority = field(factory=Authority)
    clients: Authority = field(factory=Authority)

    def __attrs_post_init__(self) -> None:
        """Write them."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.authority.own.write(self.directory, "ca")
        self.clients.own.write(self.directory, "clients")
        self.clients.issue("client").write(self.directory, "client")
        self.renew("server")

    def renew(self, name: str) -> None:
        """Give the server another certificate."""
        self.authority.issue(name).write(self.directory, "server")

    def listen(self, port: int = 0, asks_clients: bool = True, host: str = "127.0.0.1") -> str:
        """Return the endpoint's description; where a socket is passed the port is not looked at."""
        at = self.directory
        more = f":clientCA={at}/clients.pem" if asks_clients else ""
        return f"ssl:{port}:privateKey={at}/server-key.pem:certKey={at}/server.pem:interface={host}{more}"

    def context(self, shows_certificate: bool = True) -> ssl.SSLContext:
        """Return what a client checks the server by and shows it."""
        context = ssl.create_default_context(cafile=str(self.directory / "ca.pem"))
        if shows_certificate:
            context.load_cert_chain(self.directory / "client.pem", self.directory / "client-key.pem")
        return context

    def environment(self) -> dict[str, str]:
        """Return what the ``openstack`` client finds in its environment."""
        names = {"OS_CACERT": "ca.pem", "OS_CERT": "client.pem", "OS_KEY": "client-key.pem"}
        return {name: str(self.directory / file) for name, file in names.items()}


@value
class Account:
    """A user of a file of users."""

    name: str
    password: str = field(repr=False)

    @property
    def header(self) -> dict[str, str]:
        """The header of a request."""
        return {"Authorization": "Basic " + b64encode(f"{self.name}:{self.password}".encode()).decode()}

    def login(self, url: str) -> dict[str, str]:
        """Return what the ``openstack`` client finds in its environment to log in."""
        return {
            "OS_AUTH_TYPE": "http_basic",
            "OS_ENDPOINT": url,
            "OS_USERNAME": self.name,
            "OS_PASSWORD": self.password,
        }


def run_user_command(users: Path, *words: str, typed: str = "") -> str:
    """Run ``quantumctl user`` as an operator does, on a file of users; return what it printed."""
    done = subprocess.run(
        (sys.executable, "-m", "quantumd.ctl.main", "--set", f"http_basic.user_file={users}", "user", *words),
        cwd=CHECKOUT, input=typed, capture_output=True, text=True, timeout=_LIMIT_SECONDS, check=True,
    )  # fmt: skip
    return done.stdout


def add_account(users: Path, name: str, password: str, project: str, *roles: str) -> Account:
    """Add a user to a file of users."""
    given = [word for role in roles for word in ("--role", role)]
    run_user_command(users, "add", name, "--project", project, *given, typed=f"{password}\n")
    return Account(name, password)


def basic_appliance(directory: Path, users: Path, settings: Mapping[str, str] | None = None) -> Appliance:
    """Return an appliance that asks for names and passwords."""
    asked = {"api.auth": "http_basic", "http_basic.user_file": str(users)}
    return Appliance(directory, settings={**asked, **(settings or {})})
