"""Agents, and which of them serve DHCP to which networks."""

from __future__ import annotations

from datetime import UTC, datetime

from quantumd.api.extensions.agents.agents import Agents
from quantumd.api.extensions.agents.attributes import AGENT_ATTRIBUTES
from quantumd.api.extensions.agents.dhcp import DhcpScheduling
from quantumd.api.extensions.agents.errors import AgentNotFound
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.resource import Action, Resource

_SCHEDULER = "dhcp_agent_scheduler"

_EXTENSIONS = (
    Extension("agent", "agent", "The agent management extension.", "2013-02-03T10:00:00-00:00"),
    Extension(
        "agent_sort_key",
        "Agents Sort Key",
        "Enabling the keyword sort_key for sorting in agents.",
        "2013-02-03T10:00:00-00:00",
    ),
    Extension(
        "agent-resources-synced",
        "Agent's Resource View Synced to Placement",
        "Stores success/failure of last sync to Placement",
        "2018-12-19T00:00:00-00:00",
    ),
    Extension(_SCHEDULER, "DHCP Agent Scheduler", "Schedule networks among dhcp agents", "2013-02-07T10:00:00-00:00"),
)


def feature(parts: Parts) -> Feature:
    """Return the family."""
    agents = Agents(parts.life, lambda: datetime.now(UTC))
    dhcp = DhcpScheduling(agents, parts.scheduler)
    networks_on, agents_of = "agents/<agent_id>/dhcp-networks", "networks/<network_id>/dhcp-agents"
    return Feature(
        extensions=_EXTENSIONS,
        resources=(
            Resource(
                "agent",
                "agents",
                AGENT_ATTRIBUTES,
                agents,
                AgentNotFound,
                verbs=frozenset({"list", "show", "update", "delete"}),
                extension="agent",
            ),
        ),
        actions=(
            Action("GET", networks_on, dhcp.networks, writes=False, rule="get_dhcp-networks", extension=_SCHEDULER),
            Action("POST", networks_on, dhcp.add, status=201, rule="create_dhcp-network", extension=_SCHEDULER),
            Action(
                "DELETE", f"{networks_on}/<network_id>", dhcp.remove, rule="delete_dhcp-network", extension=_SCHEDULER
            ),
            Action("GET", agents_of, dhcp.agents_of, writes=False, rule="get_dhcp-agents", extension=_SCHEDULER),
        ),
    )
