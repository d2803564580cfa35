"""Rows → nouns → records of one (host, role). Runs on the store's threads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select

from quantumd.api.hosts import mesh, mirrors, names, qos, routers, taps
from quantumd.api.hosts.guarded import records_of_groups
from quantumd.api.hosts.instances import records_of_instances
from quantumd.api.hosts.logged import records_of_logs
from quantumd.api.hosts.outbox import Outbox
from quantumd.api.hosts.touched_guards import new_groups
from quantumd.compile.digest import bucket_of
from quantumd.compile.snapshot import (
    GUARDING_ROLE,
    KINDS,
    ROLES,
    NetworkNouns,
    network_record_for,
    port_record_for,
    snapshot,
)
from quantumd.model.carrying import NOWHERE, Reach
from quantumd.model.instance_records import InstanceRecord
from quantumd.model.logging_records import PortLogsRecord
from quantumd.model.nouns import Network
from quantumd.model.records import Record
from quantumd.model.status import L3
from quantumd.store import nouns, security_nouns, segment_nouns
from quantumd.store.journal import last_position
from quantumd.store.tables import ports


def network_nouns(connection: Connection, network_ids: Iterable[str]) -> dict[str, NetworkNouns]:
    """Return networks with all that their records are made of, by id; unknown ids are left out."""
    wanted = sorted(set(network_ids))
    networks: dict[str, Network] = nouns.networks(connection, wanted)
    subnets = nouns.subnets_of(connection, wanted)
    dhcp_ports = nouns.dhcp_ports_of(connection, wanted)
    several = segment_nouns.segments_of(connection, wanted)
    return {
        each: NetworkNouns(network, tuple(subnets.get(each, ())), dhcp_ports.get(each), several.get(each, ()))
        for each, network in networks.items()
    }


def reaches_for(connection: Connection, networks: Iterable[NetworkNouns], hosts: Iterable[str]) -> Mapping[str, Reach]:
    """Return the reach of hosts that are to be told of these networks, if it matters to any of them."""
    return segment_nouns.reaches(connection, hosts) if any(each.several for each in networks) else {}


def tell_of_reach(connection: Connection, host: str, outbox: Outbox) -> None:
    """Put into the outbox by which segments a host carries its networks now that its reach is another."""
    networks = network_nouns(connection, segment_nouns.networks_of(connection, host))
    reach = reaches_for(connection, networks.values(), (host,)).get(host, NOWHERE)
    for network in networks.values():
        record = network_record_for(mesh.ROLE, network, reach)
        if record is not None:
            outbox.put[host, mesh.ROLE][record.kind, record.id] = record


def records_of_host(connection: Connection, host: str, role: str, buckets: frozenset[int] | None) -> list[Record]:
    """Return the records that a role of a host must know, of these buckets or (None) of all."""
    if role == L3:
        return routers.records_of(connection, host, lambda kind, record_id: _is_in(buckets, kind, record_id))
    kinds = KINDS[role]
    rows = connection.execute(select(ports.c.id, ports.c.network_id).where(ports.c.host_id == host)).all()
    port_ids = [row.id for row in rows if _is_in(buckets, kinds["port"], row.id)]
    network_ids = {row.network_id for row in rows if _is_in(buckets, kinds["network"], row.network_id)}
    records = [port_record_for(role, port) for port in nouns.ports(connection, port_ids).values()]
    networks = network_nouns(connection, network_ids)
    reach = reaches_for(connection, networks.values(), (host,)).get(host, NOWHERE)
    records += [network_record_for(role, network, reach) for network in networks.values()]
    if role == mesh.ROLE:
        of_others: list[Record] = [*mesh.records_of(connection, host), *taps.records_of(connection, host)]
        of_others += mirrors.records_of(connection, host)
        records += [each for each in of_others if _is_in(buckets, each.kind, each.id)]
    if role == GUARDING_ROLE and security_nouns.guarding_hosts(connection, (host,)):
        groups = security_nouns.groups_of_host(connection, host)
        records += records_of_groups(connection, groups, lambda kind, record_id: _is_in(buckets, kind, record_id))
    if role == qos.ROLE:
        records += qos.records_of(connection, host, lambda kind, record_id: _is_in(buckets, kind, record_id))
    if role == GUARDING_ROLE:
        logged = [row.id for row in rows if _is_in(buckets, PortLogsRecord.kind, row.id)]
        records += records_of_logs(connection, host, logged)
        used = [row.id for row in rows if _is_in(buckets, InstanceRecord.kind, row.id)]
        records += records_of_instances(connection, host, used)
        records += names.records_of(connection, host, lambda kind, record_id: _is_in(buckets, kind, record_id))
    return [record for record in records if record is not None]


def records_of_ports(connection: Connection, host: str, port_ids: Iterable[str]) -> dict[str, tuple[Record, ...]]:
    """Return what each role must know of those of the ports that are bound to the host, their networks included.

    Of groups that other ports there have, the host has been told, or is about to be.
    """
    bound = [port for port in nouns.ports(connection, port_ids).values() if port.host_id == host]
    if not bound:
        return {}
    networks = network_nouns(connection, {port.network_id for port in bound})
    reach = reaches_for(connection, networks.values(), (host,)).get(host, NOWHERE)
    found = {role: snapshot(role, networks.values(), bound, reach) for role in ROLES}
    if security_nouns.guarding_hosts(connection, (host,)):
        new = new_groups(connection, bound, last_position(connection) + 1)
        found[GUARDING_ROLE] += tuple(records_of_groups(connection, [group_id for group_id, _ in new]))
    policies = qos.policies_of(bound, (each.network for each in networks.values()))
    found[qos.ROLE] += tuple(qos.records_for(connection, host, policies))
    found[GUARDING_ROLE] += tuple(records_of_logs(connection, host, [port.id for port in bound]))
    found[GUARDING_ROLE] += tuple(records_of_instances(connection, host, [port.id for port in bound]))
    return found


def _is_in(buckets: frozenset[int] | None, kind: str, record_id: str) -> bool:
    return buckets is None or bucket_of((kind, record_id)) in buckets
