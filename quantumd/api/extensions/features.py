"""Every family of extensions, and what is served of them.

An extension whose packets the active drivers do not obey is not served: its alias is not announced, its resources and
requests answer 404, and its attributes are unknown. With ``api.preview`` all are served, for tests on the loopback.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from attrs import evolve, frozen

from quantumd.api.attributes import Attribute
from quantumd.api.extensions.address_groups import feature as address_groups
from quantumd.api.extensions.address_scopes import feature as address_scopes
from quantumd.api.extensions.agents import feature as agents_family
from quantumd.api.extensions.agents.scheduling import DistributedDhcp
from quantumd.api.extensions.aliases import CORE_EXTENSIONS, Extension
from quantumd.api.extensions.allowed_address_pairs import feature as allowed_address_pairs
from quantumd.api.extensions.auto_topology.feature import TOPOLOGY_EXTENSIONS, topologies_feature
from quantumd.api.extensions.availability_zones import feature as availability_zones
from quantumd.api.extensions.bindings import feature as bindings
from quantumd.api.extensions.conntrack_helpers.feature import feature as conntrack_helpers_family
from quantumd.api.extensions.default_rules import feature as default_rules
from quantumd.api.extensions.dns import feature as dns
from quantumd.api.extensions.events import feature as events
from quantumd.api.extensions.external_net import feature as external_net
from quantumd.api.extensions.extra_dhcp_options import feature as extra_dhcp_options
from quantumd.api.extensions.feature import Admit, Feature, MakeFeature, Parts
from quantumd.api.extensions.flavors import feature as flavors
from quantumd.api.extensions.floating_ip_pools.feature import feature as floating_ip_pools_family
from quantumd.api.extensions.floating_ips.feature import feature as floating_ips_family
from quantumd.api.extensions.ip_availability import feature as ip_availability
from quantumd.api.extensions.journal import feature as journal
from quantumd.api.extensions.local_ips import feature as local_ips
from quantumd.api.extensions.logging import feature as logging
from quantumd.api.extensions.metering import feature as metering
from quantumd.api.extensions.ndp_proxies.feature import feature as ndp_proxies_family
from quantumd.api.extensions.network_cascade_delete import feature as network_cascade_delete
from quantumd.api.extensions.network_zones import feature as network_zones
from quantumd.api.extensions.networks import feature as networks
from quantumd.api.extensions.peer_routes import feature as peer_routes
from quantumd.api.extensions.port_details import feature as port_details
from quantumd.api.extensions.port_forwardings.feature import feature as port_forwardings_family
from quantumd.api.extensions.qos import feature as qos
from quantumd.api.extensions.quotas.feature import QUOTA_EXTENSIONS, quotas_feature
from quantumd.api.extensions.rbac import feature as rbac
from quantumd.api.extensions.routers.feature import feature as routers_family
from quantumd.api.extensions.security_groups import feature as security_groups
from quantumd.api.extensions.segment_ranges import feature as segment_ranges
from quantumd.api.extensions.segments import feature as segments
from quantumd.api.extensions.service_providers import feature as service_providers
from quantumd.api.extensions.subnetpools import feature as subnetpools
from quantumd.api.extensions.subnets import feature as subnets
from quantumd.api.extensions.tags.feature import TAG_EXTENSIONS, tags_feature, with_tags
from quantumd.api.extensions.tap_mirrors import feature as tap_mirrors
from quantumd.api.extensions.taps import feature as taps
from quantumd.api.extensions.trunks import feature as trunks
from quantumd.api.extensions.vlan_transparency import feature as vlan_transparency
from quantumd.api.resource import Action, Resource
from quantumd.api.resources.chance import Chance, system_chance
from quantumd.api.resources.core import core_resources
from quantumd.api.resources.segment_settings import segment_rules
from quantumd.config import AgentSettings, NetworkSettings, QuotaSettings
from quantumd.model.host_life import Deafness, HostLife
from quantumd.model.network import carried_types

FEATURES: tuple[MakeFeature, ...] = (
    routers_family,
    floating_ips_family,
    floating_ip_pools_family,
    port_forwardings_family,
    ndp_proxies_family,
    conntrack_helpers_family,
    trunks.feature,
    taps.feature,
    tap_mirrors.feature,
    local_ips.feature,
    bindings.feature,
    port_details.feature,
    extra_dhcp_options.feature,
    dns.feature,
    allowed_address_pairs.feature,
    address_groups.feature,
    address_scopes.feature,
    default_rules.feature,
    journal.feature,
    events.feature,
    logging.feature,
    rbac.feature,
    security_groups.feature,
    subnetpools.feature,
    subnets.feature,
    agents_family.feature,
    availability_zones.feature,
    service_providers.feature,
    external_net.feature,
    network_zones.feature,
    vlan_transparency.feature,
    ip_availability.feature,
    networks.feature,
    network_cascade_delete.feature,
    segment_ranges.feature,
    segments.feature,
    peer_routes.feature,
    qos.feature,
    flavors.feature,
    metering.feature,
)
"""Add a family here; the order has no meaning."""


@frozen
class Served:
    """What the API serves: resources and requests, the aliases that it announces, and who guards the quotas."""

    resources: tuple[Resource, ...]
    actions: tuple[Action, ...]
    extensions: tuple[Extension, ...]
    admit: Admit


def serve(
    settings: NetworkSettings,
    physical_networks: Iterable[str],
    capabilities: Collection[str],
    preview: bool = False,
    chance: Chance | None = None,
    features: Sequence[MakeFeature] = FEATURES,
    quota: QuotaSettings | None = None,
    agents: AgentSettings | None = None,
    here: str = "",
    deafness: Callable[[], Deafness | None] = lambda: None,
) -> Served:
    """Put the API together. SettingsError.

    :param capabilities: aliases of extensions whose promises packets obey under the active drivers.
    :param here: the host whose roles run in this process; none when there are none.
    :param deafness: returns the last time in which hosts could not be heard.
    """
    rules = segment_rules(settings, physical_networks, carried_types(capabilities, preview))
    quota, agents = quota or QuotaSettings(), agents or AgentSettings()
    parts = Parts(
        settings,
        rules,
        chance or system_chance(),
        agents,
        HostLife(agents.down_seconds, here, deafness),
        lambda each: preview or each in capabilities,
        quota,
        DistributedDhcp(),
    )
    families = [make(parts) for make in features]
    brought = (each for family in families for each in family.extensions)
    every = (*CORE_EXTENSIONS, *QUOTA_EXTENSIONS, *TAG_EXTENSIONS, *TOPOLOGY_EXTENSIONS, *brought)
    announced = tuple(
        sorted((each for each in every if preview or each.works_with(capabilities)), key=lambda each: each.alias)
    )
    closed = {each.alias for each in every} - {each.alias for each in announced}
    resources = (*core_resources(parts, families), *(each for family in families for each in family.resources))
    served = tuple(_opened(with_tags(each), closed) for each in resources if each.extension not in closed)
    families.append(topologies_feature(resources, [each for family in families for each in family.actions]))
    # Quotas bound what is served, so their family is made last.
    names = {each.quota for each in served if each.quota is not None}
    families.append(quotas_feature(quota, names, quota_defaults(families)))
    families.append(tags_feature(served))
    return Served(
        served,
        tuple(each for family in families for each in family.actions if each.extension not in closed),
        announced,
        next(family.admit for family in families if family.admit is not None),
    )


def _opened(resource: Resource, closed: Collection[str]) -> Resource:
    attributes = tuple(_closed(each) if each.extension in closed else each for each in resource.attributes)
    return evolve(resource, attributes=attributes)


def _closed(attribute: Attribute) -> Attribute:
    """Return the attribute as nobody can name or see it; the rules still find its default."""
    return evolve(attribute, in_post=False, in_put=False, is_visible=False, filter_convert=None, is_sort_key=False)


def quota_defaults(families: Iterable[Feature]) -> dict[str, int]:
    """Return the default limit of every quota by name."""
    return {name: limit for family in families for name, limit in family.quotas.items()}
