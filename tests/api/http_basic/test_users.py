"""The file of users: what it may hold, who may read it, and how it is written."""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.http_basic.file import LARGEST_FILE_BYTES, read_users_file, users_file_locked, write_users_file
from quantumd.api.http_basic.hashes import BadPassword, hash_password, is_password_of, nobodys_hash
from quantumd.api.http_basic.header import read_login
from quantumd.api.http_basic.service import load_users
from quantumd.api.http_basic.users import (
    LONGEST_NAME,
    MOST_USERS,
    BadUsers,
    User,
    format_user,
    make_user,
    parse_users,
    replace_user,
)
from quantumd.errors import SettingsError

HASH = hash_password("swordfish", 4)


class ParseTests(SynchronousTestCase):
    """Lines of the file."""

    def refusal(self, text: str) -> str:
        """Parse in vain; return why."""
        return str(self.assertRaises(BadUsers, parse_users, text))

    def test_a_line_is_name_hash_project_and_roles(self) -> None:
        """Roles are compared in lower case; comments and empty lines are nobody."""
        users = parse_users(f"# users\n\nalice:{HASH}:p1:Member, reader\n")
        self.assertEqual(users, {"alice": User("alice", HASH, "p1", frozenset({"member", "reader"}))})

    def test_a_line_of_htpasswd_is_a_user_without_project_and_roles(self) -> None:
        """It may be there, and may do nothing that needs a role."""
        for line in (f"bob:{HASH}", f"bob:{HASH}:", f"bob:{HASH}::", f"bob:$2y${HASH[4:]}"):
            user = parse_users(line)["bob"]
            self.assertEqual((user.project_id, user.roles), (None, frozenset()))

    def test_a_line_that_is_none_refuses_the_file(self) -> None:
        """With its number, and without what it says."""
        good = f"a:{HASH}:p:member"
        for line in (
            "alice", "alice:", "alice:secret", f":{HASH}:p:member", f"x:{HASH}:p:r:more", f"x:{HASH[:-1]}:p:r",
            f"x:{HASH.replace('$04$', '$31$')}:p:r", f"x:{HASH.replace('$04$', '$03$')}:p:r",
            f"x:$2b$04${'x' * 53}:p:r", "x:$apr1$salt$hash:p:r",
            "x:{SHA}abc:p:r", f"x:{HASH}:{'p' * (LONGEST_NAME + 1)}:r", f"{good}\t\x01",
            f"x\x00:{HASH}:p:r",
        ):  # fmt: skip
            refusal = self.refusal(f"{good}\n{line}\n")
            self.assertIn("line 2", refusal, line)
            self.assertNotIn("secret", refusal)
            self.assertNotIn(HASH, refusal)

    def test_a_name_is_there_once(self) -> None:
        """Which of two would count nobody could say."""
        self.assertIn("twice", self.refusal(f"a:{HASH}\nb:{HASH}\na:{HASH}:p:admin"))

    def test_their_number_is_bounded(self) -> None:
        """A file without end is none of users."""
        self.refusal("".join(f"u{number}:{HASH}\n" for number in range(MOST_USERS + 1)))

    def test_what_is_written_is_read_back(self) -> None:
        """Whatever may be in a name."""
        for name, project, roles in (("alice", "p1", ["admin"]), ("é ü", "", []), ("a#b", "x y", ["b", "a"])):
            user = make_user(name, HASH, project, roles)
            self.assertEqual(parse_users(format_user(user)), {name: user})

    def test_what_cannot_be_written_is_refused(self) -> None:
        """A name that would be another line, or another part."""
        for name, project, role in (
            ("", "", ""), ("a:b", "", ""), ("#a", "", ""), ("a\nb", "", ""), (" a", "", ""), ("a", "p:q", ""),
            ("a", "", "r:s"), ("a", "", "r,s"), ("a", "\r", ""), ("a" * 256, "", ""),
        ):  # fmt: skip
            self.assertRaises(BadUsers, make_user, name, HASH, project, [role])

    def test_a_change_leaves_the_other_lines(self) -> None:
        """Comments too, each in its place."""
        text = f"# mine\na:{HASH}\n\nb:{HASH}:p:r\n"
        other = make_user("a", HASH, "p2", ["admin"])
        self.assertEqual(replace_user(text, "a", other), f"# mine\na:{HASH}:p2:admin\n\nb:{HASH}:p:r\n")
        self.assertEqual(replace_user(text, "a", None), f"# mine\n\nb:{HASH}:p:r\n")
        new = make_user("c", HASH, "", [])
        self.assertEqual(replace_user(f"a:{HASH}", "c", new), f"a:{HASH}\nc:{HASH}::\n")


class FileTests(SynchronousTestCase):
    """The file on the disk."""

    def setUp(self) -> None:
        """A directory."""
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.path = self.directory / "users"

    def put(self, text: str, mode: int = 0o600) -> None:
        """Write the file as an editor does."""
        self.path.write_text(text)
        self.path.chmod(mode)

    def refusal(self) -> str:
        """Load in vain; return why."""
        return str(self.assertRaises(SettingsError, load_users, self.path))

    def test_it_is_read(self) -> None:
        """By its owner, and where the mode says so its group."""
        for mode in (0o600, 0o400, 0o640):
            self.put(f"a:{HASH}", mode)
            self.assertIn("a", load_users(self.path))

    def test_it_is_refused_where_others_may_read_or_write_it(self) -> None:
        """Whoever reads it can try passwords at home; whoever writes it is admin."""
        for mode in (0o644, 0o604, 0o602, 0o660, 0o666, 0o620):
            self.put(f"a:{HASH}", mode)
            self.assertIn("others may read or write", self.refusal())

    def test_what_is_no_file_is_refused(self) -> None:
        """A pipe does not keep us waiting."""
        self.assertIn("No such file", self.refusal())
        self.path.mkdir()
        self.refusal()
        self.path.rmdir()
        os.mkfifo(self.path, 0o600)
        self.assertIn("is no file", self.refusal())

    def test_what_is_no_text_of_users_is_refused(self) -> None:
        """With the path."""
        self.put("nonsense")
        self.assertIn(f"{self.path}: line 1", self.refusal())
        self.path.write_bytes(b"\xff")
        self.assertIn("UTF-8", self.refusal())
        self.path.write_bytes(b"#" * (LARGEST_FILE_BYTES + 1))
        self.assertIn("larger", self.refusal())

    def test_a_new_file_is_for_us_only(self) -> None:
        """And nothing else is left beside it."""
        write_users_file(self.path, "# none\n")
        self.assertEqual((self.path.stat().st_mode & 0o777, read_users_file(self.path)), (0o600, "# none\n"))
        self.assertEqual(list(self.directory.iterdir()), [self.path])

    def test_an_old_ones_mode_is_kept(self) -> None:
        """As far as it is allowed."""
        for before, after in ((0o640, 0o640), (0o644, 0o640), (0o600, 0o600)):
            self.put("# old\n", before)
            write_users_file(self.path, "# new\n")
            self.assertEqual((self.path.stat().st_mode & 0o777, self.path.read_text()), (after, "# new\n"))

    def test_a_directory_that_is_not_there_is_refused(self) -> None:
        """With a sentence."""
        nowhere = self.directory / "nowhere" / "users"
        self.assertRaises(SettingsError, write_users_file, nowhere, "")
        with self.assertRaises(SettingsError), users_file_locked(nowhere):
            self.fail("it is locked")


class PasswordTests(SynchronousTestCase):
    """Passwords and hashes."""

    def test_a_password_fits_its_hash(self) -> None:
        """And no other's."""
        self.assertTrue(is_password_of(b"swordfish", HASH))
        self.assertFalse(is_password_of(b"Swordfish", HASH))

    def test_what_bcrypt_would_cut_is_refused(self) -> None:
        """Also an empty one, and one with signs that cannot be seen."""
        for password in ("", "x" * 73, "é" * 37, "a\nb", "a\0b"):
            self.assertRaises(BadPassword, hash_password, password, 4)

    def test_nobodys_hash_is_nobodys(self) -> None:
        """It can be verified against, and nothing fits."""
        self.assertFalse(is_password_of(b"x", nobodys_hash(4)))

    def test_a_header_says_name_and_password(self) -> None:
        """UTF-8, and colons in the password are part of it."""
        login = read_login(b"bAsIc  w6lhOmI6Yw==")
        self.assertEqual(login and (login.name, login.password), ("éa", b"b:c"))
        self.assertNotIn("b:c", repr(login))

    def test_other_headers_say_nothing(self) -> None:
        """Broken ones, other schemes, and what cannot be right."""
        for header in (
            b"", b"Basic", b"Basic ", b"Bearer YTpi", b"Basic YTpi!", b"Basic YQ==", b"Basic OmI=", b"Basic YTo=",
            b"Basic /zpi", b"Basic YTphAGI=", b"Basic YTpi YTpi", b"Basic " + b"A" * 4000,
            b"Basic " + b64encode(b"a:" + b"x" * 73),
        ):  # fmt: skip
            self.assertIsNone(read_login(header), header)
