"""TLS: what an endpoint's description may say, which files are taken, and which are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from OpenSSL import SSL
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import CertificateOptions
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.test.iosim import FakeTransport, connect
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.identity import refuse_open_door, refuse_open_preview
from quantumd.api.tls import TlsFactory, TlsOptions, load_tls, tls_place
from quantumd.errors import SettingsError
from tests.bed.certificates import Authority


class PlaceTests(SynchronousTestCase):
    """Descriptions of endpoints."""

    def test_a_description_without_tls_has_none(self) -> None:
        """Whatever it is."""
        for listen in ("tcp:9696", "unix:/run/x", "systemd:domain=INET:index=0", ""):
            self.assertIsNone(tls_place(listen))

    def test_twisted_s_words_are_understood(self) -> None:
        """And the one for clients' certificates; what is in a path is not a part of its own."""
        place = tls_place(
            r"ssl:9696:privateKey=/a\:b/key.pem:certKey=c.pem:extraCertChain=d:interface=\:\:1:clientCA=e:backlog=9"
        )
        found = place and (place.port, place.interface, place.backlog, [str(path) for path in place.paths])
        self.assertEqual(found, (9696, "::1", 9, ["/a:b/key.pem", "c.pem", "d", "e"]))

    def test_key_and_certificate_may_be_in_one_file(self) -> None:
        """As Twisted has it."""
        place = tls_place("ssl:port=9696:privateKey=both.pem")
        self.assertEqual(place and (place.private_key, place.certificate, place.interface), ("both.pem",) * 2 + ("",))

    def test_the_rest_is_refused(self) -> None:
        """Old versions of the protocol, words that are not known, what has no key or no port."""
        for listen in (
            "ssl:9696", "ssl:privateKey=k", "ssl:x:privateKey=k", "ssl:9696:privateKey=k:sslmethod=TLSv1_METHOD",
            "ssl:9696:privateKey=k:caCertsDir=x", "ssl:9696:k:c", "ssl:9696:privateKey=k:backlog=x",
            "ssl:9696:privateKey=k:dhParameters=d", "ssl:9696:privateKey=",
        ):  # fmt: skip
            self.assertRaises(SettingsError, tls_place, listen)

    def test_an_open_door_is_refused(self) -> None:
        """To encrypt is not to ask who it is."""
        for listen in ("ssl:9696:privateKey=k", "ssl:9696:privateKey=k:interface=0.0.0.0"):
            self.assertRaises(SettingsError, refuse_open_door, "none", listen)
            self.assertRaises(SettingsError, refuse_open_preview, True, listen)
            refuse_open_door("http_basic", listen)
        refuse_open_door("none", "ssl:9696:privateKey=k:interface=127.0.0.1")
        refuse_open_preview(True, r"ssl:9696:privateKey=k:interface=\:\:1")


class GentleTests(SynchronousTestCase):
    """A connection whose writing side ends."""

    def test_what_was_written_goes_before_the_end(self) -> None:
        """What the reactor's turn has gathered is sent first: an answer before the body is read must not be lost."""
        directory = Path(self.mktemp())
        certificate, key = Authority().issue("server").write(directory_of(directory), "server")
        place = tls_place(f"ssl:1:privateKey={key}:certKey={certificate}")
        options: Any = load_tls(place) if place else None
        clock = Clock()
        server: Any = TlsFactory(TlsOptions(options), False, Factory.forProtocol(Protocol), clock).buildProtocol(None)
        client: Any = TLSMemoryBIOFactory(CertificateOptions(), True, Factory.forProtocol(Reading), clock)
        client = client.buildProtocol(None)
        pump = connect(
            server, HalfClosing(server, isServer=True), client, FakeTransport(client, isServer=False), clock=clock,
        )  # fmt: skip
        pump.flush()
        server.write(b"an answer")
        server.loseWriteConnection()
        sent = len(server.transport.ended_at)
        pump.flush()
        clock.advance(1)
        self.assertEqual((sent, client.wrappedProtocol.data), (1, b"an answer"))
        self.assertGreater(server.transport.ended_at[0], 0)


class HalfClosing(FakeTransport):
    """Notes how much was waiting to be sent when its writing side was ended."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.ended_at: list[int] = []

    def loseWriteConnection(self) -> None:
        """End the writing side."""
        self.ended_at.append(sum(map(len, self.stream)))


class Reading(Protocol):
    """Keeps what comes."""

    data = b""

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.data += data


def directory_of(path: Path) -> Path:
    """Make a directory."""
    path.mkdir()
    return path


class FileTests(SynchronousTestCase):
    """Files of keys and certificates."""

    def setUp(self) -> None:
        """An authority and a server."""
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.authority = Authority()
        self.certificate, self.key = self.authority.issue("server").write(self.directory, "server")
        self.ca, _ = self.authority.own.write(self.directory, "ca")

    def load(self, **files: Path) -> Any:
        """Load them, others in the place of some."""
        parts = {"privateKey": self.key, "certKey": self.certificate, **files}
        place = tls_place("ssl:9696:" + ":".join(f"{name}={path}" for name, path in parts.items()))
        self.assertIsNotNone(place)
        return load_tls(place) if place else None

    def refusal(self, **files: Path) -> str:
        """Load in vain; return why."""
        return str(self.assertRaises(SettingsError, self.load, **files))

    def test_they_make_connections(self) -> None:
        """Of version 1.2 and later, with a chain where there is one."""
        options = self.load(extraCertChain=self.ca)
        self.assertEqual(len(options.extraCertChain), 1)
        for old in (SSL.OP_NO_SSLv3, SSL.OP_NO_TLSv1, SSL.OP_NO_TLSv1_1):
            self.assertTrue(options._options & old)
        for new in (SSL.OP_NO_TLSv1_2, SSL.OP_NO_TLSv1_3):
            self.assertFalse(options._options & new)

    def test_clients_certificates_are_demanded_where_an_authority_is_named(self) -> None:
        """And else not."""
        self.assertEqual((self.load().verify, self.load(clientCA=self.ca).verify), (False, True))

    def test_a_key_that_others_may_read_is_refused(self) -> None:
        """Whoever has it is us."""
        self.key.chmod(0o644)
        self.assertIn("others may read", self.refusal())

    def test_a_key_of_another_certificate_is_refused(self) -> None:
        """Before the start, not at the first connection."""
        self.assertIn("is not the key of", self.refusal(certKey=self.ca))

    def test_what_is_none_is_refused(self) -> None:
        """With the name of the file and of its part."""
        nonsense, nowhere = self.directory / "nonsense", self.directory / "nowhere"
        nonsense.touch(mode=0o600)
        nonsense.write_text("nonsense")
        for part in ("privateKey", "certKey", "extraCertChain", "clientCA"):
            for file in (nonsense, nowhere):
                refusal = self.refusal(**{part: file})
                self.assertIn(part, refusal)
                self.assertIn(str(file), refusal)

    def test_an_encrypted_key_is_refused(self) -> None:
        """Nobody is there to be asked for its password."""
        key: Any = load_pem_private_key(self.key.read_bytes(), None)
        locked = self.directory / "locked.pem"
        locked.touch(mode=0o600)
        how = BestAvailableEncryption(b"secret")
        locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how))
        self.assertIn("encrypted", self.refusal(privateKey=locked))
