"""``quantumctl host``: what is read from the database, and how it is shown."""

from __future__ import annotations

import contextlib
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import SkipTest

from attrs import evolve
from sqlalchemy import delete, update
from twisted.trial.unittest import SynchronousTestCase

from quantumd.ctl.hosts import HostDetails, RoleRow, UnknownHost, description, listing, read_host, read_roles
from quantumd.ctl.main import main
from quantumd.model.host_life import HostLife
from quantumd.model.messages import HostReport, PortReport, Report
from quantumd.model.role_state import Fault, RoleState
from quantumd.store.tables.services import agents
from tests.api.resources.bed import NOW
from tests.api.resources.case import ResourceCase
from tests.bed.databases import empty_tables, lacking

THEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
LIFE = HostLife(150)
L2 = RoleRow("host-a", "l2", "0.1.0", THEN, "nova", True, 12, 0)
API = RoleRow("controller", "api", "0.1.0", THEN)


def later(seconds: int) -> datetime:
    """Return a time."""
    return THEN + timedelta(seconds=seconds)


def run(*words: str) -> tuple[int, str]:
    """Run ``quantumctl``; return its status and what it printed."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        status = main(words)
    return status, out.getvalue()


class ListingTests(SynchronousTestCase):
    """The table of all hosts."""

    def rows(self, *rows: RoleRow, seconds: int = 10) -> list[list[str]]:
        """Return the words of each line but the first."""
        return [line.split() for line in listing(rows, {"host-a": 7}, LIFE, later(seconds))][1:]

    def test_a_role_and_how_it_is(self) -> None:
        """With the version that it runs, what operators set, and the ports of its host."""
        self.assertEqual(self.rows(L2), [["host-a", "l2", "alive", "0.1.0", "nova", "up", "7", "0", "0"]])
        disabled = self.rows(evolve(L2, is_enabled=False))
        self.assertEqual(disabled[0][5], "down")

    def test_silent_since_its_last_report(self) -> None:
        """When nothing came within agents.down_seconds."""
        self.assertIn("silent since 2026-11-20T10:00:00Z", " ".join(self.rows(L2, seconds=151)[0]))

    def test_what_waits_and_fails_is_counted(self) -> None:
        """A switch that cannot be seen counts as one."""
        role = evolve(L2, waiting=3, faults=(Fault("bridge", "br-ex", "gone"),), trouble="no switch")
        self.assertEqual(self.rows(role)[0][-2:], ["3", "2"])

    def test_of_an_older_host_that_is_unknown(self) -> None:
        """It does not say."""
        self.assertEqual(self.rows(evolve(L2, waiting=None))[0][-2:], ["-", "-"])

    def test_that_no_api_process_lives_is_said(self) -> None:
        """Then nobody hears hosts, and all seem silent."""
        self.assertIn("controller", self.rows(API, L2)[0])
        self.assertIn("no API process lives since", " ".join(self.rows(API, L2, seconds=151)[-1]))


class DescriptionTests(SynchronousTestCase):
    """One host."""

    def lines(self, role: RoleRow, *port_faults: Fault) -> list[str]:
        """Return the lines."""
        details = HostDetails((role,), {"ACTIVE": 2, "DOWN": 1}, {"l2": 14}, {"l2": port_faults})
        return list(description("host-a", details, LIFE, later(5)))

    def test_a_role_that_is_behind(self) -> None:
        """Wanted and realised are positions of the journal."""
        self.assertEqual(
            self.lines(evolve(L2, waiting=2)),
            [
                "host-a: 3 ports (ACTIVE 2, DOWN 1)",
                "l2: alive, last reported 2026-11-20T10:00:00Z",
                "  version 0.1.0, availability zone nova, admin state up",
                "  wanted 14, realised 12, 2 keys wait or fail",
            ],
        )

    def test_what_fails_is_said_in_the_role_s_words(self) -> None:
        """First what it says of itself, then what it said of ports."""
        role = evolve(L2, trouble="the switch does not answer", faults=(Fault("bridge", "br-ex", "it is gone"),))
        lines = self.lines(role, Fault("port", "p1", "so is its way"))
        self.assertEqual(
            lines[4:],
            [
                "  cannot look: the switch does not answer",
                "  bridge br-ex: it is gone",
                "  port p1: so is its way",
            ],
        )


class ReadingTests(ResourceCase):
    """A host in the database: two roles have reported, and it has a port."""

    def setUp(self) -> None:
        """Make it."""
        super().setUp()
        self.network_id, _ = self.bed.network_with_subnet()
        self.report("l2", RoleState(3, 1, "", (Fault("bridge", "br-ex", "it is gone"),)))
        self.report("dhcp", RoleState(3, 0))
        port = self.bed.create("port", network_id=self.network_id, binding__host_id="host-a")
        self.port_id = port["id"]

    def report(self, role: str, state: RoleState | None) -> None:
        """Let a role say how it is."""
        self.bed.hear(HostReport("host-a", role, "0.1.0", "ovs" if role == "l2" else None, state=state))

    def test_roles_are_as_they_reported(self) -> None:
        """All that they said comes back."""
        dhcp, l2 = read_roles(self.bed.connection)
        self.assertEqual((l2.realised, l2.waiting, l2.faults), (3, 1, (Fault("bridge", "br-ex", "it is gone"),)))
        self.assertEqual((dhcp.waiting, dhcp.zone, dhcp.is_enabled), (0, "nova", True))
        self.assertEqual(l2.reported_at, datetime.fromisoformat(NOW))

    def test_a_role_of_before_says_nothing(self) -> None:
        """Its report replaces what was known."""
        self.report("l2", None)
        self.assertEqual([row.waiting for row in read_roles(self.bed.connection)], [0, None])

    def test_what_is_wanted_is_what_it_must_know(self) -> None:
        """The newest position of the records of its ports and their networks."""
        details = read_host(self.bed.connection, "host-a")
        self.assertEqual(details.ports, {"DOWN": 1})
        self.assertEqual(details.wanted["l2"], details.wanted["dhcp"])
        self.assertGreater(details.wanted["l2"], 3)

    def test_a_port_s_fault_is_told_once(self) -> None:
        """Whether its role names it or the port's own report."""
        fault = Report("host-a", "l2", (PortReport(self.port_id, 0, True, "its bridge is gone"),))
        self.bed.report(fault)
        told = read_host(self.bed.connection, "host-a").port_faults["l2"]
        self.assertEqual(told, (Fault("port", self.port_id, "its bridge is gone"),))
        self.report("l2", RoleState(3, 1, "", told))
        self.assertEqual(read_host(self.bed.connection, "host-a").port_faults["l2"], ())

    def test_a_deleted_agent_is_not_listed(self) -> None:
        """Its host may be gone for ever; it is back with its next report."""
        self.bed.connection.execute(delete(agents).where(agents.c.role == "dhcp"))
        self.assertEqual([row.role for row in read_roles(self.bed.connection)], ["l2"])

    def test_a_disabled_agent_is_shown_as_such(self) -> None:
        """As the operator set it."""
        self.bed.connection.execute(update(agents).values(admin_state_up=False))
        self.assertEqual([row.is_enabled for row in read_roles(self.bed.connection)], [False, False])

    def test_an_unknown_host_is_an_error(self) -> None:
        """That says where to look."""
        error = self.assertRaises(UnknownHost, read_host, self.bed.connection, "nobody")
        self.assertIn("nobody", str(error))


class CommandTests(SynchronousTestCase):
    """The command line."""

    def run_host(self, *words: str) -> tuple[int, str]:
        """Run a command with the state directory."""
        return run("--set", f"host.state_dir={self.directory}", *words)

    def setUp(self) -> None:
        """Have a directory without a database."""
        self.directory = Path(self.mktemp())
        self.directory.mkdir()

    def test_without_a_database_none_is_made(self) -> None:
        """A host that has none is no place for the command."""
        status, printed = self.run_host("host", "list")
        self.assertEqual((status, list(self.directory.iterdir())), (1, []))
        self.assertIn("there is no database", printed)

    def test_with_no_process_at_all(self) -> None:
        """A new database has no hosts."""
        self.run_host("db", "upgrade")
        status, printed = self.run_host("host", "list")
        self.assertEqual((status, printed.splitlines()[0].split()[0], len(printed.splitlines())), (0, "HOST", 1))
        self.assertEqual(self.run_host("host", "show", "host-a")[0], 1)


class PostgresqlReadingTests(ReadingTests):
    """On PostgreSQL."""

    database = "postgresql"
    skip = lacking("postgresql")


class MariadbReadingTests(ReadingTests):
    """On MariaDB."""

    database = "mariadb"
    skip = lacking("mariadb")


class ServerCommandTests(SynchronousTestCase):
    """The command line, with a database server."""

    def check(self, kind: str) -> None:
        """List nothing from a new database, and say it when the database is away."""
        if reason := lacking(kind):
            raise SkipTest(reason)
        file = Path(self.mktemp())
        file.write_text(f'[database]\nurl = "{empty_tables(kind)}"\n')
        status, printed = run("--config", str(file), "host", "list")
        self.assertEqual((status, len(printed.splitlines())), (0, 1))
        file.write_text(f'[database]\nurl = "{kind}://somebody:swordfish@127.0.0.1:1/nothing"\n')
        status, printed = run("--config", str(file), "host", "list")
        self.assertEqual((status, "cannot be read" in printed, "swordfish" in printed), (1, True, False))

    def test_postgresql(self) -> None:
        """Its errors are said without the password."""
        self.check("postgresql")

    def test_mariadb(self) -> None:
        """So are those of this one."""
        self.check("mariadb")
