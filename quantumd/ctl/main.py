"""``quantumctl``: what an operator does at the command line. Heavy imports wait until a command needs them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quantumd.config import Settings, default_path, load_settings
from quantumd.errors import QuantumdError
from quantumd.version import VERSION


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status: 0 done, 1 refused or failed, 2 used wrongly (by argparse)."""
    options = parser().parse_args(arguments)
    try:
        return int(options.command(options, _settings(options)))
    except QuantumdError as error:
        print(f"quantumctl: {error}", file=sys.stderr)
        return 1


def _settings(options: argparse.Namespace) -> Settings:
    path = options.config or (default_path() if default_path().exists() else None)
    return load_settings(path, options.assignments)


def _status(options: argparse.Namespace, settings: Settings) -> int:
    from quantumd.ctl.status import certificate_of, show_status, url_of

    if options.url:
        return show_status(options.url)
    return show_status(url_of(settings), certificate_of(settings))


def _host_list(_options: argparse.Namespace, settings: Settings) -> int:
    from quantumd.ctl.hosts import show_list

    return show_list(settings)


def _host_show(options: argparse.Namespace, settings: Settings) -> int:
    from quantumd.ctl.hosts import show_host

    return show_host(settings, options.host)


def _router_move(options: argparse.Namespace, settings: Settings) -> int:
    from quantumd.ctl.routers import move_router

    return move_router(settings, options.router, options.host)


def _router_evacuate(options: argparse.Namespace, settings: Settings) -> int:
    from quantumd.ctl.routers import evacuate

    return evacuate(settings, options.host)


def _upgrade(_options: argparse.Namespace, settings: Settings) -> int:
    from quantumd.ctl.database import upgrade

    return upgrade(settings)


def _backup(options: argparse.Namespace, settings: Settings) -> int:
    from quantumd.ctl.database import backup

    return backup(settings, options.file)


def _user_add(options: argparse.Namespace, settings: Settings) -> int:
    from quantumd.ctl.users import add

    return add(settings.http_basic, options.name, options.project, options.roles)


def _user_passwd(options: argparse.Namespace, settings: Settings) -> int:
    from quantumd.ctl.users import change_password

    return change_password(settings.http_basic, options.name)


def _user_remove(options: argparse.Namespace, settings: Settings) -> int:
    from quantumd.ctl.users import remove

    return remove(settings.http_basic, options.name)


def _user_list(_options: argparse.Namespace, settings: Settings) -> int:
    from quantumd.ctl.users import show

    return show(settings.http_basic)


def _cleanup(options: argparse.Namespace, settings: Settings) -> int:
    if settings.l2.driver == "linuxbridge":
        from quantumd.ctl import cleanup_bridges

        return cleanup_bridges.clean(is_real=options.yes)
    from quantumd.ctl.cleanup import clean
    from quantumd.l3.names import parse_prefix

    return clean(settings.l2, options.yes, parse_prefix(settings.l3.namespace_prefix))


def _version(_options: argparse.Namespace, _settings: Settings) -> int:
    print(f"quantumd {VERSION}")
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(prog="quantumctl", description="Looks after quantumd on this host.")
    top.add_argument("-c", "--config", type=Path, help=f"settings file ({default_path()} if it is there)")
    top.add_argument(
        "-s", "--set", action="append", default=[], dest="assignments", metavar="SECTION.KEY=VALUE",
        help="a setting to put over the file's; may be given again",
    )  # fmt: skip
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    status = commands.add_parser("status", help="ask the running quantumd how it is")
    status.add_argument("--url", help="where the API is (from the settings)")
    status.set_defaults(command=_status)

    _add_host_commands(commands)
    _add_router_commands(commands)

    database = commands.add_parser("db", help="upgrade or back up the database").add_subparsers(
        required=True, metavar="ACTION"
    )
    upgrade = database.add_parser("upgrade", help="bring the tables to this version; harmless when they are")
    upgrade.set_defaults(command=_upgrade)
    backup = database.add_parser("backup", help="write a copy, while quantumd runs")
    backup.add_argument("file", type=Path, help="the copy; must not exist")
    backup.set_defaults(command=_backup)

    _add_user_commands(commands)

    cleanup = commands.add_parser("cleanup", help="remove all that is quantumd's own from this host's switch")
    choice = cleanup.add_mutually_exclusive_group(required=True)
    choice.add_argument("--yes", action="store_true", help="do it")
    choice.add_argument("--dry-run", action="store_true", help="print what would be done")
    cleanup.set_defaults(command=_cleanup)

    version = commands.add_parser("version", help="print the version")
    version.set_defaults(command=_version)
    return top


def _add_host_commands(commands: Any) -> None:
    hosts = commands.add_parser("host", help="what hosts say of themselves, from the database").add_subparsers(
        required=True, metavar="ACTION"
    )
    listed = hosts.add_parser("list", help="print the roles of all hosts, and whether they live")
    listed.set_defaults(command=_host_list)
    show = hosts.add_parser("show", help="print how far the roles of a host are, and what fails")
    show.add_argument("host")
    show.set_defaults(command=_host_show)


def _add_router_commands(commands: Any) -> None:
    moves = commands.add_parser("router", help="move routers between hosts, in the database").add_subparsers(
        required=True, metavar="ACTION"
    )
    move = moves.add_parser("move", help="let a host carry a router, wherever it is")
    move.add_argument("router", help="the router's id")
    move.add_argument("host")
    move.set_defaults(command=_router_move)
    evacuate = moves.add_parser("evacuate", help="move all routers of a host, which may be gone, to others")
    evacuate.add_argument("host")
    evacuate.set_defaults(command=_router_evacuate)


def _add_user_commands(commands: Any) -> None:
    users = commands.add_parser("user", help="look after the users of api.auth = http_basic").add_subparsers(
        required=True, metavar="ACTION"
    )
    add = users.add_parser("add", help="add a user; the password is asked for, or read from standard input")
    add.add_argument("name")
    add.add_argument("--project", default="", metavar="ID", help="the id of the user's project (none)")
    add.add_argument(
        "--role", action="append", default=[], dest="roles", help="admin, member, reader …; may be given again"
    )
    add.set_defaults(command=_user_add)
    password = users.add_parser("passwd", help="change a user's password; it is asked for, or read from standard input")
    password.add_argument("name")
    password.set_defaults(command=_user_passwd)
    remove = users.add_parser("remove", help="remove a user")
    remove.add_argument("name")
    remove.set_defaults(command=_user_remove)
    show = users.add_parser("list", help="print the users with project and roles")
    show.set_defaults(command=_user_list)


if __name__ == "__main__":
    sys.exit(main())
