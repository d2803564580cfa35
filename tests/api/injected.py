"""Headers by which a caller, or what stands before us, could say who it is: none of them counts where callers prove it.

Source: those that keystonemiddleware sets for the services behind it, and those of oslo.context and of old releases.
"""

from __future__ import annotations

from itertools import product

_ABOUT = ("User", "Project")
_PARTS = ("Id", "Name", "Domain-Id", "Domain-Name")
_SCOPES = ("", "Service-")

INJECTED: dict[str, str] = {
    **{f"X-{scope}{about}-{part}": "root" for scope, about, part in product(_SCOPES, _ABOUT, _PARTS)},
    **{f"X-{scope}Roles": "admin" for scope in _SCOPES},
    **{f"X-{scope}Identity-Status": "Confirmed" for scope in _SCOPES},
    "X-Domain-Id": "default",
    "X-Domain-Name": "Default",
    "X-Is-Admin-Project": "True",
    "X-Is-Admin": "True",
    "X-Service-Catalog": "[]",
    "X-Service-Role": "admin",
    "X-Tenant": "root",
    "X-Tenant-Id": "root",
    "X-Tenant-Name": "root",
    "X-User": "root",
    "X-Role": "admin",
    "X-Remote-User": "root",
    "X-Auth-User": "root",
    "X-System-Scope": "all",
    "X-Storage-Token": "r",
    "OpenStack-System-Scope": "all",
    "Remote-User": "root",
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-User": "root",
}
"""By name; underscores instead of hyphens are tried too."""


def injected() -> dict[str, list[str]]:
    """Return all of them as a caller would send them, the ways in which WSGI servers mix up names among them."""
    other = {name.replace("-", "_"): value for name, value in INJECTED.items()}
    cgi = {f"HTTP_{name.replace('-', '_').upper()}": value for name, value in INJECTED.items()}
    return {name: [value] for name, value in {**INJECTED, **other, **cgi}.items()}
