"""Run by the environment of cloud-init, in a VM: its own code for OpenStack and Ec2 reads what is there.

It prints a JSON object of what they understood. The argument is the MAC address of the VM's device.
"""

from __future__ import annotations

import json
import sys
from typing import Any

ROOT = "http://169.254.169.254"


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def main() -> None:
    """Read."""
    from cloudinit.sources.helpers import ec2, openstack  # type: ignore[import-not-found]

    read = openstack.MetadataReader(ROOT, retries=1, timeout=5).read_v2()
    network = openstack.convert_net_json(read["networkdata"], known_macs={sys.argv[1]: "eth0"})
    amazon = ec2.get_instance_metadata("latest", ROOT, timeout=5, retries=1)
    json.dump(
        {
            "openstack": {
                "metadata": {name: read["metadata"][name] for name in ("uuid", "hostname", "public_keys")},
                "userdata": _text(read["userdata"]),
                "ec2": read["ec2-metadata"],
                "network": network,
            },
            "amazon": amazon,
            "amazon_userdata": _text(ec2.get_instance_userdata("latest", ROOT, timeout=5, retries=1)),
        },
        sys.stdout,
        default=_text,
    )


if __name__ == "__main__":
    main()
