"""The leases of a host's routers, as they are kept over a restart of the process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson
from attrs import define, field
from twisted.logger import Logger

from quantumd.edge.notes.interfaces import INote
from quantumd.errors import EdgeError
from quantumd.l3.delegation.leases import Lease

Place = tuple[str, str, str]
"""Router, port of its gateway, and subnet, by their ids."""

_VERSION: Final = 1
_TIMES: Final = ("renew_at", "rebind_at", "preferred_until", "valid_until")


@define(eq=False)
class LeaseBook:
    """Which prefixes were given. What is in the note and is not understood is as good as lost: it is asked for anew."""

    _note: INote
    _leases: dict[Place, Lease] = field(factory=dict, init=False)
    _log = Logger()

    def open(self) -> None:
        """Read what the process before had. It blocks, and so is called before the reactor runs."""
        try:
            data = self._note.read()
            self._leases = dict(_read(data)) if data else {}
        except (EdgeError, ValueError, KeyError, TypeError) as error:
            self._log.warn("leases of prefixes are not known any more: {why}", why=str(error))

    def get(self, place: Place) -> Lease | None:
        """Return the lease that is kept there."""
        return self._leases.get(place)

    def of_router(self, router_id: str) -> dict[Place, Lease]:
        """Return the leases of a router."""
        return {place: lease for place, lease in self._leases.items() if place[0] == router_id}

    def put(self, place: Place, lease: Lease | None) -> None:
        """Keep a lease, or (None) none."""
        if self._leases.get(place) == lease:
            return
        if lease is None:
            del self._leases[place]
        else:
            self._leases[place] = lease
        self._note.keep(_written(self._leases))


def _written(leases: dict[Place, Lease]) -> bytes:
    items = [
        {
            "place": place,
            "delegated": lease.delegated,
            "server_id": lease.server_id.hex(),
            **{name: getattr(lease, name) for name in _TIMES},
        }
        for place, lease in sorted(leases.items())
    ]
    return orjson.dumps({"version": _VERSION, "leases": items}, option=orjson.OPT_INDENT_2)


def _read(data: bytes) -> Iterator[tuple[Place, Lease]]:
    """Yield what is kept. ValueError, KeyError, TypeError: it is not what was written."""
    said = orjson.loads(data)
    if said["version"] != _VERSION:
        raise ValueError(f"version {said['version']!r} is not known here")
    for each in said["leases"]:
        yield _place(each["place"]), _lease(each)


def _place(said: Any) -> Place:
    router_id, port_id, subnet_id = said
    return str(router_id), str(port_id), str(subnet_id)


def _lease(said: Any) -> Lease:
    lease = Lease(said["delegated"], bytes.fromhex(said["server_id"]), *(float(said[name]) for name in _TIMES))
    if not lease.prefix:
        raise ValueError(f"{lease.delegated!r} is no prefix")
    return lease
