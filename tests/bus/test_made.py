"""The bus that the settings describe."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from quantumd.bus.errors import Untrusted
from quantumd.bus.made import make_signer
from quantumd.config import BusSettings
from quantumd.edge.amqp.interfaces import Message
from quantumd.errors import SettingsError


class SignerTests(SynchronousTestCase):
    """The key in the settings' file."""

    def key_file(self, key: str, mode: int = 0o600) -> BusSettings:
        """Return settings that name a file with this key."""
        path = Path(self.mktemp())
        path.write_text(key)
        path.chmod(mode)
        return BusSettings(signing_key_file=str(path))

    def test_without_a_file_nothing_is_signed(self) -> None:
        """Whoever the broker lets in is believed."""
        self.assertIsNone(make_signer(BusSettings()))

    def test_processes_with_the_same_file_believe_each_other(self) -> None:
        """And nobody who has another."""
        one, same = make_signer(self.key_file("x" * 32)), make_signer(self.key_file("x" * 32 + "\n"))
        other = make_signer(self.key_file("y" * 32))
        assert one and same and other
        signed = one.sign("ask.api", Message(b"{}"))
        same.check("ask.api", signed)
        self.assertRaises(Untrusted, other.check, "ask.api", signed)

    def test_a_short_key_is_none(self) -> None:
        """It could be guessed."""
        self.assertRaises(SettingsError, make_signer, self.key_file("x" * 31))

    def test_a_key_that_others_can_read_is_none(self) -> None:
        """The sentence does not show it."""
        error = self.assertRaises(SettingsError, make_signer, self.key_file("x" * 32, 0o644))
        self.assertNotIn("xxx", str(error))

    def test_the_key_is_not_shown(self) -> None:
        """Nor where a signer is."""
        self.assertNotIn("xxx", repr(make_signer(self.key_file("x" * 32))))
