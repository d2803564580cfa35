"""Imported by the client environment's Python: tests of python-openstackclient that are broken by themselves, mended.

They are the tests that ``allowed_client.txt`` calls broken, without what breaks them and with nothing else changed;
one of them cannot be mended.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from openstackclient.tests.functional.network.v2 import test_local_ip  # type: ignore[import-not-found]

_CREATE = "local ip create "


class LocalIPTests(test_local_ip.LocalIPTests):  # type: ignore[misc]
    """They look for an alias that is another, give the name as no option, and name neither a network nor a port."""

    network = ""
    # It needs what the program cannot do: --project is the beginning of its --project-domain.
    test_local_ip_list = None

    def setUp(self) -> None:
        """Have a network with addresses."""
        super().setUp()
        name = uuid4().hex
        self.openstack(f"network create {name}", parse_output=True)
        self.addCleanup(self.openstack, f"network delete {name}")
        self.openstack(f"subnet create --network {name} --subnet-range 192.0.2.0/24 {name}", parse_output=True)
        type(self).network = name

    @classmethod
    def is_extension_enabled(cls, alias: str, **kwargs: Any) -> bool:
        """See there."""
        return bool(super().is_extension_enabled("local_ip" if alias == "local-ip" else alias, **kwargs))

    @classmethod
    def openstack(cls, cmd: str, **kwargs: Any) -> Any:
        """See there."""
        if cmd.startswith(_CREATE):
            *options, name = cmd.removeprefix(_CREATE).split()
            cmd = f"{_CREATE}--network {cls.network} {' '.join(options)} --name {name}"
        return super().openstack(cmd, **kwargs)
