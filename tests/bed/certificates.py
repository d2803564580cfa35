"""Certificates for tests of TLS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from attrs import define, field, frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def make_certificate(address: str) -> tuple[bytes, bytes]:
    """Return a certificate that signs itself, for an IP address and for a day, and its key, both as PEM."""
    pair = Authority(address).own
    return pair.certificate, pair.key


@frozen
class Pair:
    """A certificate and its key, both as PEM."""

    certificate: bytes
    key: bytes = field(repr=False)

    def write(self, directory: Path, name: str) -> tuple[Path, Path]:
        """Write both, the key for us only, each put in the place of an old one at once; return their paths."""
        paths = directory / f"{name}.pem", directory / f"{name}-key.pem"
        for path, content in zip(paths, (self.certificate, self.key), strict=True):
            beside = path.with_suffix(".new")
            beside.touch(mode=0o600)
            beside.write_bytes(content)
            beside.replace(path)
        return paths


@define(eq=False)
class Authority:
    """Signs certificates for a day. Its own is for an IP address, so it may serve, too."""

    address: str = "127.0.0.1"
    _key: ec.EllipticCurvePrivateKey = field(factory=lambda: ec.generate_private_key(ec.SECP256R1()), init=False)
    _name: x509.Name = field(init=False)

    @_name.default
    def _make_name(self) -> x509.Name:
        return _name(f"quantumd test {x509.random_serial_number()}")

    @property
    def own(self) -> Pair:
        """Its own certificate, signed by itself."""
        return self._signed(self._name, self._key, self.address, is_authority=True)

    def issue(self, name: str, address: str = "127.0.0.1") -> Pair:
        """Return a certificate of somebody."""
        return self._signed(_name(name), ec.generate_private_key(ec.SECP256R1()), address, is_authority=False)

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, address: str, is_authority: bool
    ) -> Pair:  # fmt: skip
        now = datetime.now(UTC)
        authority = x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
            .add_extension(authority, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Pair(certificate.public_bytes(serialization.Encoding.PEM), private)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
