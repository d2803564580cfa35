"""Values to try on an attribute: good, bad and at the edge, made from what neutron-lib says of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

UUID: Final = "71a4ee93-4cbb-470f-9a3d-dd87ad57c539"
OTHER_UUID: Final = "0fcefd4c-89c0-4aa0-8f24-2094acce78aa"

PLAIN: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 2, 4, 6, 255, 256, 4094, 4095, 65_535, 65_536, 2**31 - 1, 2**32, 1.0, 1.5,
    "", " ", "a", "default", "true", "True", "FALSE", "yes", "0", "1", "-1", "4", "6", "1.5", "none", "None", "null",
    " padded ", "two\nlines", "tab\there", "é", "名", "x" * 255, "x" * 256, "a,b", "a/b", "a.b", "a-b.example.org.",
    UUID, UUID.upper(), UUID.replace("-", ""), "not-a-uuid", f"{UUID} ",
    "10.0.0.1", "10.0.0.0", "10.0.0.256", "10.0.0", "010.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.5",
    "169.254.1.1", "127.0.0.1", "2001:db8::1", "2001:DB8::1", "2001:db8:0:0::1", "::", "::1", "fe80::1", "ff02::1",
    "::ffff:10.0.0.1", "fe80::1%eth0", "10.0.0.1\n",
    "10.0.0.0/24", "10.0.0.1/24", "10.0.0.0/33", "10.0.0.0/255.255.255.0", "0.0.0.0/0", "2001:db8::/64",
    "2001:DB8::/64",
    "2001:db8::1/64", "2001:db8::/129", "::/0", "224.0.0.0/4", "10.0.0.0/24\n", "10.0.0.0/ 24", "10.0.0/24",
    "fa:16:3e:00:00:01", "FA:16:3E:00:00:01", "fa-16-3e-00-00-01", "fa16.3e00.0001", "fa163e000001", "fa:16:3e:0:0:1",
    "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "fa:16:3e:00:00:0g", "fa:16:3e:00:00:01\n",
    "tcp", "TCP", "udp", "6", "256", "ingress", "egress", "IPv4", "ipv4", "IPv6", "slaac", "dhcpv6-stateful", "normal",
    "direct", "vlan", "vxlan", "flat", "host-1", "network:dhcp", "compute:nova",
    [], {}, [None], [1], [""], ["a"], ["a", "a"], ["a", "b"], "[]", "{}", [[]], [{}], {"a": 1}, {"": ""},
    [UUID], [UUID, UUID], [UUID, OTHER_UUID], [UUID.upper()], ["10.0.0.1"], ["10.0.0.1", "10.0.0.1"],
    ["10.0.0.1", "2001:db8::1"], ["10.0.0.0/24"], ["10.0.0.0/24", "10.0.1.0/24"], ["fa:16:3e:00:00:01"],
    ["compute:nova"], ["network:dhcp"], ["nova"],
)  # fmt: skip
"""Tried on every attribute."""

LISTS: Final[Mapping[str, tuple[Any, ...]]] = {
    "fixed_ips": (
        [{"ip_address": "10.0.0.5"}], [{"subnet_id": UUID}], [{"subnet_id": UUID, "ip_address": "10.0.0.5"}],
        [{"ip_address": "nope"}], [{"subnet_id": "nope"}], [{"ip_address": "10.0.0.5"}, {"ip_address": "10.0.0.5"}],
        [{"ip_address": "10.0.0.5", "mac": "x"}], {"ip_address": "10.0.0.5"}, [{"ip_address": "2001:DB8::5"}],
        [{"ip_address": "10.0.0.5"}, {"ip_address": "10.0.0.6"}], [{"subnet_id": UUID}, {"subnet_id": UUID}],
        [{"subnet_id": None}], [{"ip_address": None}], [{"ip_address": "010.0.0.5"}],
    ),
    "allocation_pools": (
        [{"start": "10.0.0.2", "end": "10.0.0.9"}], [{"start": "10.0.0.2"}], [{"start": "10.0.0.2", "end": "nope"}],
        [{"start": "10.0.0.2", "end": "10.0.0.9", "x": 1}], {"start": "10.0.0.2", "end": "10.0.0.9"},
        [{"start": "2001:DB8::2", "end": "2001:db8::9"}], [{"start": "010.0.0.2", "end": "10.0.0.9"}],
        [{"start": "10.0.0.9", "end": "10.0.0.2"}], [{"start": "10.0.0.2", "end": None}],
    ),
    "host_routes": (
        [{"destination": "10.1.0.0/16", "nexthop": "10.0.0.9"}], [{"destination": "10.1.0.0/16"}],
        [{"destination": "10.1.0.1/16", "nexthop": "10.0.0.9"}], [{"destination": "10.1.0.0/16", "nexthop": "nope"}],
        [{"destination": "nope", "nexthop": "10.0.0.9"}], {"destination": "10.1.0.0/16", "nexthop": "10.0.0.9"},
        [{"destination": "10.1.0.0/16", "nexthop": "10.0.0.9"}, {"destination": "10.1.0.0/16", "nexthop": "10.0.0.9"}],
        [{"destination": "10.1.0.0/16", "nexthop": "10.0.0.9", "x": 1}],
        [{"destination": "2001:db8::/64", "nexthop": "fe80::1"}],
        [{"destination": "10.1.0.0", "nexthop": "10.0.0.9"}], [{"destination": "0.0.0.0/0", "nexthop": "10.0.0.9"}],
    ),
    "allowed_address_pairs": (
        [{"ip_address": "10.0.0.9"}], [{"ip_address": "10.0.0.0/24"}], [{"mac_address": "fa:16:3e:00:00:01"}],
        [{"ip_address": "10.0.0.9", "mac_address": "fa:16:3e:00:00:01"}], [{"ip_address": "nope"}], [{}],
        [{"ip_address": "10.0.0.9", "mac_address": "nope"}], [{"ip_address": "10.0.0.9", "x": 1}],
        [{"ip_address": "10.0.0.9"}, {"ip_address": "10.0.0.9"}], {"ip_address": "10.0.0.9"},
        [{"ip_address": "224.0.0.5"}], [{"ip_address": "10.0.0.9", "mac_address": "01:00:5e:00:00:01"}],
        [{"ip_address": "2001:DB8::5"}], [{"ip_address": "10.0.0.9", "mac_address": None}], [{"ip_address": None}],
        [{"ip_address": "10.0.0.9"}, {"ip_address": "10.0.0.10"}], [{"ip_address": "10.0.0.9/24"}],
        [{"ip_address": "10.0.0.9", "mac_address": "FA-16-3E-00-00-01"}], [{"ip_address": "2001:db8::/64"}],
    ),
    "extra_dhcp_opts": (
        [{"opt_name": "mtu", "opt_value": "1400"}], [{"opt_name": "mtu", "opt_value": None}], [{"opt_name": "mtu"}],
        [{"opt_value": "1400"}], [{"opt_name": "", "opt_value": "1"}], [{"opt_name": "mtu", "opt_value": ""}],
        [{"opt_name": "mtu", "opt_value": "1", "ip_version": 4}],
        [{"opt_name": "mtu", "opt_value": "1", "ip_version": "6"}],
        [{"opt_name": "mtu", "opt_value": "1", "ip_version": 5}], [{"opt_name": "mtu", "opt_value": "1", "x": 1}],
        [{"opt_name": "router", "opt_value": ""}], [{"opt_name": "x" * 65, "opt_value": "1"}],
        [{"opt_name": "mtu", "opt_value": "1"}, {"opt_name": "mtu", "opt_value": "2"}],
        {"opt_name": "mtu", "opt_value": "1"},
        [{"opt_name": "mtu", "opt_value": 1400}], [{"opt_name": 26, "opt_value": "1"}],
        [{"opt_name": "mtu", "opt_value": "1"}, {"opt_name": "mtu", "opt_value": "2", "ip_version": 6}],
    ),
    "sub_ports": (
        [{"port_id": UUID, "segmentation_type": "vlan", "segmentation_id": 5}], [{"port_id": UUID}], [{}],
        [{"port_id": "nope", "segmentation_type": "vlan", "segmentation_id": 5}], {"port_id": UUID},
        [{"port_id": UUID, "segmentation_type": "inherit"}], [{"port_id": UUID, "segmentation_type": "vlan"}],
        [{"port_id": UUID, "segmentation_id": 5}], [{"port_id": UUID, "segmentation_type": "x", "segmentation_id": 5}],
        [{"port_id": UUID, "segmentation_type": "vlan", "segmentation_id": 4095}],
        [{"port_id": UUID, "segmentation_type": "vlan", "segmentation_id": "7"}],
        [{"port_id": UUID, "segmentation_type": "vlan", "segmentation_id": 0}],
        [{"port_id": UUID, "segmentation_type": "vlan", "segmentation_id": 5}] * 2,
        [{"port_id": UUID, "segmentation_type": "vlan", "segmentation_id": 5, "x": 1}],
        [{"port_id": UUID, "segmentation_type": "vlan", "segmentation_id": 5},
         {"port_id": OTHER_UUID, "segmentation_type": "vlan", "segmentation_id": 5}],
    ),
    "segments": (
        [{"provider:network_type": "vlan"}], [{"provider:network_type": "vlan", "provider:segmentation_id": 5}],
        [{"provider:segmentation_id": 5}], [{}], [{"x": 1}], {"provider:network_type": "vlan"},
        [{"provider:network_type": "vlan", "provider:segmentation_id": "5", "provider:physical_network": "p"}],
        [{"provider:network_type": "vlan", "provider:segmentation_id": "x"}],
    ),
}  # fmt: skip
"""Tried on the attributes of the name."""


def corpus(name: str, spec: Mapping[str, Any]) -> list[Any]:
    """Return the values to try on the attribute, each once."""
    found: list[Any] = []
    for value in (*PLAIN, *LISTS.get(name, ()), *_of_rules(spec.get("validate") or {})):
        if not any(type(each) is type(value) and each == value for each in found):
            found.append(value)
    return found


def _of_rules(rules: Mapping[str, Any]) -> Iterator[Any]:
    for rule, parameters in rules.items():
        if "values" in rule and isinstance(parameters, list):
            yield from _of_choices(parameters)
        elif "range" in rule and isinstance(parameters, list):
            yield from _around(parameters)
        elif isinstance(parameters, int) and not isinstance(parameters, bool):
            yield from ("x" * parameters, "x" * (parameters + 1), ["x" * parameters], ["x" * (parameters + 1)])
        elif "dict" in rule and isinstance(parameters, dict):
            yield from _of_keys(parameters)


def _of_choices(choices: list[Any]) -> Iterator[Any]:
    for choice in choices:
        yield choice
        yield str(choice)
        yield str(choice).upper()
        yield f"{choice}x"
        yield [choice]


def _around(bounds: list[Any]) -> Iterator[Any]:
    for bound in bounds:
        if isinstance(bound, int):
            yield from (bound - 1, bound, bound + 1, str(bound), str(bound + 1), str(bound - 1))


def _of_keys(keys: Mapping[str, Any]) -> Iterator[Any]:
    """Yield objects with one key of each value, and with all."""
    samples: tuple[Any, ...] = (None, True, 1, "", "a", UUID, "10.0.0.1", "10.0.0.0/24", [], {}, "ingress")
    for key in keys:
        yield from ({key: sample} for sample in samples)
    for sample in samples:
        yield dict.fromkeys(keys, sample)
    yield {**dict.fromkeys(keys, "a"), "one-too-many": 1}
