"""Certificates in files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from OpenSSL.crypto import Error as OpenSSLError
from twisted.internet.ssl import Certificate

from quantumd.errors import SettingsError

_PEM: Final = re.compile(b"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def read_certificates(file: str, setting: str) -> list[Certificate]:
    """Return the certificates of a file (PEM), at least one; ``setting`` names it in errors.

    :raises SettingsError: the file cannot be read or holds none.
    """
    try:
        blocks = _PEM.findall(Path(file).read_bytes())
        certificates = [Certificate.loadPEM(block) for block in blocks]
    except OSError as error:
        raise SettingsError(f"{setting}: {file}: {error.strerror}") from None
    except OpenSSLError:
        raise SettingsError(f"{setting}: {file} holds what is no certificate") from None
    if not certificates:
        raise SettingsError(f"{setting}: {file} holds no certificate")
    return certificates
