"""Tap services, flows and mirrors."""

from __future__ import annotations

from tests.bed.client_walk import Step, Walk

TAPS: Walk = (
    Step("network create heard", keeps="heard"),
    Step("port create --network {heard} ear", keeps="ear"),
    Step("port create --network {heard} mouth", keeps="mouth"),
    Step(
        "tap service create --name ids --description d --port ear",
        {"name": "ids", "description": "d", "port_id": "{ear}", "status": "DOWN"},
        keeps="service",
    ),
    Step("tap service update --name nids --description e ids", {"name": "nids", "description": "e"}),
    Step("tap service list", [{"ID": "{service}", "Name": "nids", "Port": "{ear}", "Status": "DOWN"}]),
    Step("tap service show nids", {"id": "{service}"}),
    Step(
        "tap flow create --name in --description d --port mouth --tap-service nids --direction IN",
        {"source_port": "{mouth}", "tap_service_id": "{service}", "direction": "IN", "status": "DOWN"},
        keeps="flow",
    ),
    Step("tap flow update --name inwards --description e in", {"Name": "inwards", "description": "e"}),
    Step("tap flow list", [{"ID": "{flow}", "Name": "inwards"}]),
    Step("tap flow show inwards", {"id": "{flow}", "direction": "IN"}),
    Step("tap flow delete inwards"),
    Step("tap service delete nids"),
    Step("tap service list", []),
    Step("port delete ear mouth"),
    Step("network delete {heard}"),
)

MIRRORS: Walk = (
    Step("network create seen", keeps="seen"),
    Step("port create --network {seen} face", keeps="face"),
    Step(
        'tap mirror create --name ids --description d --port face --directions \'{{"IN": 101, "OUT": 102}}\''
        " --remote-ip 192.0.2.77 --mirror-type erspanv1",
        {"name": "ids", "port_id": "{face}", "remote_ip": "192.0.2.77", "mirror_type": "erspanv1"},
        keeps="mirror",
    ),
    Step(
        "tap mirror create --port face --directions IN=101 --remote-ip 192.0.2.77 --mirror-type gre",
        refused="Tap Mirror with tunnel_id 101 already exists",
    ),
    Step("tap mirror update --name nids --description e ids", {"name": "nids", "description": "e"}),
    Step("tap mirror list", [{"ID": "{mirror}", "Name": "nids", "Port": "{face}", "Mirror Type": "erspanv1"}]),
    Step("tap mirror show nids", {"id": "{mirror}", "directions": {"IN": 101, "OUT": 102}}),
    Step("tap mirror delete nids"),
    Step("tap mirror list", []),
    Step("port delete face"),
    Step("network delete {seen}"),
)
