"""All that can be served, over HTTP in memory, on a real database: for tests that go over every resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from sqlalchemy import BigInteger, Connection, Integer, String, insert, select

from quantumd.api.app import Api, make_app
from quantumd.api.channel import ApiSite
from quantumd.api.events.answering import Events
from quantumd.api.extensions.features import Served, serve
from quantumd.api.identity import identify
from quantumd.config import ApiSettings, NetworkSettings, QuotaSettings
from quantumd.model.router_records import RouterRecord
from quantumd.store.tables import hosts, journal, metadata
from tests.api.wire import Reply, Wire

Dump = Mapping[str, list[tuple[Any, ...]]]
Headers = Mapping[str, str]

_NEWEST = 200

ADMIN: Headers = {"X-Project-Id": "operator", "X-Roles": "admin"}
ALICE: Headers = {"X-Project-Id": "alice", "X-Roles": "member"}
BOB: Headers = {"X-Project-Id": "bob", "X-Roles": "member"}


@frozen
class Everything:
    """A wire to everything that is served in preview; ``served`` is that."""

    wire: Wire
    served: Served
    events: Events

    def request(self, method: str, path: str, body: Any = None, headers: Headers = ADMIN) -> Reply:
        """Send one request; ``path`` is below ``/v2.0/``."""
        return self.wire.request(method, f"/v2.0/{path}", body, headers)

    def make(self, path: str, member: str, headers: Headers = ADMIN, **body: Any) -> dict[str, Any]:
        """Create one and return it; ``__`` in a name stands for ``:``. ValueError unless 201."""
        named = {name.replace("__", ":"): value for name, value in body.items()}
        reply = self.request("POST", path, {member: named}, headers)
        if reply.status != 201:
            raise ValueError(f"{path} {named}: {reply.status} {reply.body!r}")
        made: dict[str, Any] = reply.json[member]
        return made

    def add_host(self, host: str) -> None:
        """Make a host known on which ports can be plugged, and which may carry routers."""
        row = {
            "host": host,
            "quantumd_version": "1",
            "vif_type": "ovs",
            "vif_details": "{}",
            "reported_at": "2026-01-01T00:00:00Z",
            "tunnel_types": "gre,vxlan,geneve",
            "record_kinds": RouterRecord.kind,
        }
        rows = [{**row, "role": role} for role in ("l2", "l3")]
        self.wire.store.write(lambda tx: tx.connection.execute(insert(hosts), rows))

    def dump(self) -> Dump:
        """Return every row of every table, of the journal the newest ones: what is told in it is told at its end."""
        found: list[Dump] = []
        self.wire.store.read(_rows).addCallback(found.append)
        return found[0]


def _rows(connection: Connection) -> Dump:
    statements = {table.name: select(table) for table in metadata.sorted_tables}
    statements[journal.name] = statements[journal.name].order_by(journal.c.position.desc()).limit(_NEWEST)
    return {
        name: sorted((tuple(row) for row in connection.execute(statement)), key=repr)
        for name, statement in statements.items()
    }


def unportable(dump: Dump) -> list[str]:
    """Return what SQLite holds and other databases would not: long texts, large numbers, NUL."""
    found = []
    for table in metadata.sorted_tables:
        for position, column in enumerate(table.columns):
            values = {row[position] for row in dump[table.name]} - {None}
            found += [f"{column}: {str(value)[:100]}" for value in values if not _fits(column.type, value)]
    return found


def _fits(kind: Any, value: Any) -> bool:
    if isinstance(kind, String):
        return isinstance(value, str) and "\x00" not in value and len(value) <= (kind.length or len(value))
    if isinstance(kind, Integer) and not isinstance(kind, BigInteger):
        return isinstance(value, int) and abs(value) < 2**31
    return True


def everything(
    network: NetworkSettings | None = None,
    quota: QuotaSettings | None = None,
    body_limit_bytes: int = 1_048_576,
    settings: ApiSettings = ApiSettings(),  # noqa: B008 - frozen
) -> Everything:
    """Serve everything."""
    wire = Wire(body_limit_bytes=body_limit_bytes)
    served = serve(network or NetworkSettings(), ("physnet1",), (), preview=True, quota=quota)
    api = Api(
        served=served,
        store=wire.store,
        readiness=wire.readiness,
        metrics=wire.metrics,
        reactor=wire.clock,
        bulk_limit=100,
        version="1.0",
        settings=settings,
    )
    wire.site = ApiSite(
        make_app(api),
        reactor=wire.clock,
        identify=identify,
        new_request_id=lambda: "req-1",
        metrics=wire.metrics.api,
        body_limit_bytes=body_limit_bytes,
    )
    return Everything(wire, served, api.events)
