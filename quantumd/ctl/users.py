"""``quantumctl user``: the file of users of ``api.auth = "http_basic"``. Passwords come from no command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from getpass import getpass
from pathlib import Path

from quantumd.api.http_basic.file import read_users_file, users_file_locked, write_users_file
from quantumd.api.http_basic.hashes import hash_password
from quantumd.api.http_basic.users import BadUsers, User, make_user, parse_users, replace_user
from quantumd.config import HttpBasicSettings

_LONGEST_LINE = 4096


def add(settings: HttpBasicSettings, name: str, project: str, roles: Sequence[str]) -> int:
    """Add a user; the file is made if it is not there."""
    # What is wrong with the name is said before the password is asked for.
    new = make_user(name, "", project, roles)

    def added(users: Mapping[str, User]) -> User:
        if name in users:
            raise BadUsers(f"{name} is there already; quantumctl user passwd changes the password")
        return make_user(name, password_hash, project, new.roles)

    password_hash = hash_password(read_password())
    _change(Path(settings.user_file), name, added)
    print(f"added {name}, project {project or '(none)'}, roles {', '.join(sorted(new.roles)) or '(none)'}")
    return 0


def change_password(settings: HttpBasicSettings, name: str) -> int:
    """Give a user another password; the old one is worth nothing from then on."""
    path = Path(settings.user_file)
    _known(parse_users(read_users_file(path)), name)
    password_hash = hash_password(read_password())

    def changed(users: Mapping[str, User]) -> User:
        user = _known(users, name)
        return make_user(name, password_hash, user.project_id or "", user.roles)

    _change(path, name, changed)
    print(f"the password of {name} is changed")
    return 0


def remove(settings: HttpBasicSettings, name: str) -> int:
    """Remove a user."""

    def removed(users: Mapping[str, User]) -> None:
        _known(users, name)

    _change(Path(settings.user_file), name, removed)
    print(f"removed {name}")
    return 0


def show(settings: HttpBasicSettings) -> int:
    """Print every user with project and roles."""
    for user in parse_users(read_users_file(Path(settings.user_file))).values():
        print(f"{user.name}  project {user.project_id or '(none)'}  roles {', '.join(sorted(user.roles)) or '(none)'}")
    return 0


def read_password() -> str:
    """Return a new password: typed twice at a terminal, else the first line of standard input.

    :raises BadUsers: it was not typed the same twice.
    """
    if not sys.stdin.isatty():
        return sys.stdin.readline(_LONGEST_LINE).rstrip("\r\n")
    password = getpass("New password: ")
    if getpass("Again: ") != password:
        raise BadUsers("the two are not the same")
    return password


def _known(users: Mapping[str, User], name: str) -> User:
    if name not in users:
        raise BadUsers(f"there is no user {name}")
    return users[name]


def _change(path: Path, name: str, change: Callable[[Mapping[str, User]], User | None]) -> None:
    with users_file_locked(path):
        text = read_users_file(path) if path.exists() else ""
        try:
            users = parse_users(text)
        except BadUsers as error:
            raise BadUsers(f"{path}: {error}") from None
        write_users_file(path, replace_user(text, name, change(users)))
