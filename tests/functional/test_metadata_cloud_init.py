"""cloud-init's own code reads the metadata that a host answers by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from tests.bed import cloud_init_run
from tests.bed.dhcp_client import udhcpc
from tests.bed.metadata_case import MetadataCase
from tests.bed.needs import OVS, PREFIX, environment_python, missing

_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIblue blue"


class CloudInitTests(MetadataCase):
    """A VM that boots with an address by DHCP, and cloud-init in it."""

    skip = missing(*OVS, "ping", "nft", "conntrack", "udhcpc") or (
        None if environment_python("cloudinit") else f"{PREFIX}cloud-init's environment (make test)"
    )
    folder: ClassVar[Path]

    @classmethod
    def prepare_switch(cls) -> None:
        """Make the folder of files."""
        cls.folder = cls.directory / "metadata"
        (cls.folder / "default").mkdir(parents=True)
        (cls.folder / "default/user_data").write_text("#cloud-config\npackages: [vim]\n")
        (cls.folder / "default/public_keys").write_text(f"# of everybody\n{_KEY}\n")
        cls.appliance.settings = {**cls.settings, "metadata.folder": str(cls.folder)}

    def test_what_it_understands(self) -> None:
        """The instance, its name, keys, user data and its network."""
        guest = self.make_guest(self.make_network("10.0.0.0/24"), name="web-1")
        self.plug(guest)
        udhcpc(guest.vm, self.directory)
        python = environment_python("cloudinit")
        told: dict[str, Any] = json.loads(
            guest.vm.run(str(python), "-P", cloud_init_run.__file__, guest.mac, timeout_seconds=60)
        )
        ours, amazon = told["openstack"], told["amazon"]
        expected = {"uuid": guest.id, "hostname": "web-1", "public_keys": {"key-0": _KEY}}
        self.assertEqual(ours["metadata"], expected)
        self.assertEqual(ours["userdata"], "#cloud-config\npackages: [vim]\n")
        self.assertEqual(ours["ec2"]["instance-id"], guest.id)
        (device,) = ours["network"]["config"]
        self.assertEqual((device["name"], device["mac_address"], device["mtu"]), ("eth0", guest.mac, 1500))
        self.assertEqual(device["subnets"], [{"type": "dhcp4"}])
        self.assertEqual((amazon["instance-id"], amazon["local-hostname"]), (guest.id, "web-1"))
        self.assertEqual(amazon["public-keys"], {"key-0": _KEY})
        self.assertEqual(told["amazon_userdata"], "#cloud-config\npackages: [vim]\n")
        self.assertNotIn("traceback", self.appliance.log().lower())
