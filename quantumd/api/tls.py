"""TLS of the listening endpoint: its files, what they make, and connections that end as gently as plain ones.

The endpoint's description is Twisted's, with one part more::

    ssl:9696:privateKey=/path/key.pem:certKey=/path/certificate.pem:interface=192.0.2.1:clientCA=/path/ca.pem

TLS 1.2 and 1.3 only. The files are looked at again while the daemon runs; new ones count for new connections.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from attrs import define, field, frozen
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL.SSL import Connection
from OpenSSL.SSL import Error as TlsError
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IStreamServerEndpoint
from twisted.internet.ssl import CertificateOptions, TLSVersion, trustRootFromCertificates
from twisted.logger import Logger
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOFactory
from zope.interface import implementer

from quantumd.api.identity import endpoint_parts
from quantumd.edge.certificates import read_certificates
from quantumd.edge.files import read_file
from quantumd.errors import SettingsError

_NAMES: Final = frozenset({"port", "privateKey", "certKey", "extraCertChain", "clientCA", "interface", "backlog"})
_BACKLOG: Final = 1024
_LARGEST_KEY_BYTES: Final = 65_536


@frozen
class TlsPlace:
    """Where to listen with TLS, and the files that it takes; an empty path is none."""

    port: int
    interface: str
    backlog: int
    private_key: str
    certificate: str
    chain: str
    client_ca: str

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file."""
        return tuple(Path(name) for name in (self.private_key, self.certificate, self.chain, self.client_ca) if name)


def tls_place(listen: str) -> TlsPlace | None:
    """Return what an endpoint's description says of TLS, None when it is one without.

    :raises SettingsError: it says what is not known, or what would let old versions in.
    """
    kind, plain, named = endpoint_parts(listen)
    if kind != "ssl":
        return None
    unknown = sorted(set(named) - _NAMES)
    port, backlog = named.get("port") or "".join(plain[:1]), named.get("backlog", str(_BACKLOG))
    if unknown or len(plain) > 1 or not port.isdecimal() or not backlog.isdecimal() or not named.get("privateKey"):
        raise SettingsError(
            f"api.listen is {listen!r}: expected ssl:9696:privateKey=…:certKey=…, and where wanted extraCertChain=, "
            "clientCA=, interface= and backlog="
        )
    key = named["privateKey"]
    return TlsPlace(
        int(port), named.get("interface", ""), int(backlog),
        key, named.get("certKey", key), named.get("extraCertChain", ""), named.get("clientCA", ""),
    )  # fmt: skip


def load_tls(place: TlsPlace) -> CertificateOptions:
    """Return what new connections are made with.

    :raises SettingsError: a file cannot be read, others may read the key, or key and certificate do not fit.
    """
    own, *chain = read_certificates(place.certificate, "api.listen: certKey")
    chain += read_certificates(place.chain, "api.listen: extraCertChain") if place.chain else []
    trusted = read_certificates(place.client_ca, "api.listen: clientCA") if place.client_ca else None
    options = CertificateOptions(
        privateKey=_read_key(Path(place.private_key)),
        certificate=own.original.to_cryptography(),
        extraCertChain=[each.original.to_cryptography() for each in chain],
        raiseMinimumTo=TLSVersion.TLSv1_2,
        trustRoot=trustRootFromCertificates(trusted) if trusted else None,
        acceptableProtocols=[b"http/1.1"],
    )
    try:
        options.getContext()
    except TlsError:
        raise SettingsError(f"api.listen: {place.private_key} is not the key of {place.certificate}") from None
    return options


def _read_key(path: Path) -> Any:
    content = read_file(path, "api.listen: privateKey", _LARGEST_KEY_BYTES, is_secret=True)
    try:
        return load_pem_private_key(content, None)
    except (ValueError, TypeError):
        # TypeError: it is encrypted, and nobody is there to ask for its password.
        raise SettingsError(f"api.listen: privateKey: {path} holds no private key, or an encrypted one") from None


@implementer(IOpenSSLServerConnectionCreator)
@define(eq=False)
class TlsOptions:
    """What connections are made with at the moment."""

    log = Logger()
    _current: CertificateOptions = field(repr=False)

    def serverConnectionForTLS(self, protocol: Any) -> Connection:
        """Return the TLS side of a new connection."""
        connection: Connection = self._current.serverConnectionForTLS(protocol)
        return connection

    def changed(self, options: CertificateOptions) -> None:
        """The files have changed: new connections are made with them."""
        self._current = options
        self.log.info("the certificate was read again")

    def failed(self, error: SettingsError) -> None:
        """The files have changed and cannot be used: what was read before goes on."""
        self.log.error("the certificate stays the old one: {why}", why=str(error))


class GentleTlsTransport(BufferingTLSTransport):
    """A TLS connection whose writing side can be ended while it goes on to read, as that of a plain one can."""

    transport: Any

    def loseWriteConnection(self) -> None:
        """Send what waits to be sent, and then the end."""
        # What was written in this turn of the reactor is gathered, not yet sent.
        self._aggregator.flush()
        self.transport.loseWriteConnection()


class TlsFactory(TLSMemoryBIOFactory):
    """Makes such connections."""

    protocol = GentleTlsTransport


@implementer(IStreamServerEndpoint)
@define(eq=False)
class TlsEndpoint:
    """Listens where another endpoint does, with TLS."""

    _within: Any
    _options: TlsOptions
    _reactor: Any

    def listen(self, protocolFactory: Any) -> Deferred[Any]:
        """Listen."""
        factory = TlsFactory(self._options, False, protocolFactory, self._reactor)
        listening: Deferred[Any] = self._within.listen(factory)
        return listening


def tcp_endpoint(reactor: Any, place: TlsPlace) -> IStreamServerEndpoint:
    """Return where to listen without TLS, for IPv4 and IPv6 alike."""
    endpoint: IStreamServerEndpoint = TCP4ServerEndpoint(reactor, place.port, place.backlog, place.interface)
    return endpoint
