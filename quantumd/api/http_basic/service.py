"""Puts the parts together that know users and their passwords, and keeps up with their file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from twisted.application.service import MultiService
from twisted.logger import Logger

from quantumd.api.http_basic.attempts import Failures
from quantumd.api.http_basic.file import read_users_file
from quantumd.api.http_basic.hashes import is_password_of
from quantumd.api.http_basic.identity import BasicIdentity
from quantumd.api.http_basic.users import BadUsers, User, parse_users
from quantumd.api.watched import FileWatch, InThread, in_reactor_thread_pool
from quantumd.config import HttpBasicSettings
from quantumd.errors import SettingsError

_SECRET_BYTES: Final = 32


def load_users(path: Path) -> Mapping[str, User]:
    """Return the users of a file.

    :raises SettingsError: it cannot be read, others may read it, or it holds what is no user.
    """
    try:
        return parse_users(read_users_file(path))
    except BadUsers as error:
        raise SettingsError(f"http_basic.user_file: {path}: {error}") from None


class HttpBasicService(MultiService):
    """Tells who asks while it runs; ``identity`` is what the API's site needs."""

    log = Logger()

    def __init__(self, identity: BasicIdentity) -> None:
        super().__init__()
        self.identity = identity

    def changed(self, users: Mapping[str, User]) -> None:
        """The file has changed: what it says counts from now on."""
        self.identity.know(users)
        self.log.info("the file of users was read again", users=len(users))

    def failed(self, error: SettingsError) -> None:
        """The file has changed and cannot be used: nobody is let in by what it said before."""
        self.identity.know(None)
        self.log.error("nobody is let in: {why}", why=str(error))


def make_http_basic_service(
    settings: HttpBasicSettings, reactor: Any, in_thread: InThread | None = None
) -> HttpBasicService:
    """Return the service that verifies names and passwords as the settings say.

    :raises SettingsError: the file of users cannot be used.
    """
    aside = in_thread or in_reactor_thread_pool(reactor)
    identity = BasicIdentity(
        lambda password, password_hash: aside(is_password_of, password, password_hash),
        os.urandom(_SECRET_BYTES),
        reactor.seconds,
        settings.cache_seconds,
        Failures(settings.failures_per_user),
        Failures(settings.failures_per_peer),
    )
    service = HttpBasicService(identity)
    path = Path(settings.user_file)
    watch = FileWatch(reactor, aside, (path,), lambda: load_users(path), service.changed, service.failed)
    identity.know(watch.load_now())
    watch.setServiceParent(service)
    return service
