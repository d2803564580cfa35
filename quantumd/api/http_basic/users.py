"""The text of a file of users. Pure: from text to values and back, every part looked at.

A line is a user, its parts between colons; empty lines and those that begin with ``#`` are nobody::

    name:bcrypt-hash:project-id:role,role

It is what Apache's ``htpasswd -B`` writes, and two parts more. Without them the user is in no project and has no role.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from attrs import field, frozen

from quantumd.errors import QuantumdError

MOST_USERS: Final = 10_000
"""How many users a file may have."""

LONGEST_NAME: Final = 255
"""How long a user's name, a project's id or a role's name may be, in characters."""

MOST_ROLES: Final = 100
"""How many roles a user may have."""

# Of the salt's 22nd sign only two bits count; bcrypt refuses others.
_HASH: Final = re.compile(r"\$2[aby]\$(?P<cost>\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}")
# A verification costs twice as much with each step; 16 takes seconds, 31 a day.
_COSTS: Final = range(4, 17)


class BadUsers(QuantumdError):
    """The text is no file of users. The sentence names the line and never shows it."""


@frozen
class User:
    """One user: ``password_hash`` is bcrypt's text, ``project_id`` None is no project, roles are in lower case."""

    name: str
    password_hash: str = field(repr=False)
    project_id: str | None = None
    roles: frozenset[str] = frozenset()

    @property
    def cost(self) -> int:
        """How much a verification costs: bcrypt's exponent."""
        return int(self.password_hash[4:6])


def parse_users(text: str) -> Mapping[str, User]:
    """Return the users of a file by name.

    :raises BadUsers: a line is none of a user, or one is there twice. Nobody of such a file is let in.
    """
    users: dict[str, User] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        user = _parse_user(stripped, number)
        if user.name in users:
            raise BadUsers(f"line {number}: the user is there twice")
        users[user.name] = user
        if len(users) > MOST_USERS:
            raise BadUsers(f"there are more than {MOST_USERS} users")
    return users


def _parse_user(line: str, number: int) -> User:
    name, password_hash, project, roles, *rest = (*line.split(":"), "", "", "")[: max(4, line.count(":") + 1)]
    if rest:
        raise BadUsers(f"line {number}: more than name, hash, project and roles")
    found = _HASH.fullmatch(password_hash)
    if found is None or int(found["cost"]) not in _COSTS:
        raise BadUsers(f"line {number}: the hash is none of bcrypt, or of a cost not from 4 to 16")
    try:
        return make_user(name, password_hash, project, roles.split(","))
    except BadUsers as error:
        raise BadUsers(f"line {number}: {error}") from None


def make_user(name: str, password_hash: str, project_id: str, roles: Iterable[str]) -> User:
    """Return a user; an empty project is none.

    :raises BadUsers: a part cannot stand in the file.
    """
    wanted = frozenset(role.strip().lower() for role in roles) - {""}
    if not name or name.startswith("#") or not all(map(_is_name, (name, project_id, *wanted))):
        raise BadUsers("a name is empty or too long, or holds a colon, a space at its end or what cannot be seen")
    if any("," in role for role in wanted) or len(wanted) > MOST_ROLES:
        raise BadUsers("a role holds a comma, or there are too many")
    return User(name, password_hash, project_id or None, wanted)


def _is_name(text: str) -> bool:
    return ":" not in text and text.isprintable() and text == text.strip() and len(text) <= LONGEST_NAME


def format_user(user: User) -> str:
    """Return the line of a user."""
    return ":".join((user.name, user.password_hash, user.project_id or "", ",".join(sorted(user.roles))))


def replace_user(text: str, name: str, user: User | None) -> str:
    """Return the text of a file with the line of ``name`` replaced, added at the end, or for None taken away.

    Other lines, comments among them, stay as they are.
    """
    lines, new = text.splitlines(), [] if user is None else [format_user(user)]
    at = [number for number, line in enumerate(lines) if line.strip().partition(":")[0] == name]
    first = at[0] if at else len(lines)
    kept = [*lines[:first], *new, *lines[first + 1 :]]
    return "".join(f"{line}\n" for line in kept)
