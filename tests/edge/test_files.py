"""Files that settings name: passwords and others."""

from __future__ import annotations

import os
import unittest
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.files import LONGEST_SECRET_BYTES, read_file, read_secret, read_text, secret_of
from quantumd.errors import SettingsError

SECRET = "correct horse"
SETTING = "here.password_file"


class Case(SynchronousTestCase):
    """A file."""

    def setUp(self) -> None:
        """Nothing is in it, and nobody else may read it."""
        self.path = Path(self.mktemp())
        self.path.touch(mode=0o600)

    def holds(self, content: bytes) -> None:
        """Write it."""
        self.path.write_bytes(content)

    def refusal(self, path: str = "") -> str:
        """Read a secret in vain; return why: setting and file are named, and nothing of what it holds is."""
        name = path or str(self.path)
        said = str(self.assertRaises(SettingsError, read_secret, name, SETTING))
        self.assertIn(SETTING, said)
        self.assertIn(name, said)
        self.assertNotIn(SECRET, said)
        return said


class SecretTests(Case):
    """Passwords."""

    def test_the_end_of_the_line_is_not_part_of_it(self) -> None:
        """Spaces are, and so are lines before the last."""
        for content, secret in (
            (b"a b", "a b"),
            (b" a \n", " a "),
            (b"a\r\n", "a"),
            (b"a\nb\n\n", "a\nb"),
            (b"\xc3\xa9", "é"),
        ):
            self.holds(content)
            self.assertEqual(read_secret(str(self.path), SETTING), secret)

    def test_it_has_a_largest_size(self) -> None:
        """A longer one is refused, and not cut."""
        self.holds(b"x" * LONGEST_SECRET_BYTES)
        self.assertEqual(len(read_secret(str(self.path), SETTING)), LONGEST_SECRET_BYTES)
        self.holds(SECRET.encode() * LONGEST_SECRET_BYTES)
        self.assertIn("larger than 4096 bytes", self.refusal())

    def test_others_may_not_see_or_change_it(self) -> None:
        """Its group may read it."""
        self.holds(SECRET.encode())
        for mode in (0o604, 0o602, 0o601, 0o620, 0o644):
            self.path.chmod(mode)
            self.assertIn("chmod 600", self.refusal())
        for mode in (0o600, 0o400, 0o440):
            self.path.chmod(mode)
            self.assertEqual(read_secret(str(self.path), SETTING), SECRET)

    def test_it_is_not_a_strangers(self) -> None:
        """Who owns a file may change it."""
        if os.geteuid() != 0:
            raise unittest.SkipTest("needs root, to give a file away")
        self.holds(SECRET.encode())
        os.chown(self.path, 12345, 0)
        self.assertIn("belongs to neither", self.refusal())

    def test_what_holds_none(self) -> None:
        """Nothing but the end of a line, or what is no text."""
        for content, why in ((b"", "is empty"), (b"\n", "is empty"), (b"\xff" + SECRET.encode(), "is not UTF-8")):
            self.holds(content)
            self.assertIn(why, self.refusal())

    def test_what_is_no_file(self) -> None:
        """Nothing there, a folder, or a pipe, for which nobody waits."""
        self.assertIn("No such file", self.refusal("/nowhere/at/all"))
        self.assertIn("directory", self.refusal(os.path.dirname(self.path.absolute())))
        pipe = self.mktemp()
        os.mkfifo(pipe, 0o600)
        self.assertIn("is no file", self.refusal(pipe))


class ChoiceTests(Case):
    """A password may be in the settings too."""

    def test_the_file_goes_before_the_setting(self) -> None:
        """Where one is named."""
        self.holds(SECRET.encode())
        self.assertEqual(secret_of("plain", str(self.path), SETTING, "why"), SECRET)
        self.assertEqual(secret_of("plain", "", SETTING, "why"), "plain")

    def test_a_file_that_is_none_is_not_passed_over(self) -> None:
        """An old password in the settings is not tried in its place."""
        self.assertRaises(SettingsError, secret_of, "plain", "/nowhere/at/all", SETTING, "why")

    def test_neither_is_refused(self) -> None:
        """With what it is needed for."""
        said = str(self.assertRaises(SettingsError, secret_of, "", "", SETTING, "the broker asks for it"))
        self.assertEqual(said, f"{SETTING} is empty: the broker asks for it")


class OtherFileTests(Case):
    """What is no secret."""

    def test_everybody_may_read_it(self) -> None:
        """Certificates are for all."""
        self.holds(b"text\n")
        self.path.chmod(0o644)
        self.assertEqual(read_file(self.path, SETTING, 5), b"text\n")
        self.assertEqual(read_text(self.path, SETTING, 5), "text\n")

    def test_it_has_a_largest_size_too(self) -> None:
        """That of its kind."""
        self.holds(b"text\n")
        self.assertRaises(SettingsError, read_file, self.path, SETTING, 4)
