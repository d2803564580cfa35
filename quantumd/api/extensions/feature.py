"""What a family of extensions adds to the API: aliases, resources, requests, aspects of core resources, quotas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from quantumd.api.aspects import IAspect
from quantumd.api.extensions.agents.scheduling import IDhcpScheduler
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.network_cascade_delete.cascade import Release
from quantumd.api.resource import Action, Resource
from quantumd.api.resources.chance import Chance
from quantumd.config import AgentSettings, NetworkSettings, QuotaSettings
from quantumd.model.context import Context
from quantumd.model.host_life import HostLife
from quantumd.model.network import SegmentRules

if TYPE_CHECKING:
    from quantumd.store.transaction import Transaction

Admit: TypeAlias = "Callable[[Transaction, Context, Resource, Sequence[Mapping[str, Any]]], None]"
"""Refuses what a create request would make beyond a quota, in the transaction that makes it. OverQuota."""


@frozen
class Parts:
    """What features are made of. ``obeys`` tells whether packets obey a capability, or preview makes that no matter."""

    settings: NetworkSettings
    rules: SegmentRules
    chance: Chance
    agents: AgentSettings
    life: HostLife
    obeys: Callable[[str], bool]
    quota: QuotaSettings
    scheduler: IDhcpScheduler


@frozen
class Feature:
    """One family. ``quotas`` are default limits by name, -1 for none. ``admit`` is given by the family of quotas.

    ``releases`` are asked for each port of a network that is deleted with all that is on it.
    """

    extensions: tuple[Extension, ...] = ()
    resources: tuple[Resource, ...] = ()
    actions: tuple[Action, ...] = ()
    network_aspects: tuple[IAspect, ...] = ()
    subnet_aspects: tuple[IAspect, ...] = ()
    port_aspects: tuple[IAspect, ...] = ()
    releases: tuple[Release, ...] = ()
    quotas: Mapping[str, int] = {}
    admit: Admit | None = None


MakeFeature: TypeAlias = "Callable[[Parts], Feature]"
