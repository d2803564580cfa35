"""By which certificates a broker is checked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from OpenSSL.crypto import Error as OpenSSLError
from twisted.internet.ssl import Certificate, trustRootFromCertificates

from quantumd.errors import SettingsError

_PEM = re.compile(b"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def trust_of(path: str) -> Any:
    """Return Twisted's trust root of a file of certificates (PEM); None, which is the system's, without a file.

    :raises SettingsError: the file cannot be read, or holds none.
    """
    if not path:
        return None
    try:
        found = [Certificate.loadPEM(each) for each in _PEM.findall(Path(path).read_bytes())]
    except (OSError, OpenSSLError, ValueError) as error:
        raise SettingsError(f"amqp.ca_file: {path}: {error}") from None
    if not found:
        raise SettingsError(f"amqp.ca_file: {path} holds no certificate")
    return trustRootFromCertificates(found)
