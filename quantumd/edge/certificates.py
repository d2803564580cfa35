"""Certificates in files."""

from __future__ import annotations

import re
from typing import Any, Final

from OpenSSL.crypto import Error as OpenSSLError
from twisted.internet.ssl import Certificate, trustRootFromCertificates

from quantumd.edge.files import read_file
from quantumd.errors import SettingsError

LARGEST_FILE_BYTES: Final = 4_194_304
"""How large a file of certificates may be: a system's, of all authorities, has a quarter of a megabyte."""

_PEM: Final = re.compile(b"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def read_certificates(file: str, setting: str) -> list[Certificate]:
    """Return the certificates of a file (PEM), at least one; ``setting`` names it in errors.

    :raises SettingsError: the file cannot be read or holds none.
    """
    blocks = _PEM.findall(read_file(file, setting, LARGEST_FILE_BYTES))
    try:
        certificates = [Certificate.loadPEM(block) for block in blocks]
    except (OpenSSLError, ValueError):
        raise SettingsError(f"{setting}: {file} holds what is no certificate") from None
    if not certificates:
        raise SettingsError(f"{setting}: {file} holds no certificate")
    return certificates


def read_trust(file: str, setting: str) -> Any:
    """Return what servers are checked by (an IOpenSSLTrustRoot): the certificates of a file, None meaning the system's.

    :raises SettingsError: the file cannot be read or holds none.
    """
    return trustRootFromCertificates(read_certificates(file, setting)) if file else None
