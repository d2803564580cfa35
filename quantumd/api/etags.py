"""Answers that the caller has already: ``ETag``, ``If-None-Match``, and the revision that a change insists on.

RFC 9110 8.8.3 and 13.1.2. Networking's own ``If-Match: revision_number=N`` names a revision instead of a tag.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from quantumd.api.errors import HTTPBadRequest

if TYPE_CHECKING:
    from quantumd.api.request import ApiRequest

_REVISION: Final = b"revision_number="
_DIGEST_BYTES: Final = 12


def is_known(request: ApiRequest, body: bytes) -> bool:
    """Tag the answer whose body this is; return whether the caller has it, and if so make the answer a 304.

    The tag is of the bytes: what one caller may see and another may not has different tags.
    """
    tag = b'"%s"' % blake2b(body, digest_size=_DIGEST_BYTES).hexdigest().encode()
    request.responseHeaders.setRawHeaders(b"ETag", [tag])
    known = request.requestHeaders.getRawHeaders(b"If-None-Match")
    if known is None or not _names(known, tag):
        return False
    request.setResponseCode(304)
    return True


def _names(known: Sequence[bytes], tag: bytes) -> bool:
    tags = [each.strip().removeprefix(b"W/") for line in known for each in line.split(b",")]
    return tag in tags or b"*" in tags


def wanted_revision(request: ApiRequest) -> int | None:
    """Return the revision that the caller insists on, None when it does not. HTTPBadRequest when it is no number.

    A tag of ours is no revision, and today's servers ignore what does not begin so.
    """
    lines = request.requestHeaders.getRawHeaders(b"If-Match")
    if lines is None:
        return None
    found = [line for line in lines if line.startswith(_REVISION)]
    if not found:
        return None
    digits = found[-1].removeprefix(_REVISION).strip()
    if not digits.isdigit() or len(digits) > 18:
        raise HTTPBadRequest("The revision_number of If-Match is not a number")
    return int(digits)
