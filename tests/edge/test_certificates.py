"""Certificates in files."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.certificates import read_certificates, read_trust
from quantumd.errors import SettingsError
from tests.bed.certificates import make_certificate


class CertificatesTests(SynchronousTestCase):
    """By which servers are checked."""

    def written(self, content: bytes) -> str:
        """Write a file; return its path."""
        path = Path(self.mktemp())
        path.write_bytes(content)
        return str(path)

    def test_all_of_a_file_are_read(self) -> None:
        """Whatever stands between them."""
        (one, _), (other, _) = make_certificate("127.0.0.1"), make_certificate("127.0.0.1")
        self.assertEqual(len(read_certificates(self.written(b"Words.\n" + one + b"Others.\n" + other), "x.ca_file")), 2)

    def test_no_file_is_the_systems_trust(self) -> None:
        """A file is its own."""
        self.assertIsNone(read_trust("", "x.ca_file"))
        self.assertIsNotNone(read_trust(self.written(make_certificate("127.0.0.1")[0]), "x.ca_file"))

    def test_files_without_are_refused(self) -> None:
        """One that is not there, or holds none, or a broken one; the setting is named."""
        broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
        for file in (self.written(b"nothing"), self.written(broken), "/nowhere/at/all"):
            said = str(self.assertRaises(SettingsError, read_trust, file, "x.ca_file"))
            self.assertIn(f"x.ca_file: {file}", said)
