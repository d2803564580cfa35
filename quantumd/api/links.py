"""Links in answers: where the caller finds this API, and the pages around a page. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from attrs import define, frozen

_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_SCHEMES: Final = ("http", "https")


def base_url(host: str | None, scheme: str = "http", forwarded: str | None = None, prefix: str = "") -> str:
    """Return what links begin with; a Host header that is none is not repeated.

    :param forwarded: the X-Forwarded-Proto header: the scheme that the caller used towards a proxy.
    :param prefix: the setting ``api.link_prefix``, which goes before everything else.
    """
    if prefix:
        return prefix.rstrip("/")
    if host is None or _HOST.fullmatch(host) is None:
        host = "localhost"
    # A chain of proxies names one scheme each; the caller's is the first.
    first = (forwarded or "").partition(",")[0].strip().lower()
    return f"{first if first in _SCHEMES else scheme}://{host}"


@define
class PageEnds:
    """The ids at the ends of a page, and how many rows it has, noted while the rows pass."""

    first: Any = None
    last: Any = None
    count: int = 0

    def note(self, views: Sequence[dict[str, Any]]) -> None:
        """Note the next rows of the page."""
        if views:
            if not self.count:
                self.first = views[0].get("id")
            self.last = views[-1].get("id")
            self.count += len(views)


@frozen
class PageLinks:
    """Makes the links of one page of ``url``, whose query was ``parameters``."""

    url: str
    parameters: Sequence[tuple[str, str]]
    limit: int
    is_reverse: bool

    def body(self, ends: PageEnds) -> bytes:
        """Return the links as JSON: to the next page and the previous one, as far as there may be any."""
        is_short = ends.count < self.limit
        links = []
        if self.is_reverse or not is_short:
            links.append({"rel": "next", "href": self._href(ends.last)})
        if not self.is_reverse or not is_short:
            links.append({"rel": "previous", "href": self._href(ends.first, ("page_reverse", "True"))})
        return orjson.dumps(links)

    def _href(self, marker: Any, *more: tuple[str, str]) -> str:
        kept = [pair for pair in self.parameters if pair[0] not in ("marker", "page_reverse")]
        at = [] if marker is None else [("marker", marker)]
        return f"{self.url}?{urlencode([*kept, *at, *more])}"
