"""Where brokers are, and by which password."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import AmqpSettings
from quantumd.edge.amqp.location import Location, parse_location
from quantumd.edge.amqp.made import make_broker, read_password
from quantumd.errors import SettingsError


class LocationTests(SynchronousTestCase):
    """URLs."""

    def test_a_url_is_read(self) -> None:
        """With what it leaves out."""
        self.assertEqual(parse_location("amqp://h"), Location("h", 5672, "guest", "/", False))
        self.assertEqual(parse_location("amqps://u%40x@h:1/a%2Fb"), Location("h", 1, "u@x", "a/b", True))
        self.assertEqual(parse_location("amqp://u@[::1]:7/").host, "::1")

    def test_a_url_with_a_password_is_refused_without_showing_it(self) -> None:
        """It would be in every listing of the settings."""
        with self.assertRaises(SettingsError) as caught:
            parse_location("amqp://u:s3cret@h/")
        self.assertNotIn("s3cret", str(caught.exception))

    def test_what_is_no_url_of_a_broker_is_refused(self) -> None:
        """Other schemes, no host, wrong ports, options."""
        for url in ("http://h", "amqp://", "amqp://h:x/", "amqp://h:99999/", "amqp://h/?a=b", "h"):
            with self.assertRaises(SettingsError):
                parse_location(url)


class PasswordTests(SynchronousTestCase):
    """Read at each connection."""

    def test_the_file_goes_before_the_setting(self) -> None:
        """Its line's end is not part of it."""
        path = Path(self.mktemp())
        path.touch(mode=0o600)
        path.write_text("word s\n")
        self.assertEqual(read_password(AmqpSettings(password_file=str(path), password="other")), "word s")
        self.assertEqual(read_password(AmqpSettings(password="other")), "other")

    def test_what_is_missing_stops_the_start(self) -> None:
        """With the name of the setting, and never the password."""
        empty = Path(self.mktemp())
        empty.touch(mode=0o600)
        empty.write_text("\n")
        for settings in (AmqpSettings(), AmqpSettings(password_file="/none"), AmqpSettings(password_file=str(empty))):
            with self.assertRaises(SettingsError) as caught:
                make_broker(None, settings)
            self.assertIn("amqp.password_file", str(caught.exception))
        with self.assertRaises(SettingsError):
            make_broker(None, AmqpSettings(urls=(), password="x"))

    def test_a_password_is_in_no_representation(self) -> None:
        """Whatever is logged of settings."""
        self.assertNotIn("s3cret", repr(AmqpSettings(password="s3cret")))
