"""What proves each alias: names of tests. ``python -m tests.conformance`` prints docs/conformance.md."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.features import serve
from quantumd.config import NetworkSettings

_X: Final = "tests/api/extensions/"
_R: Final = "tests/api/resources/"
_A: Final = "tests/api/"
_AGENTS: Final = f"{_X}test_agents_list.py"
_DETAILS: Final = f"{_X}test_port_details_attributes.py"
_POOLS: Final = f"{_X}test_subnetpools.py"
_QOS: Final = f"{_X}test_qos_policies.py"
_DNS: Final = "tests/functional/test_dns.py"
_PACKETS: Final = "tests/functional/test_qos.py"
_QUOTAS: Final = f"{_X}test_quotas_requests.py"
_RBAC: Final = f"{_X}test_rbac.py"
_RULES: Final = f"{_X}test_security_group_rules.py"
_FORWARDINGS: Final = f"{_X}test_port_forwardings.py"
_GATEWAYS: Final = f"{_X}test_router_gateways.py"
_GROUPS: Final = f"{_X}test_security_groups.py"
_SMALL: Final = f"{_X}test_small_promises.py"
_SUBNETS: Final = f"{_R}test_subnets_attributes.py"

PROOFS: Final[Mapping[str, Sequence[str]]] = {
    "aap-reject-multicast": (f"{_X}test_allowed_address_pairs_ports.py::test_bad_pairs",),
    "address-group": (f"{_X}test_address_groups.py",),
    "address-scope": (f"{_X}test_address_scopes.py", "tests/functional/test_address_scopes.py"),
    "agent": (f"{_AGENTS}::AgentTests",),
    "agent-resources-synced": (f"{_AGENTS}::test_a_report_is_shown",),
    "agent_sort_key": (f"{_AGENTS}::test_agents_can_be_sorted",),
    "allowed-address-pairs": (f"{_X}test_allowed_address_pairs_ports.py::PairTests",),
    "auto-allocated-topology": (f"{_X}test_auto_topology.py",),
    "availability_zone": (f"{_AGENTS}::ZoneTests",),
    "availability_zone_filter": (f"{_AGENTS}::test_zones_can_be_filtered",),
    "binding": (f"{_R}test_ports.py::BindingTests", f"{_R}test_statuses.py::RealisedTests"),
    "binding-extended": (f"{_X}test_bindings_moves.py",),
    "data-plane-status": (f"{_DETAILS}::test_what_is_said_is_kept",),
    "default-subnetpools": (f"{_X}test_subnetpools_allocation.py::DefaultTests",),
    "dhcp_agent_scheduler": (f"{_X}test_agents_dhcp.py",),
    "dns-domain-ports": (f"{_DETAILS}::NameTests", f"{_DNS}::NamesTests::test_domains"),
    "dns-integration": (
        f"{_DETAILS}::NameTests", f"{_R}test_networks_sharing.py::test_dns_domain", f"{_DNS}::NamesTests",
        "tests/functional/test_dns_hosts.py",
    ),
    "empty-string-filtering": (
        f"{_A}test_lists.py::test_an_empty_value_is_a_value", f"{_R}test_lists.py::test_empty_text_is_a_value"
    ),
    "enable-default-route-ecmp": (
        f"{_GATEWAYS}::SpreadTests", "tests/functional/test_router_gateways.py::DefaultTests::test_over_both"
    ),
    "events": (
        f"{_A}events/test_streams.py", f"{_A}events/test_isolation.py", "tests/functional/test_events.py"
    ),
    "external-gateway-multihoming": (_GATEWAYS, "tests/functional/test_router_gateways.py"),
    "external-net": (f"{_X}test_external_net.py", f"{_X}test_rbac_networks.py::ExternalNetworkTests"),
    "expose-port-forwarding-in-fip": (f"{_FORWARDINGS}::test_the_floating_ip_shows_them",),
    "ext-gw-mode": ("tests/api/extensions/test_routers.py::GatewayTests",),
    "expose-l3-conntrack-helper": (f"{_X}test_conntrack_helpers.py::test_the_router_shows_them",),
    "extraroute": ("tests/api/extensions/test_routers.py::RouteTests",),
    "extraroute-atomic": ("tests/api/extensions/test_routers.py::RouteTests::test_some_come_and_go",),
    "extra_dhcp_opt": (f"{_DETAILS}::OptionTests",),
    "fip-port-details": (f"{_X}test_floating_ips.py::test_to_and_fro",),
    "filter-validation": (
        f"{_A}test_lists.py::test_unknown_filters_are_named", f"{_A}test_pages.py::TimeTests"
    ),
    "flavors": (f"{_X}test_flavors_profiles.py",),
    "floatingip-pools": (f"{_X}test_floating_ips.py::PoolTests",),
    "floating-ip-port-forwarding": (_FORWARDINGS, "tests/functional/test_port_forwardings.py"),
    "floating-ip-port-forwarding-description": (f"{_FORWARDINGS}::test_the_view_is_whole",),
    "floating-ip-port-forwarding-detail": (f"{_FORWARDINGS}::test_the_floating_ip_shows_them",),
    "floating-ip-port-forwarding-port-ranges": (
        f"{_FORWARDINGS}::PortTests", "tests/functional/test_port_forwardings.py::PacketTests::test_ranges"
    ),
    "ip-substring-filtering": (f"{_R}test_lists.py::test_address_filters",),
    "ip_allocation": (f"{_SMALL}::test_how_addresses_are_given_is_told", f"{_X}test_segments_resource.py"),
    "journal": (f"{_X}test_journal.py",),
    "l2_adjacency": (f"{_X}test_segments_resource.py::test_network_that_is_routed_is_not_adjacent",),
    "l3_agent_scheduler": (f"{_X}test_router_agents.py",),
    "l3-conntrack-helper": (f"{_X}test_conntrack_helpers.py", "tests/functional/test_conntrack_helpers.py"),
    "l3-ext-ndp-proxy": (f"{_X}test_ndp_proxies.py::RouterSideTests",),
    "l3-ndp-proxy": (f"{_X}test_ndp_proxies.py", "tests/functional/test_ndp_proxies.py"),
    "l3-flavors": (f"{_X}test_router_flavors.py",),
    "l3-port-ip-change-not-allowed": (f"{_SMALL}::test_addresses_of_routers_stay",),
    "local_ip": (f"{_X}test_local_ips_resource.py",),
    "logging": (
        f"{_X}test_logging.py",
        "tests/functional/test_packet_logging.py",
        "tests/laws/test_packet_logging.py",
    ),
    "metering": (f"{_X}test_metering_labels.py", "tests/functional/test_metering.py"),
    "multi-provider": (
        f"{_X}test_segments_resource.py::MultiProviderTests",
        "tests/functional/test_segments.py::MixedTests",
        "tests/functional/test_segments.py::ChangeTests",
    ),
    "net-mtu": (f"{_R}test_networks_segments.py::MtuTests",),
    "net-mtu-writable": (f"{_R}test_networks_segments.py::MtuTests",),
    "network-cascade-delete": (f"{_X}test_network_cascade_delete.py",),
    "network-ip-availability": (f"{_X}test_ip_availability.py",),
    "network-ip-availability-details": (
        f"{_X}test_ip_availability.py::test_details_are_left_out_when_nobody_asks",
    ),
    "network-segment-range": (f"{_X}test_segment_ranges.py",),
    "network_availability_zone": (f"{_X}test_availability_zones_hints.py",),
    "pagination": (f"{_A}test_pages.py::PageTests", f"{_R}test_pages.py::PageTests"),
    "port-device-profile": (f"{_DETAILS}::test_what_is_said_is_kept", f"{_DETAILS}::test_wrong_values"),
    "port-hardware-offload-type": (f"{_DETAILS}::test_nova_reads_the_profile", f"{_DETAILS}::test_wrong_values"),
    "port-hint-ovs-tx-steering": (f"{_DETAILS}::test_what_is_said_is_kept", f"{_DETAILS}::test_wrong_values"),
    "port-hints": (f"{_DETAILS}::test_what_is_said_is_kept", f"{_DETAILS}::test_wrong_values"),
    "port-mac-address-regenerate": (f"{_SMALL}::test_a_mac_is_made_anew",),
    "port-mac-override": (f"{_SMALL}::test_a_whole_device_has_its_own_mac",),
    "port-numa-affinity-policy": (f"{_DETAILS}::test_numa_policy_of_a_bound_port_stays",),
    "port-numa-affinity-policy-socket": (f"{_DETAILS}::test_what_is_said_is_kept",),
    "port-resource-request": (f"{_DETAILS}::test_what_a_port_has_that_says_nothing",),
    "port-resource-request-groups": (f"{_DETAILS}::test_what_a_port_has_that_says_nothing",),
    "port-security": (f"{_X}test_allowed_address_pairs_ports.py::PortSecurityTests",),
    "port-security-groups-filtering": (f"{_X}test_security_group_ports.py::test_ports_are_found_by_their_groups",),
    "port-trusted-vif": (f"{_DETAILS}::test_nova_reads_the_profile",),
    "project-id": (f"{_SMALL}::EverythingTests", f"{_A}test_lists.py::test_two_keys_are_and"),
    "provider": (f"{_R}test_networks.py::SegmentTests", f"{_R}test_networks_segments.py"),
    "qinq": (f"{_R}test_networks_sharing.py::test_tags_of_guests",),
    "qos": (
        f"{_QOS}::PolicyTests", f"{_QOS}::RuleTests", f"{_X}test_qos_uses.py", f"{_PACKETS}::BandwidthTests",
        f"{_PACKETS}::MarkTests", f"{_PACKETS}::WhoseTests"
    ),
    "qos-bw-limit-direction": (f"{_QOS}::test_one_rule_of_a_type_and_direction", f"{_PACKETS}::BandwidthTests"),
    "qos-bw-minimum-ingress": (f"{_QOS}::test_rules_of_every_type", f"{_X}test_qos_guarantees.py"),
    "qos-default": (
        f"{_QOS}::test_a_project_has_one_default", f"{_X}test_qos_uses.py::NetworkTests",
        f"{_PACKETS}::test_a_projects_default_is_that_of_its_new_networks"
    ),
    "qos-port-network-policy": (f"{_X}test_qos_uses.py::test_ports_show_the_policy_of_their_network",),
    "qos-fip": (f"{_X}test_qos_outside.py::FloatingIpTests", "tests/functional/test_router_limits.py"),
    "qos-fip-network-policy": (f"{_X}test_qos_outside.py::FloatingIpTests",),
    "qos-gateway-ip": (f"{_X}test_qos_outside.py::GatewayTests", "tests/functional/test_router_limits.py"),
    "qos-pps": (f"{_QOS}::test_rules_of_every_type", f"{_PACKETS}::PacketRateTests"),
    "qos-pps-minimum": (f"{_QOS}::test_rules_of_every_type",),
    "qos-pps-minimum-rule-alias": (f"{_QOS}::test_rules_are_changed_under_their_own_ids",),
    "qos-rule-type-details": (f"{_QOS}::test_one_type_is_shown", f"{_X}test_qos_support.py"),
    "qos-rule-type-filter": (f"{_QOS}::test_types_are_filtered",),
    "qos-rules-alias": (f"{_QOS}::test_rules_are_changed_under_their_own_ids",),
    "quota-check-limit": (f"{_QUOTAS}::test_a_limit_below_use_is_refused",),
    "quota-check-limit-default": (f"{_QUOTAS}::test_a_limit_below_use_is_refused",),
    "quota_details": (f"{_QUOTAS}::test_details_tell_what_is_used",),
    "quotas": (f"{_QUOTAS}::RequestTests", f"{_X}test_quotas_admission.py"),
    "rbac-address-group": (f"{_RBAC}::CreateTests",),
    "rbac-address-scope": (f"{_RBAC}::CreateTests", f"{_X}test_address_scopes.py"),
    "rbac-policies": (f"{_RBAC}", f"{_X}test_rbac_networks.py"),
    "rbac-security-groups": (f"{_GROUPS}::SharedTests",),
    "rbac-subnetpool": (f"{_RBAC}::CreateTests", f"{_POOLS}::VisibilityTests"),
    "revision-if-match": (f"{_A}test_conditions.py::RevisionTests",),
    "router_availability_zone": (f"{_X}test_router_hosts.py::ZoneTests",),
    "router": ("tests/api/extensions/test_routers.py", "tests/api/extensions/test_floating_ips.py"),
    "security-group": (f"{_GROUPS}", f"{_RULES}", f"{_X}test_security_group_ports.py"),
    "security-groups-default-rules": (f"{_X}test_security_defaults.py::TemplateTests",),
    "security-groups-default-statefulness": (f"{_X}test_security_defaults.py::StatefulnessTests",),
    "security-groups-name-restrictions": (f"{_GROUPS}::test_names_are_printable",),
    "security-groups-normalized-cidr": (f"{_RULES}::test_values_are_taken_as_clients_write_them",),
    "security-groups-remote-address-group": (f"{_X}test_address_groups.py::UseTests",),
    "security-groups-rules-belongs-to-default-sg": (f"{_RULES}::test_rules_of_default_groups_are_found",),
    "security-groups-shared-filtering": (f"{_GROUPS}::SharedTests",),
    "segment": (
        f"{_X}test_segments_resource.py::SegmentTests", f"{_SUBNETS}::SegmentTests",
        "tests/functional/test_segments.py::RoutedTests"
    ),
    "segments-peer-subnet-host-routes": (
        f"{_X}test_peer_routes.py", "tests/functional/test_segments.py::RoutedTests"
    ),
    "service-type": (f"{_SMALL}::test_service_providers_are_listed",),
    "sort-key-validation": (f"{_A}test_pages.py::SortTests",),
    "sorting": (f"{_A}test_pages.py::SortTests", f"{_R}test_pages.py::PageTests"),
    "standard-attr-description": (f"{_SMALL}::test_descriptions_are_kept_and_found",),
    "standard-attr-revisions": (
        f"{_R}test_networks.py::test_update_is_a_revision", f"{_X}test_tags.py::test_tags_are_a_revision"
    ),
    "standard-attr-segment": (f"{_X}test_segments_resource.py::test_name_and_description_change",),
    "standard-attr-tag": (f"{_X}test_tags.py",),
    "standard-attr-timestamp": (f"{_SMALL}::test_times_are_of_the_change", f"{_R}test_pages.py::test_changed_since"),
    "stateful-security-group": (f"{_X}test_security_group_ports.py::test_stateful_and_stateless_groups_do_not_mix",),
    "subnet-dns-publish-fixed-ip": (f"{_SUBNETS}::test_publishing_is_kept_in_preview",),
    "subnet-external-network": (f"{_SUBNETS}::test_external",),
    "subnet-segmentid-enforce": (f"{_SUBNETS}::test_all_or_none",),
    "subnet-segmentid-writable": (
        f"{_SUBNETS}::test_the_only_subnet_may_be_put_on_the_only_segment",
    ),
    "subnet-service-types": (f"{_SUBNETS}::ServiceTypeTests", f"{_SMALL}::test_ports_avoid_subnets_of_other_services"),
    "subnet_allocation": (f"{_X}test_subnetpools_allocation.py::ChoiceTests",),
    "subnet_onboard": (f"{_POOLS}::OnboardTests",),
    "subnetpool-prefix-ops": (f"{_POOLS}::PrefixRequestTests",),
    "tag-creation": (f"{_X}test_tags.py::test_several_tags_are_added",),
    "tag-ports-during-bulk-creation": (f"{_DETAILS}::test_tags_of_a_new_port",),
    "tap-mirror": (f"{_X}test_tap_mirrors.py", "tests/functional/test_tap_mirrors.py"),
    "tap-mirror-both-direction": (f"{_X}test_tap_mirrors.py::MirrorTests", "tests/functional/test_tap_mirrors.py"),
    "taas": (f"{_X}test_taps.py", "tests/functional/test_taps.py"),
    "trunk": (f"{_X}test_trunks_resource.py", "tests/functional/test_trunks.py"),
    "trunk-details": (f"{_X}test_trunks_resource.py::test_it_is_down_and_its_parent_tells_of_it",),
    "uplink-status-propagation": (f"{_DETAILS}::DetailTests",),
    "uplink-status-propagation-updatable": (f"{_DETAILS}::test_what_is_said_is_kept",),
    "vlan-transparent": (
        f"{_R}test_networks_segments.py::TagsOfGuestsTests", "tests/functional/test_guest_tags.py"
    ),
}  # fmt: skip

ORACLE: Final = "tests/oracle/test_neutron_lib.py::NeutronLibTests"

INTRODUCTION: Final = f"""# What is announced, and what proves it

`GET /v2.0/extensions` announces an alias only if packets obey what it promises under the active drivers; with
`api.preview = true` it announces all. With `network.bandwidth_guarantees = "account"` it announces also
`qos-bw-minimum-ingress`, whose guarantees are counted, no more ([what is promised](decisions/qos.md#guarantees)).
This table has every alias that can be announced, what drivers must be able to do
for it, and the tests that hold it to its word. Besides, `{ORACLE}` compares names, defaults, visibility, filters, sort
keys, requests and validators of every one that neutron-lib knows with neutron-lib's own; what differs on purpose is in
`tests/oracle/differences.py`, each with its reason. What belongs to no alias:

| What | Proof |
|---|---|
| Versions, resources, extensions, the OpenAPI document | `{_A}test_documents.py` |
| Bodies, bulk requests, errors as clients know them | `{_A}test_requests.py` |
| Whatever is sent is answered clearly | `{_A}test_limits.py::AnythingTests`, `tests/functional/test_fuzz.py` |
| Tokens, projects, who sees what | `{_A}keystone/test_identity.py`, `{_R}test_isolation.py` |
| `ETag` and `304`, `HEAD`, `OPTIONS`, pages of other origins | `{_A}test_conditions.py` |
| Filters use indexes | `{_R}test_pages.py::PlanTests` |
| The commands of the `openstack` client | `tests/functional/test_client.py`, `tests/functional/test_client_walk.py` |
| The clients' own tests | `tests/functional/test_sdk_suite.py`, `tests/functional/test_client_suite.py` |
| Ansible's `openstack.cloud` is idempotent | `tests/functional/test_ansible.py` |
| Horizon's pages, in a browser | `tests/functional/test_horizon.py` |

The functional network tests that ship with the clients run against quantumd with `api.preview = true` and a real
Keystone. What need not pass is listed with its reason in `tests/functional/allowed_sdk.txt` and `allowed_client.txt`:

| | openstacksdk 4.22.0 | python-openstackclient 10.5.0 |
|---|---|---|
| passed | 204 | 110 |
| need routers that are distributed or highly available | 5 | 0 |
| need a compute service | 8 | 2 |
| need an extension that another project brings, or a role | 37 | 0 |
| broken by themselves | 20 | 3 |
| of these, pass when they are mended | 17 | 2 |

Neutron 29.0.0 with every service plugin of its own, on SQLite behind the same Keystone and the same tests, passed 190
of the SDK's: those above that ask for neither agents nor routers, and 43 that ask for routers. It passes none of those
that are called broken or of another project, and skips the 4 of agents, since their user is a member and sees no agent;
here that user is the admin, as the suite's own setting allows.

Made by `python -m tests.conformance`.

| Alias | Drivers must have | Proof |
|---|---|---|
"""


def every_extension() -> tuple[Extension, ...]:
    """Return every extension that can be announced."""
    return serve(NetworkSettings(), (), (), preview=True).extensions


def page() -> str:
    """Return the text of docs/conformance.md."""
    return INTRODUCTION + "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    for each in every_extension():
        needs = "" if each.capability is None else f"`{each.capability}`"
        proofs = ", ".join(f"`{proof}`" for proof in PROOFS.get(each.alias, ()))
        yield f"| `{each.alias}` | {needs} | {proofs} |"


if __name__ == "__main__":
    sys.stdout.write(page())
