"""Run by the Keystone environment's Python: a Keystone on the loopback, with its database in a directory of its own.

The line of JSON on standard input says ``password``, the admin's, and for how many ``token_seconds`` tokens are. One
line of JSON on standard output says ``url`` as soon as the first request would be answered. It ends, and its directory
goes, when standard input closes: whoever started it may die in any way.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

_SETTINGS = """
[DEFAULT]
use_stderr = true
default_log_levels = keystone=WARNING,alembic=WARNING,oslo=WARNING
[database]
connection = sqlite:///{home}/keystone.sqlite
[cache]
enabled = true
backend = dogpile.cache.memory
[fernet_tokens]
key_repository = {home}/keys
[fernet_receipts]
key_repository = {home}/keys
[credential]
key_repository = {home}/keys
[identity]
password_hash_rounds = 4
[token]
expiration = {token_seconds}
allow_expired_window = 3600
"""
_THREADS = 1
"""Two that write at once find each other's lock on SQLite, and Keystone answers 500 without an id of the request."""


def make_home(home: Path, token_seconds: int) -> None:
    """Write settings and keys, which only we may read."""
    from cryptography.fernet import Fernet  # type: ignore[import-not-found,unused-ignore]

    (home / "keys").mkdir(mode=0o700)
    for number in ("0", "1"):
        (home / "keys" / number).write_bytes(Fernet.generate_key())
    (home / "keystone.conf").write_text(_SETTINGS.format(home=home, token_seconds=token_seconds))
    os.environ["OS_KEYSTONE_CONFIG_FILES"] = str(home / "keystone.conf")


def bootstrap(url: str, password: str) -> None:
    """Make the tables, then do as ``keystone-manage bootstrap`` does."""
    import keystone.server  # type: ignore[import-not-found]
    from keystone.cmd.bootstrap import Bootstrapper  # type: ignore[import-not-found]
    from keystone.common.sql import upgrades  # type: ignore[import-not-found]

    keystone.server.configure(config_files=[os.environ["OS_KEYSTONE_CONFIG_FILES"]])
    upgrades.offline_sync_database_to_version()
    begin = Bootstrapper()
    begin.admin_username = begin.project_name = begin.admin_role_name = "admin"
    begin.admin_password = password
    begin.immutable_roles = True
    begin.service_name = "keystone"
    begin.region_id = "RegionOne"
    begin.admin_url = begin.internal_url = begin.public_url = url
    begin.bootstrap()


def make_application() -> Any:
    """Return Keystone's own WSGI application; the bootstrap has loaded what is behind it."""
    from keystone.server.flask import application, core  # type: ignore[import-not-found]

    return core.setup_app_middleware(application.application_factory("public"))


def main() -> None:
    """Serve until standard input closes."""
    from waitress.server import create_server  # type: ignore[import-untyped,import-not-found,unused-ignore]

    wanted = json.loads(sys.stdin.readline())
    password = wanted["password"]
    with tempfile.TemporaryDirectory(prefix="quantumd-keystone-") as home:
        make_home(Path(home), wanted["token_seconds"])
        bound = socket.create_server(("127.0.0.1", 0), backlog=128)
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/v3"
        bootstrap(url, password)
        # Clients under test forget to close connections; by select() no more than 1,024 could be watched.
        more = {"connection_limit": 10_000, "asyncore_use_poll": True}
        server = create_server(make_application(), sockets=[bound], threads=_THREADS, **more)
        threading.Thread(target=server.run, daemon=True).start()
        sys.stdout.write(json.dumps({"url": url}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
        # A request under way would make the database again while its directory goes.
        server.close()
        server.task_dispatcher.shutdown()


if __name__ == "__main__":
    main()
