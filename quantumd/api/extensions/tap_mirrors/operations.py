"""Tap mirrors: copies of what ports send and get, to addresses outside."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy.exc import IntegrityError

from quantumd.api.extensions.tap_mirrors.errors import (
    InvalidTapMirrorDirections,
    InvalidTapMirrorRemote,
    TapMirrorRemoteIsHost,
    TapMirrorTunnelConflict,
    TapMirrorTypeNotSupported,
)
from quantumd.api.extensions.tap_mirrors.rows import MIRRORS, is_end_of_tunnels, is_taken, take_ids
from quantumd.api.extensions.taps.errors import PortDoesNotBelongToProject
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.kept import KeptAsRows
from quantumd.api.resources.port_reading import shown_port
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.tap_mirrors import LAST_ID, why_no_remote
from quantumd.model.taps import BOTH
from quantumd.store.transaction import Transaction

_NAMES = ("name", "description", "project_id", "port_id", "directions", "remote_ip", "mirror_type")


@frozen
class TapMirrors(KeptAsRows):
    """Operations on tap mirrors. ``types`` are those that packets can be encapsulated in."""

    rows: ClassVar = MIRRORS
    chance: Chance
    types: Collection[str]

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows. PortNotFound, PortDoesNotBelongToProject, and the errors of this family."""
        port = shown_port(tx.connection, (), context, body["port_id"])
        if port["project_id"] != body["project_id"]:
            raise PortDoesNotBelongToProject
        if body["mirror_type"] not in self.types:
            raise TapMirrorTypeNotSupported(body["mirror_type"])
        _require_remote(tx, body["remote_ip"])
        view = {"id": self.chance.new_id(), **{name: body[name] for name in _NAMES}}
        tunnel_ids = _required_ids(tx, body["mirror_type"], body["directions"])
        try:
            with tx.savepoint():
                MIRRORS.insert(tx, context, {**view, "created_at": tx.now})
                take_ids(tx, view["id"], tunnel_ids)
        except IntegrityError:
            # Another process was faster.
            raise TapMirrorTunnelConflict(tunnel_ids[0]) from None
        return MIRRORS.show(tx.connection, context, view["id"])


def _require_remote(tx: Transaction, remote_ip: str) -> None:
    why = why_no_remote(remote_ip)
    if why is not None:
        raise InvalidTapMirrorRemote(remote_ip, why)
    if is_end_of_tunnels(tx, remote_ip):
        raise TapMirrorRemoteIsHost(remote_ip)


def _required_ids(tx: Transaction, mirror_type: str, directions: Mapping[str, int]) -> list[int]:
    """Return the ids, each once, that are free, fit, and are not said twice of a direction."""
    if BOTH in directions and len(directions) > 1:
        raise InvalidTapMirrorDirections(f"{BOTH} says what IN and OUT do; name it alone.")
    last = LAST_ID[mirror_type]
    for tunnel_id in directions.values():
        if tunnel_id > last:
            raise InvalidTapMirrorDirections(f"{tunnel_id} is no id of {mirror_type}: they end at {last}.")
        if is_taken(tx, tunnel_id):
            raise TapMirrorTunnelConflict(tunnel_id)
    return sorted(set(directions.values()))
