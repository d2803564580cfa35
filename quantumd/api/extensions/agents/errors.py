"""What can go wrong with agents. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class AgentNotFound(ApiError):
    """There is no such agent in the caller's scope."""

    status = 404

    def __init__(self, agent_id: str) -> None:
        super().__init__(f"Agent {agent_id} could not be found.")
        self.agent_id = agent_id


class InvalidDHCPAgent(ApiError):
    """The agent does not serve DHCP, or an operator disabled it."""

    status = 404

    def __init__(self, agent_id: str) -> None:
        super().__init__(f"Agent {agent_id} is not a valid DHCP Agent or has been disabled.")
        self.agent_id = agent_id


class InvalidL3Agent(ApiError):
    """The agent carries no routers, or may carry none."""

    status = 404

    def __init__(self, agent_id: str) -> None:
        super().__init__(f"Agent {agent_id} is not a L3 Agent or has been disabled")


class RouterNotHostedByL3Agent(ApiError):
    """The router is not on the agent."""

    status = 409

    def __init__(self, router_id: str, agent_id: str) -> None:
        super().__init__(f"The router {router_id} is not hosted by the L3 Agent {agent_id}.")


class NetworkHostedByDHCPAgent(ApiError):
    """The network is on the agent already."""

    status = 409

    def __init__(self, network_id: str, agent_id: str) -> None:
        super().__init__(f"The network {network_id} has been already hosted by the DHCP Agent {agent_id}.")


class NetworkNotHostedByDhcpAgent(ApiError):
    """The network is not on the agent."""

    status = 409

    def __init__(self, network_id: str, agent_id: str) -> None:
        super().__init__(f"The network {network_id} is not hosted by the DHCP agent {agent_id}.")


class NetworkServedWherePortsAre(ApiError):
    """A host serves DHCP to the ports that it has; to stop that its ports must go."""

    status = 409
    type_name = "InvalidDHCPAgent"

    def __init__(self, network_id: str, host: str) -> None:
        super().__init__(
            f"The network {network_id} has ports on the host {host}, and a host always serves DHCP to its ports."
        )
