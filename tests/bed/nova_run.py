"""Run by the Nova environment's Python: Nova's own client code for networks, over a database of its own.

The first line of JSON on standard input says ``home`` (a directory for databases and settings), ``auth_url``,
``region`` and ``user``, ``password``, ``project`` of Nova's service user. Each further line is a call: ``do`` names it,
the rest are its arguments; the ids of servers are the caller's. Each line of JSON on the descriptor of the first
argument is an answer: ``result``, or ``error`` (the class of the exception) and ``why``. It ends with its input.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any

_SETTINGS = """
[DEFAULT]
use_stderr = true
default_log_levels = nova=WARNING,alembic=WARNING,oslo=WARNING,neutronclient=WARNING,keystoneauth=WARNING
[database]
connection = sqlite:///{home}/main.sqlite
[api_database]
connection = sqlite:///{home}/api.sqlite
[oslo_concurrency]
lock_path = {home}
[neutron]
auth_type = password
auth_url = {auth_url}
username = {user}
password = {password}
project_name = {project}
user_domain_name = Default
project_domain_name = Default
region_name = {region}
valid_interfaces = public
[service_user]
send_service_user_token = true
auth_type = password
auth_url = {auth_url}
username = {user}
password = {password}
project_name = {project}
user_domain_name = Default
project_domain_name = Default
"""


class Calls:
    """What can be asked of Nova's network API; each method is one call."""

    def __init__(self, wanted: dict[str, str]) -> None:
        from nova import objects  # type: ignore[import-not-found]
        from nova.network import neutron  # type: ignore[import-not-found]

        self._objects = objects
        self._region = wanted["region"]
        self._api = neutron.API()
        self._contexts: dict[str, Any] = {}
        self._servers: dict[str, Any] = {}

    def server(self, server: str, token: str, user: str, project: str, url: str, host: str, name: str) -> None:
        """Make a server with a context of the user that asked for it."""
        from nova import context
        from nova.network import model

        endpoint = {"publicURL": url, "internalURL": url, "adminURL": url, "region": self._region}
        catalog = [{"type": "network", "name": "network", "endpoints": [endpoint]}]
        made = context.RequestContext(user, project, auth_token=token, is_admin=False, service_catalog=catalog)
        instance = self._objects.Instance(
            made, uuid=server, project_id=project, user_id=user, host=host, hostname=name,
            display_name=name, availability_zone="nova",
        )  # fmt: skip
        instance.info_cache = self._objects.InstanceInfoCache()
        instance.info_cache.instance_uuid = server
        instance.info_cache.network_info = model.NetworkInfo()
        instance.create()
        self._contexts[server], self._servers[server] = made, instance

    def validate(self, server: str, networks: list[str], count: int) -> int:
        """Return how many servers the project's quota allows."""
        requests = self._requests(networks, [])
        allowed: int = self._api.validate_networks(self._contexts[server], requests, count)
        return allowed

    def allocate(self, server: str, networks: list[str], ports: list[str], host: str, groups: list[str]) -> Any:
        """Give a server its ports and bind them."""
        return self._told(
            self._api.allocate_for_instance(
                self._contexts[server], self._servers[server], self._requests(networks, ports), groups,
                bind_host_id=host,
            )
        )  # fmt: skip

    def info(self, server: str, port: str | None = None) -> Any:
        """Read the network information of a server anew; of one port where it is named, as after network-changed."""
        more = {"refresh_vif_id": port} if port else {"force_refresh": True}
        return self._told(self._api.get_instance_nw_info(self._contexts[server], self._servers[server], **more))

    def vifs(self, server: str) -> Any:
        """Return what os-vif is to plug for a server, as its objects are sent between processes."""
        from nova.network import os_vif_util

        info = self._servers[server].get_network_info()
        return [os_vif_util.nova_to_osvif_vif(vif).obj_to_primitive() for vif in info]

    def add_ip(self, server: str, network: str) -> Any:
        """Give a server another address on a network."""
        return self._told(self._api.add_fixed_ip_to_instance(self._contexts[server], self._servers[server], network))

    def index(self, server: str) -> None:
        """Say which of the server's devices a port is."""
        vif = self._servers[server].get_network_info()[0]
        self._api.update_instance_vnic_index(self._contexts[server], self._servers[server], vif, 0)

    def bind(self, server: str, host: str) -> Any:
        """Bind the server's ports to the destination of a live migration."""
        return self._api.bind_ports_to_host(self._admin(), self._servers[server], host)

    def unbind(self, server: str, port: str, host: str) -> None:
        """Remove a binding."""
        self._api.delete_port_binding(self._admin(), port, host)

    def migrate_start(self, server: str, to: str) -> None:
        """Activate the bindings to the destination."""
        self._api.migrate_instance_start(self._admin(), self._servers[server], self._migration(server, to))

    def migrate_finish(self, server: str, to: str) -> None:
        """End a migration."""
        instance, source = self._servers[server], self._servers[server].host
        self._api.migrate_instance_finish(self._admin(), instance, self._migration(server, to), {})
        instance.host = to
        instance.save()
        self._api.setup_networks_on_host(self._admin(), instance, source, teardown=True)

    def setup_on_host(self, server: str, host: str) -> None:
        """Bind the server's ports to a host, as an evacuation or an unshelved server does."""
        self._api.setup_instance_network_on_host(self._admin(), self._servers[server], host)

    def cleanup_on_host(self, server: str, host: str) -> None:
        """Remove the bindings to a host."""
        self._api.cleanup_instance_network_on_host(self._admin(), self._servers[server], host)

    def detach(self, server: str, port: str) -> Any:
        """Take one port from a server."""
        found, _ = self._api.deallocate_port_for_instance(self._contexts[server], self._servers[server], port)
        return self._told(found)

    def deallocate(self, server: str) -> None:
        """Take all ports from a server."""
        self._api.deallocate_for_instance(self._contexts[server], self._servers[server])

    def _requests(self, networks: list[str], ports: list[str]) -> Any:
        made = [self._objects.NetworkRequest(network_id=network) for network in networks]
        made += [self._objects.NetworkRequest(port_id=port) for port in ports]
        return self._objects.NetworkRequestList(objects=made)

    def _migration(self, server: str, to: str) -> Any:
        return self._objects.Migration(
            self._admin(), source_compute=self._servers[server].host, dest_compute=to, status="running",
            migration_type="live-migration",
        )  # fmt: skip

    def _admin(self) -> Any:
        from nova import context

        return context.get_admin_context()

    @staticmethod
    def _told(info: Any) -> Any:
        return json.loads(info.json())


def begin(wanted: dict[str, str]) -> Calls:
    """Write settings, make the tables, and load Nova."""
    settings = os.path.join(wanted["home"], "nova.conf")
    with open(os.open(settings, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(_SETTINGS.format(**wanted))
    import nova.conf  # type: ignore[import-not-found]
    from nova import objects
    from nova.db import migration  # type: ignore[import-not-found]
    from nova.db.api import api as api_database  # type: ignore[import-not-found]
    from nova.db.main import api as main_database  # type: ignore[import-not-found]

    nova.conf.CONF(["--config-file", settings], project="nova", version="0")
    main_database.configure(nova.conf.CONF)
    api_database.configure(nova.conf.CONF)
    objects.register_all()
    migration.db_sync(database="main")
    import os_vif  # type: ignore[import-not-found]

    os_vif.initialize()
    return Calls(wanted)


def main() -> None:
    """Answer calls until the input ends."""
    warnings.simplefilter("ignore")
    to = os.fdopen(int(sys.argv[1]), "w")
    calls = begin(json.loads(sys.stdin.readline()))
    print(json.dumps({"result": "ready"}), file=to, flush=True)
    for line in sys.stdin:
        wanted = json.loads(line)
        call: Callable[..., Any] = getattr(calls, wanted.pop("do"))
        try:
            answer = {"result": call(**wanted)}
        except Exception as error:  # noqa: BLE001 - whatever Nova raises is the answer
            traceback.print_exc()
            answer = {"error": type(error).__name__, "why": str(error)[:2000]}
        print(json.dumps(answer, default=str), file=to, flush=True)


if __name__ == "__main__":
    main()
