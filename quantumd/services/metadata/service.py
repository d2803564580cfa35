"""Puts the metadata service together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.threads import deferToThreadPool

from quantumd.config import MetadataSettings
from quantumd.edge.certificates import read_trust
from quantumd.edge.files import secret_of
from quantumd.edge.http.connections import network_endpoints
from quantumd.edge.http.messages import Target, target_of
from quantumd.errors import SettingsError
from quantumd.interfaces import Asker, IServiceDoor
from quantumd.services.metadata.answering import OwnResponder
from quantumd.services.metadata.connection import Site
from quantumd.services.metadata.folder import check_folder, read_files
from quantumd.services.metadata.interfaces import IResponder
from quantumd.services.metadata.nova import NovaResponder
from quantumd.services.metadata.own import Files
from quantumd.services.pace import Paces

SECRET_SECONDS: Final = 5.0
"""How long the secret is not read again."""


@define(eq=False)
class MetadataService(Service):
    """Ends connections when it stops; ``site`` is what listens."""

    site: Site

    def stopService(self) -> Any:
        """See Service."""
        super().stopService()
        self.site.cut_all()
        return self.site.responder.close()


def make_metadata(
    settings: MetadataSettings, reactor: Any, door: IServiceDoor, count: Callable[[int], None]
) -> MetadataService:
    """Return the service that answers ports as the settings say.

    :param count: called with the status of each answer.
    :raises SettingsError: the settings cannot be used.
    """
    responder: IResponder = _nova(settings, reactor) if settings.nova_url else _own(settings, reactor)
    paces = Paces(float(settings.rate_per_port), 2.0 * settings.rate_per_port, settings.connections_per_port)
    return MetadataService(Site(reactor, door, responder, paces, settings.largest_body_bytes, count))


def _own(settings: MetadataSettings, reactor: Any) -> OwnResponder:
    folder = settings.folder
    check_folder(folder)

    def read(asker: Asker) -> Deferred[Files]:
        if not folder:
            return succeed(Files())
        return deferToThreadPool(reactor, reactor.getThreadPool(), read_files, folder, asker)

    return OwnResponder(read)


def _nova(settings: MetadataSettings, reactor: Any) -> NovaResponder:
    target, secret = _target(settings.nova_url), Secret(settings, reactor)
    secret.read()
    trust = read_trust(settings.ca_file, "metadata.ca_file")
    endpoint = network_endpoints(reactor, settings.timeout_seconds, trust)(target.origin)
    return NovaResponder(
        reactor, target, endpoint, secret.read, settings.timeout_seconds, settings.largest_answer_bytes,
        settings.connections,
    )  # fmt: skip


def _target(url: str) -> Target:
    try:
        return target_of(url.encode("ascii"))
    except ValueError:
        raise SettingsError("metadata.nova_url is no URL of http or https") from None


@define(eq=False)
class Secret:
    """What Nova and this host know, read anew from time to time: so it can be changed."""

    _settings: MetadataSettings
    _clock: Any
    _known: str = field(default="", init=False, repr=False)
    _read_at: float = field(default=0.0, init=False)

    def read(self) -> str:
        """Return it. SettingsError."""
        now = self._clock.seconds()
        if not self._known or now - self._read_at >= SECRET_SECONDS:
            plain, path = self._settings.secret, self._settings.secret_file
            self._known = secret_of(plain, path, "metadata.secret_file", "Nova would believe nothing without it")
            self._read_at = now
        return self._known
