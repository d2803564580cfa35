"""Run by the Nova environment's Python, in the network namespace of a switch: os-vif plugs or unplugs one device.

The line of JSON on standard input says ``do`` (plug or unplug), ``vif`` (an os-vif object as it is sent between
processes), ``server`` and ``name`` of its server, and ``ovsdb``, where the switch's database is.
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings


def main() -> None:
    """Plug or unplug."""
    warnings.simplefilter("ignore")
    wanted = json.loads(sys.stdin.readline())
    import os_vif  # type: ignore[import-not-found]
    from os_vif import objects
    from oslo_config import cfg
    from vif_plug_ovs import privsep  # type: ignore[import-not-found]

    with tempfile.NamedTemporaryFile("w", suffix=".conf") as settings:
        settings.write(f"[os_vif_ovs]\novsdb_connection = {wanted['ovsdb']}\n")
        settings.flush()
        cfg.CONF(["--config-file", settings.name], project="os-vif")
    # We are root already; Nova starts a helper process that is.
    privsep.vif_plug.set_client_mode(False)
    os_vif.initialize()
    vif = objects.vif.VIFBase.obj_from_primitive(wanted["vif"])
    server = objects.instance_info.InstanceInfo(uuid=wanted["server"], name=wanted["name"])
    getattr(os_vif, wanted["do"])(vif, server)
    sys.stdout.write(vif.vif_name)


if __name__ == "__main__":
    main()
