"""Who asks: the frozen context of each request, and who may be told where the API listens.

With ``auth = "none"`` every caller is admin, which is safe only where nobody but this machine can call. Callers on the
loopback may become somebody else by headers, so that tests have projects from the first day. With ``auth = "keystone"``
see ``quantumd.api.keystone``, with ``auth = "http_basic"`` see ``quantumd.api.http_basic``: there nothing that a caller
says of itself is taken from its headers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Final

from twisted.web.http_headers import Headers

from quantumd.errors import SettingsError
from quantumd.model.context import Context

_GLOBAL_REQUEST_ID: Final = re.compile(rb"req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ADMIN: Final = frozenset({"admin"})
_LONGEST_NAME: Final = 255
_PART_NAME: Final = re.compile(r"(?:(?P<name>(?:\\.|[^=\\])+)=)?(?P<value>.*)", re.DOTALL)


OPEN_PATHS: Final = frozenset({"/", "/v2.0", "/healthz", "/readyz", "/metrics"})
"""What everybody may read: which versions there are, and how the service is."""


def is_open(method: bytes, path: str) -> bool:
    """Return whether a request is answered without asking who makes it; ``path`` has no slash at its end.

    OPTIONS is: browsers ask it without a token (CORS), and it tells nothing.
    """
    return path in OPEN_PATHS or method == b"OPTIONS"


def anybody(request_id: str, headers: Headers) -> Context:
    """Return the context of a request that nobody answers for: no user, no project, no role."""
    return Context(request_id=request_id, global_request_id=global_request_id(headers))


def identify(request_id: str, headers: Headers, is_loopback: bool, peer: str = "") -> Context:
    """Return who asks, with ``auth = "none"``: admin, or on loopback whoever the headers say.

    ``X-Project-Id``, ``X-User-Id`` and ``X-Roles`` (names with commas between) are taken; everything else is ignored.
    """
    global_id = global_request_id(headers)
    if not is_loopback:
        return Context(request_id=request_id, roles=_ADMIN, global_request_id=global_id)
    roles = _text(headers, b"X-Roles")
    return Context(
        request_id=request_id,
        user_id=_text(headers, b"X-User-Id"),
        project_id=_text(headers, b"X-Project-Id"),
        roles=_ADMIN if roles is None else frozenset(role.strip() for role in roles.split(",")) - {""},
        global_request_id=global_id,
    )


def unless_a_page(origins: frozenset[bytes]) -> Callable[..., Context]:
    """Return ``identify`` for ``auth = "none"``, for which what a web page asks for is nobody's.

    Any page that is shown on this machine can send to its loopback; Origin tells that it was a page (Fetch, 3.1).

    :param origins: those of the pages that may; ``*`` is any.
    """

    def identified(request_id: str, headers: Headers, is_loopback: bool, peer: str = "") -> Context:
        said = headers.getRawHeaders(b"Origin") or ()
        if all(origin in origins for origin in said) or b"*" in origins:
            return identify(request_id, headers, is_loopback, peer)
        return anybody(request_id, headers)

    return identified


def _text(headers: Headers, name: bytes) -> str | None:
    values = headers.getRawHeaders(name)
    return values[-1].decode("utf-8", "replace")[:_LONGEST_NAME] if values else None


def global_request_id(headers: Headers) -> str | None:
    """Return the id under which the caller follows this request through all services, if it sends a valid one."""
    values = headers.getRawHeaders(b"X-Openstack-Request-Id")
    if not values or _GLOBAL_REQUEST_ID.fullmatch(values[-1]) is None:
        return None
    return values[-1].decode()


def is_loopback(host: str) -> bool:
    """Return whether an address in text form is on this machine's loopback; '' (a UNIX socket's peer) is."""
    if host in ("", "localhost"):
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def refuse_open_door(auth: str, listen: str, is_meant: bool = False) -> None:
    """Refuse to start an API without authentication where other machines can call it.

    :param listen: a Twisted server endpoint description. What systemd passes is checked when it is adopted.
    :param is_meant: ``api.none_is_admin_for_everybody``: whoever set it wants just that.
    :raises SettingsError: everybody would be admin.
    """
    if auth != "none" or is_meant or is_on_this_machine(listen):
        return
    raise SettingsError(
        f"api.listen is {listen!r} and api.auth is 'none': everybody who reaches it would be admin; "
        "listen on the loopback (tcp:9696:interface=127.0.0.1), or set api.none_is_admin_for_everybody"
    )


def refuse_open_preview(preview: bool, listen: str) -> None:
    """Refuse to serve what packets do not obey where other machines could rely on it.

    :param listen: a Twisted server endpoint description.
    :raises SettingsError: ``api.preview`` is for tests on the loopback.
    """
    if preview and not is_on_this_machine(listen):
        raise SettingsError(
            f"api.preview is true and api.listen is {listen!r}: previews are served on the loopback only"
        )


def is_on_this_machine(listen: str) -> bool:
    """Return whether only this machine can reach an endpoint; where that cannot be told it is not so.

    True of what systemd passes, which is looked at when it is adopted.
    """
    kind, _, named = endpoint_parts(listen)
    if kind in ("unix", "systemd"):
        return True
    interface = named.get("interface", "")
    return kind in ("tcp", "tcp6", "ssl") and bool(interface) and is_loopback(interface)


def endpoint_parts(listen: str) -> tuple[str, tuple[str, ...], Mapping[str, str]]:
    """Return the kind of an endpoint, its parts without a name, and those with one; of equal names the last counts.

    Source: Twisted's description language: parts between colons, a backslash takes the next sign literally.
    """
    parts = [_PART_NAME.fullmatch(part) for part in re.findall(r"(?:\\.|[^:\\])+", listen)]
    found = [(_unescaped(part["name"] or ""), _unescaped(part["value"])) for part in parts if part]
    plain = tuple(value for name, value in found if not name)
    return plain[0] if plain else "", plain[1:], {name: value for name, value in found if name}


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
