"""What a host answers by itself: metadata of a port, as Amazon EC2 and as OpenStack have it. Pure.

Sources: Amazon EC2 User Guide, Instance metadata categories; OpenStack Nova, Metadata service; cloud-init's data
sources Ec2 and OpenStack, which read it.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any, Final, TypeAlias

from attrs import frozen

from quantumd.interfaces import Asker

TAG: Final = "metadata:"
"""Begins the tags of a port that say something here."""

_HOSTNAME, _KEY, _USER_DATA = "hostname=", "key=", "user-data"
_PART: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME: Final = re.compile(rf"{_PART}(?:\.{_PART})*")
_LONGEST_NAME: Final = 253
_PIECE: Final = re.compile(r"(?:\.([0-9]{1,4}))?=(.*)", re.DOTALL)
_SSH_KEY: Final = re.compile(r"[a-z0-9@.-]{3,64} [A-Za-z0-9+/=]{16,}( [\x20-\x7e]*)?")

_EC2_VERSIONS: Final = (
    "1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01",
    "2009-04-04",
)  # fmt: skip
_OPENSTACK_VERSIONS: Final = (
    "2012-08-10", "2013-04-04", "2013-10-17", "2015-10-15", "2016-06-30", "2016-10-06", "2017-02-22", "2018-08-27",
    "2020-10-14",
)  # fmt: skip
_LATEST: Final = "latest"
_PUBLIC_KEYS: Final = "public-keys"

Tree: TypeAlias = Mapping[str, "Tree | bytes | None"]
"""What is found below a path, by the names of the next parts; None is something that is not there at the moment."""


@frozen
class Files:
    """What the folder holds for a port; '' and b'' where it holds nothing."""

    user_data: bytes = b""
    public_keys: str = ""
    """As in an authorized_keys file."""
    vendor_data: bytes = b""


@frozen
class Document:
    """An answer."""

    body: bytes
    content_type: bytes = b"text/plain; charset=utf-8"


def document_at(path: str, asker: Asker, files: Files) -> Document | None:
    """Return what is found at a path; None when nothing is."""
    parts = [part for part in path.split("/") if part]
    found: Tree | bytes | None = _root(asker, files)
    for part in parts:
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    if found is None:
        return None
    if isinstance(found, Mapping):
        if parts[-1:] == [_PUBLIC_KEYS]:
            return Document("\n".join(f"{number}=key-{number}" for number in found).encode())
        return Document(_listing(found, is_openstack=parts[:1] == ["openstack"]))
    kind = b"application/json" if parts[-1].endswith(".json") else _kind_of(parts[-1])
    return Document(found, kind)


def hostname_of(asker: Asker) -> str:
    """Return what the port's instance is called: by a tag, by its DNS name, by the port's name, else by an address."""
    said = next((text.removeprefix(_HOSTNAME) for text in _tagged(asker) if text.startswith(_HOSTNAME)), "")
    for name in (said, asker.dns_name, asker.name):
        if name and len(name) <= _LONGEST_NAME and _NAME.fullmatch(name):
            return name
    first = _first(asker.fixed_ips, 4) or _first(asker.fixed_ips, 6)
    return "host-" + ip_address(first).exploded.replace(".", "-").replace(":", "-") if first else "host"


def public_keys_of(asker: Asker, files: Files) -> tuple[str, ...]:
    """Return the keys that tags and files name, those of tags first."""
    tagged = [text.removeprefix(_KEY) for text in _tagged(asker) if text.startswith(_KEY)]
    lines = (line.strip() for line in (*tagged, *files.public_keys.splitlines()))
    return tuple(dict.fromkeys(filter(_SSH_KEY.fullmatch, lines)))


def user_data_of(asker: Asker, files: Files) -> bytes:
    """Return the user data of tags, base64 in one piece or in numbered ones, else that of a file."""
    pieces: dict[int, str] = {}
    for text in _tagged(asker):
        found = _PIECE.fullmatch(text.removeprefix(_USER_DATA)) if text.startswith(_USER_DATA) else None
        if found is not None:
            pieces[int(found[1] or 0)] = found[2]
    if not pieces:
        return files.user_data
    try:
        return b64decode("".join(pieces[number] for number in sorted(pieces)), validate=True)
    except NotBase64:
        return b""


def _tagged(asker: Asker) -> Iterator[str]:
    return (tag.removeprefix(TAG) for tag in asker.tags if tag.startswith(TAG))


def _kind_of(name: str) -> bytes:
    return b"application/octet-stream" if name in ("user-data", "user_data") else b"text/plain; charset=utf-8"


def _first(addresses: Iterable[str], version: int) -> str:
    return next((each for each in addresses if ip_address(each).version == version), "")


def _instance_id(asker: Asker) -> str:
    return asker.device_id or asker.port_id


def _listing(tree: Tree, is_openstack: bool) -> bytes:
    """Return the names of what is there; Amazon's have a stroke at the end where there is more below."""
    there = (name for name, below in tree.items() if below is not None)
    lines = (f"{name}/" if isinstance(tree[name], Mapping) and not is_openstack else name for name in there)
    return "\n".join(lines).encode()


def _root(asker: Asker, files: Files) -> Tree:
    user_data = user_data_of(asker, files) or None
    amazon: Tree = {"meta-data": _meta_data(asker, files), "user-data": user_data}
    ours: Tree = _openstack(asker, files, user_data)
    return {
        **dict.fromkeys((*_EC2_VERSIONS, _LATEST), amazon),
        "openstack": dict.fromkeys((*_OPENSTACK_VERSIONS, _LATEST), ours),
    }


def _meta_data(asker: Asker, files: Files) -> Tree:
    name = hostname_of(asker).encode()
    keys = {str(number): {"openssh-key": key.encode()} for number, key in enumerate(public_keys_of(asker, files))}
    ipv4, ipv6 = (_first(asker.fixed_ips, version).encode() or None for version in (4, 6))
    return {
        "hostname": name,
        "instance-id": _instance_id(asker).encode(),
        "ipv6": ipv6,
        "local-hostname": name,
        "local-ipv4": ipv4,
        "mac": asker.mac_address.encode(),
        _PUBLIC_KEYS: keys or None,
    }


def _openstack(asker: Asker, files: Files, user_data: bytes | None) -> Tree:
    return {
        "meta_data.json": _json(_openstack_meta_data(asker, files)),
        "network_data.json": _json(_network_data(asker)),
        "user_data": user_data,
        "vendor_data.json": files.vendor_data or b"{}",
    }


def _openstack_meta_data(asker: Asker, files: Files) -> Mapping[str, Any]:
    name = hostname_of(asker)
    keys = {f"key-{number}": key for number, key in enumerate(public_keys_of(asker, files))}
    return {
        "uuid": _instance_id(asker),
        "name": name,
        "hostname": name,
        "project_id": asker.project_id,
        "launch_index": 0,
        "meta": {},
        "public_keys": keys,
        "keys": [{"name": key, "type": "ssh", "data": data} for key, data in keys.items()],
    }


def _network_data(asker: Asker) -> Mapping[str, Any]:
    """Return the port that asks: other ports of the instance may be on other hosts, and say so themselves."""
    link = f"tap{asker.port_id[:11]}"
    networks = [
        {"id": f"network{place}", "type": kind, "link": link, "network_id": asker.network_id}
        for place, kind in enumerate(_kinds(asker))
    ]
    mac = {"ethernet_mac_address": asker.mac_address, "mtu": asker.mtu_bytes}
    return {
        "links": [{"id": link, "type": "ovs", "vif_id": asker.port_id, **mac}],
        "networks": networks,
        "services": [],
    }


def _kinds(asker: Asker) -> tuple[str, ...]:
    """Return how the port gets its addresses: it is told by DHCP, and of IPv6 by its router."""
    kinds = ("ipv4_dhcp" if ip_address(each).version == 4 else "ipv6_slaac" for each in asker.fixed_ips)
    return tuple(dict.fromkeys(kinds))


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True).encode()
