"""``quantumctl user``: what it writes, and that passwords come from no command line."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.http_basic.hashes import is_password_of
from quantumd.api.http_basic.service import load_users
from quantumd.api.http_basic.users import User
from quantumd.ctl.main import main


class UserTests(SynchronousTestCase):
    """A file of users, from nothing."""

    def setUp(self) -> None:
        """There is none yet."""
        directory = Path(self.mktemp())
        directory.mkdir()
        self.path = directory / "users"

    def run_user(self, *words: str, typed: str = "swordfish\n") -> tuple[int, str]:
        """Run ``quantumctl user``; return its status and what it printed."""
        out = io.StringIO()
        self.patch(sys, "stdin", io.StringIO(typed))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            status = main(("--set", f"http_basic.user_file={self.path}", "user", *words))
        return status, out.getvalue()

    def user(self, name: str) -> User:
        """Return a user of the file."""
        return load_users(self.path)[name]

    def test_a_user_is_added(self) -> None:
        """With project, roles and password; the file is for its owner only, and the password in no output."""
        status, printed = self.run_user("add", "alice", "--project", "p1", "--role", "member", "--role", "Reader")
        user = self.user("alice")
        self.assertEqual((status, user.project_id, user.roles), (0, "p1", frozenset({"member", "reader"})))
        self.assertTrue(is_password_of(b"swordfish", user.password_hash))
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        self.assertNotIn("swordfish", printed + self.path.read_text())

    def test_a_password_is_changed(self) -> None:
        """And nothing else of the user."""
        self.run_user("add", "alice", "--project", "p1", "--role", "member")
        self.assertEqual(self.run_user("passwd", "alice", typed="marlin")[0], 0)
        user = self.user("alice")
        self.assertEqual((user.project_id, user.roles), ("p1", frozenset({"member"})))
        self.assertTrue(is_password_of(b"marlin", user.password_hash))

    def test_users_are_listed_and_removed(self) -> None:
        """The list shows no hash."""
        self.run_user("add", "alice", "--project", "p1", "--role", "member")
        self.run_user("add", "bob")
        listed = self.run_user("list")
        self.assertEqual(listed, (0, "alice  project p1  roles member\nbob  project (none)  roles (none)\n"))
        self.assertEqual(self.run_user("remove", "alice")[0], 0)
        self.assertEqual(set(load_users(self.path)), {"bob"})

    def test_what_is_wrong_is_said(self) -> None:
        """And changes nothing."""
        self.run_user("add", "alice")
        before = self.path.read_text()
        for words, typed in (
            (("add", "alice"), "x\n"), (("add", "a:b"), "x\n"), (("add", "bob"), "\n"), (("add", "bob"), "x" * 73),
            (("passwd", "bob"), "x\n"), (("remove", "bob"), ""),
        ):  # fmt: skip
            status, printed = self.run_user(*words, typed=typed)
            self.assertEqual((status, printed.startswith("quantumctl: ")), (1, True), words)
        self.assertEqual(self.path.read_text(), before)

    def test_a_file_that_others_may_read_is_not_used(self) -> None:
        """The sentence says what to do."""
        self.run_user("add", "alice")
        self.path.chmod(0o644)
        status, printed = self.run_user("add", "bob")
        self.assertEqual((status, "chmod 600" in printed), (1, True))

    def test_a_password_is_no_word_of_the_command(self) -> None:
        """There is no place for it."""
        with contextlib.redirect_stderr(io.StringIO()):
            self.assertRaises(SystemExit, main, ("user", "add", "alice", "swordfish"))
            self.assertRaises(SystemExit, main, ("user", "add", "alice", "--password", "swordfish"))
