"""As whom quantumd asks, and settings of Keystone that are refused before the start."""

from __future__ import annotations

from pathlib import Path

import orjson
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.identity import refuse_open_door, refuse_open_preview
from quantumd.api.keystone.credentials import check_url, read_credentials
from quantumd.config import KeystoneSettings, load_settings
from quantumd.errors import SettingsError

SECRET = "correct horse"


class PasswordTests(SynchronousTestCase):
    """Where the password comes from, and where it never goes."""

    def refusal(self, settings: KeystoneSettings) -> str:
        """Read the credentials in vain; return why."""
        return str(self.assertRaises(SettingsError, read_credentials, settings))

    def written(self, content: bytes) -> str:
        """Write a file and return its path."""
        path = Path(self.mktemp())
        path.touch(mode=0o600)
        path.write_bytes(content)
        return str(path)

    def test_it_is_read_from_a_file(self) -> None:
        """Without the end of its line; it goes before the setting."""
        file = self.written(SECRET.encode() + b"\n")
        self.assertEqual(read_credentials(KeystoneSettings(password_file=file, password="x")).password(), SECRET)

    def test_a_changed_file_is_read_again(self) -> None:
        """No restart for a new password."""
        file = self.written(b"old")
        credentials = read_credentials(KeystoneSettings(password_file=file))
        Path(file).write_text(SECRET)
        self.assertIn(SECRET, credentials.login().decode())

    def test_it_may_be_a_setting(self) -> None:
        """Of the file of settings."""
        self.assertEqual(read_credentials(KeystoneSettings(password=SECRET)).password(), SECRET)

    def test_the_login_names_user_and_project(self) -> None:
        """With their domains."""
        settings = KeystoneSettings(password=SECRET, user="u", user_domain="d1", project="p", project_domain="d2")
        auth = orjson.loads(read_credentials(settings).login())["auth"]
        user = {"name": "u", "domain": {"name": "d1"}, "password": SECRET}
        self.assertEqual(auth["identity"], {"methods": ["password"], "password": {"user": user}})
        self.assertEqual(auth["scope"], {"project": {"name": "p", "domain": {"name": "d2"}}})

    def test_none_is_refused(self) -> None:
        """Neither a setting nor a file, or a file with nothing in it, or with no text, or no file."""
        self.assertIn("password", self.refusal(KeystoneSettings()))
        for file in (self.written(b"\n"), self.written(b"\xff"), "/nowhere/at/all"):
            self.assertIn(file, self.refusal(KeystoneSettings(password_file=file)))

    def test_it_is_not_taken_from_the_command_line(self) -> None:
        """Everybody on the machine sees those; the refusal does not repeat it."""
        error = self.assertRaises(SettingsError, load_settings, None, [f"keystone.password={SECRET}"])
        self.assertNotIn(SECRET, str(error))

    def test_it_is_never_shown(self) -> None:
        """Not by what holds it, and not by what refuses it."""
        settings = KeystoneSettings(password=SECRET)
        self.assertNotIn(SECRET, repr(settings) + repr(read_credentials(settings)))
        file = self.written(b"[keystone]\npassword = 81723")
        self.assertNotIn("81723", str(self.assertRaises(SettingsError, load_settings, Path(file))))


class UrlTests(SynchronousTestCase):
    """Where Keystone is."""

    def test_roots_are_taken(self) -> None:
        """With http or https, by name or address."""
        for url in (
            "http://127.0.0.1:5000/v3",
            "https://keystone.example/identity/v3",
            "https://[2001:db8::1]:5000/v3",
        ):
            check_url(url)

    def test_the_rest_is_refused(self) -> None:
        """What is no URL, and what would tell a secret or confuse."""
        for url in (
            "", "keystone", "ftp://x/v3", "http:///v3", "http://x:0/v3", "http://x:99999/v3", "http://x:y/v3",
            "http://u:p@x/v3", "http://x/v3?a=b", "http://x/v3#a", "http://é/v3", "http://[::1/v3",
        ):  # fmt: skip
            self.assertRaises(SettingsError, check_url, url)


class DoorTests(SynchronousTestCase):
    """Where an API with Keystone may listen."""

    def test_everywhere(self) -> None:
        """Its callers have to show tokens."""
        refuse_open_door("keystone", "tcp:9696")

    def test_previews_stay_on_the_loopback(self) -> None:
        """What packets do not obey yet is not for others, whoever they are."""
        for listen in ("tcp:9696", "tcp:9696:interface=192.0.2.1", r"tcp6:9696:interface=\:\:"):
            self.assertRaises(SettingsError, refuse_open_preview, True, listen)
            refuse_open_preview(False, listen)
        for listen in ("tcp:9696:interface=127.0.0.1", "unix:/run/quantumd/api.sock"):
            refuse_open_preview(True, listen)
