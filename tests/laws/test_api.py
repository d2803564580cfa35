"""Whatever is asked of the API in whatever order, what is stored stays in order."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.resources.errors import NoNetworkAvailable
from quantumd.config import NetworkSettings
from quantumd.errors import ApiError
from quantumd.model.context import Context
from quantumd.store.tables import ip_allocations, networks, ports, rbac_entries, segments, subnets, tags
from quantumd.store.tables.security import security_group_rules, security_groups
from tests.api.resources.bed import ADMIN, ALICE, BOB, Bed
from tests.bed.counts import count

HISTORIES = count(15, 500)
STEPS = 30

CALLERS = st.sampled_from((ADMIN, ALICE, BOB))
PREFIXES = st.sampled_from(
    ("10.0.0.0/29", "10.0.0.0/28", "10.0.0.8/30", "192.168.0.0/29", "2001:db8::/126", "2001:db8::/64")
)
ADDRESSES = st.sampled_from(("10.0.0.1", "10.0.0.2", "10.0.0.6", "10.0.0.9", "192.168.0.3", "2001:db8::2", "8.8.8.8"))
MACS = st.sampled_from((None, "fa:16:3e:00:00:01", "fa:16:3e:00:00:02"))
NAMES = st.sampled_from(("", "a", "b"))

COUNTED = {
    "network": networks,
    "subnet": subnets,
    "port": ports,
    "rbac_policy": rbac_entries,
    "security_group": security_groups,
    "security_group_rule": security_group_rules,
}
"""What projects have by resource, as quotas count it."""


class Api(RuleBasedStateMachine):
    """Callers of three projects who create, change and delete, rightly and wrongly."""

    made_networks = Bundle("made_networks")
    made_subnets = Bundle("made_subnets")
    made_ports = Bundle("made_ports")

    def __init__(self) -> None:
        super().__init__()
        self.bed = Bed(evolve(NetworkSettings(), tenant_network_types=("vlan",), vlan_ranges=("physnet1:100:103",)))
        self.revisions: dict[str, int] = {}
        self.refused = 0

    def teardown(self) -> None:
        """Drop the database."""
        self.bed.close()

    def attempt(self, call: Any, *arguments: Any, **named: Any) -> Any:
        """Do it; what is refused leaves nothing behind, and every refusal is one that callers know."""
        try:
            return call(*arguments, **named)
        except ApiError as refusal:
            # All VLANs in use is the operator's lack, so it is a 503.
            if not 400 <= refusal.status < 500 and not isinstance(refusal, NoNetworkAvailable):
                raise
            self.refused += 1
            return None

    @rule(target=made_networks, caller=CALLERS, shared=st.booleans(), name=NAMES)
    def create_network(self, caller: Context, shared: bool, name: str) -> str:
        """A network, perhaps shared."""
        body = {"name": name, **({"shared": True} if shared and caller is ADMIN else {})}
        view = self.attempt(self.bed.create, "network", caller, **body)
        return view["id"] if view else "00000000-0000-4000-8000-000000000000"

    @rule(target=made_subnets, caller=CALLERS, network=made_networks, cidr=PREFIXES, dhcp=st.booleans())
    def create_subnet(self, caller: Context, network: str, cidr: str, dhcp: bool) -> str:
        """A subnet, which may overlap another one."""
        version = ip_network(cidr).version
        view = self.attempt(
            self.bed.create, "subnet", caller, network_id=network, cidr=cidr, ip_version=version, enable_dhcp=dhcp
        )
        return view["id"] if view else "00000000-0000-4000-8000-000000000000"

    @rule(target=made_ports, caller=CALLERS, network=made_networks, mac=MACS, address=st.none() | ADDRESSES)
    def create_port(self, caller: Context, network: str, mac: str | None, address: str | None) -> str:
        """A port, with or without a wish."""
        body: dict[str, Any] = {"network_id": network}
        if mac:
            body["mac_address"] = mac
        if address:
            body["fixed_ips"] = [{"ip_address": address}]
        view = self.attempt(self.bed.create, "port", caller, **body)
        return view["id"] if view else "00000000-0000-4000-8000-000000000000"

    @rule(caller=CALLERS, network=made_networks, number=st.integers(2, 12))
    def create_many_ports(self, caller: Context, network: str, number: int) -> None:
        """All or none."""
        before = self._number_of_ports()
        views = self.attempt(self.bed.create_many, "port", [{"network_id": network}] * number, caller)
        if self._number_of_ports() != before + (number if views else 0):
            raise AssertionError("a bulk request made some and not all")

    @rule(caller=CALLERS, port=made_ports, address=ADDRESSES, name=NAMES, is_up=st.booleans())
    def change_port(self, caller: Context, port: str, address: str, name: str, is_up: bool) -> None:
        """Another address, another name."""
        changes = {"name": name, "admin_state_up": is_up, "fixed_ips": [{"ip_address": address}]}
        self.attempt(self.bed.update, "port", port, caller, **changes)

    @rule(caller=CALLERS, port=made_ports, host=st.sampled_from(("", "host-a", "host-b")))
    def bind_port(self, caller: Context, port: str, host: str) -> None:
        """To a host, or to none."""
        self.attempt(self.bed.update, "port", port, caller, binding__host_id=host)

    @rule(caller=CALLERS, subnet=made_subnets, dhcp=st.booleans(), gateway=st.none() | ADDRESSES)
    def change_subnet(self, caller: Context, subnet: str, dhcp: bool, gateway: str | None) -> None:
        """Its gateway and whether it is served."""
        self.attempt(self.bed.update, "subnet", subnet, caller, enable_dhcp=dhcp, gateway_ip=gateway)

    @rule(caller=CALLERS, network=made_networks, shared=st.booleans(), is_up=st.booleans())
    def change_network(self, caller: Context, network: str, shared: bool, is_up: bool) -> None:
        """Who may use it, and whether it is up."""
        changes = {"admin_state_up": is_up, **({"shared": shared} if caller is ADMIN else {})}
        self.attempt(self.bed.update, "network", network, caller, **changes)

    @rule(caller=CALLERS, port=consumes(made_ports))
    def delete_port(self, caller: Context, port: str) -> None:
        """A port."""
        self.attempt(self.bed.delete, "port", port, caller)

    @rule(caller=CALLERS, subnet=consumes(made_subnets))
    def delete_subnet(self, caller: Context, subnet: str) -> None:
        """A subnet, used or not."""
        self.attempt(self.bed.delete, "subnet", subnet, caller)

    @rule(caller=CALLERS, network=consumes(made_networks))
    def delete_network(self, caller: Context, network: str) -> None:
        """A network, used or not."""
        self.attempt(self.bed.delete, "network", network, caller)

    def _number_of_ports(self) -> int:
        # The DHCP port of a network comes with its subnets and not with other ports.
        return int(self.bed.connection.execute(select(func.count()).select_from(ports)).scalar_one())

    @invariant()
    def addresses_lie_in_their_subnets(self) -> None:
        """And in the network of their port; the keys keep two owners of one away, so they are only counted here."""
        statement = (
            select(ip_allocations.c.ip_address, subnets.c.cidr, subnets.c.network_id, ports.c.network_id)
            .join_from(ip_allocations, subnets, subnets.c.id == ip_allocations.c.subnet_id, isouter=True)
            .join(ports, ports.c.id == ip_allocations.c.port_id, isouter=True)
        )
        seen = set()
        for address, cidr, subnets_network, ports_network in self.bed.connection.execute(statement):
            if cidr is None or ports_network is None:
                raise AssertionError(f"{address} belongs to nothing")
            if subnets_network != ports_network or ip_address(address) not in ip_network(cidr):
                raise AssertionError(f"{address} of a port on {ports_network} is not of {cidr} on {subnets_network}")
            if (subnets_network, address) in seen:
                raise AssertionError(f"{address} has two owners")
            seen.add((subnets_network, address))

    @invariant()
    def nothing_is_left_behind(self) -> None:
        """Subnets, ports and segments have their network; tags have what they are on."""
        every = {table.name: self._ids(table.c.id) for table in (networks, subnets, ports)}
        for column in (subnets.c.network_id, ports.c.network_id, segments.c.network_id):
            orphans = self._ids(column) - every["networks"]
            if orphans:
                raise AssertionError(f"{column}: {orphans} are gone")
        known = set().union(*every.values())
        if self._ids(tags.c.resource_id) - known:
            raise AssertionError("tags of nothing")

    @invariant()
    def revisions_only_grow(self) -> None:
        """A client that saw one can tell whether it is still current."""
        for table in (networks, subnets, ports):
            for row_id, revision in self.bed.connection.execute(select(table.c.id, table.c.revision_number)):
                if revision < self.revisions.get(row_id, 0):
                    raise AssertionError(f"{table.name} {row_id} went back to revision {revision}")
                self.revisions[row_id] = revision

    @invariant()
    def callers_see_what_is_theirs(self) -> None:
        """A list shows nothing of another project that is not shared."""
        for caller in (ALICE, BOB):
            for network in self.bed.listed("network", caller):
                if network["project_id"] != caller.project_id and not network["shared"]:
                    raise AssertionError(f"{caller.project_id} sees {network}")

    @invariant()
    def what_is_kept_count_of_is_there(self) -> None:
        """The tally of a project is what counting finds."""
        for resource, table in COUNTED.items():
            counted = select(table.c.project_id, func.count()).group_by(table.c.project_id)
            found = {row[0]: row[1] for row in self.bed.connection.execute(counted)}
            for project_id in {"alice", "bob", *found}:
                told = self.bed.tx().untold(resource, project_id)
                if told != found.get(project_id, 0):
                    raise AssertionError(f"{project_id} has {found.get(project_id, 0)} of {resource}, told {told}")

    def _ids(self, column: Any) -> set[str]:
        return set(self.bed.connection.execute(select(column).where(column.is_not(None))).scalars())


@pytest.mark.time_limit(count(300, 880))
class ApiLawTests(SynchronousTestCase):
    """The machine, run."""

    def test_any_sequence_of_requests_leaves_the_store_in_order(self) -> None:
        """Addresses lie in subnets and have one owner, nothing is orphaned, revisions grow, scopes hold."""
        run_state_machine_as_test(
            Api,
            settings=settings(
                max_examples=HISTORIES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
