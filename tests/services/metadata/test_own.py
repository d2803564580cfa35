"""What a host answers by itself."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.interfaces import Asker
from quantumd.services.metadata.own import Files, document_at, hostname_of, public_keys_of, user_data_of
from tests.services.metadata.askers import ASKER, tagged

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIblue blue"
OTHER = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ red"
FILES = Files(b"#cloud-config\n", f"# all\n{KEY}\nnonsense\n")


def read(path: str, asker: Asker = ASKER, files: Files = FILES) -> str | None:
    """Return what is found at a path."""
    found = document_at(path, asker, files)
    return found.body.decode() if found is not None else None


def read_json(path: str, asker: Asker = ASKER) -> Any:
    """Return what is found at a path."""
    return json.loads(read(path, asker) or "null")


class AmazonTests(SynchronousTestCase):
    """As Amazon EC2 has it."""

    def test_lists(self) -> None:
        """Lead to all there is."""
        self.assertIn("latest", (read("/") or "").replace("/", "").split("\n"))
        self.assertEqual(read("/latest"), "meta-data/\nuser-data")
        names = (read("/2009-04-04/meta-data/") or "").split("\n")
        self.assertEqual(
            names, ["hostname", "instance-id", "ipv6", "local-hostname", "local-ipv4", "mac", "public-keys/"]
        )
        self.assertEqual(read("/latest/meta-data/public-keys/"), "0=key-0")
        self.assertEqual(read("/latest/meta-data/public-keys/0"), "openssh-key")
        self.assertEqual(read("/latest/meta-data/public-keys/0/openssh-key"), KEY)

    def test_values(self) -> None:
        """Are those of the port."""
        for name, value in (
            ("instance-id", "i1"), ("hostname", "web"), ("local-ipv4", "10.0.0.5"), ("mac", "fa:16:3e:00:00:05"),
        ):  # fmt: skip
            self.assertEqual(read(f"/latest/meta-data/{name}"), value)
        self.assertEqual(read("/latest/meta-data/instance-id", evolve(ASKER, device_id="")), ASKER.port_id)

    def test_what_is_not_there(self) -> None:
        """Neither by its name nor in the list."""
        for path in ("/2030-01-01/meta-data", "/latest/meta-data/x", "/latest/meta-data/mac/x", "/../etc/passwd"):
            self.assertIsNone(read(path))
        self.assertIsNone(read("/latest/user-data", files=Files()))
        self.assertEqual(read("/latest", files=Files()), "meta-data/")
        self.assertIsNone(read("/latest/meta-data/public-keys/", files=Files()))


class OpenstackTests(SynchronousTestCase):
    """As OpenStack has it."""

    def test_documents(self) -> None:
        """All of them, under each version."""
        self.assertIn("2018-08-27", (read("/openstack") or "").split("\n"))
        said = read_json("/openstack/latest/meta_data.json")
        self.assertEqual((said["uuid"], said["hostname"], said["project_id"]), ("i1", "web", "blue"))
        self.assertEqual(said["public_keys"], {"key-0": KEY})
        self.assertEqual(read("/openstack/2012-08-10/user_data"), "#cloud-config\n")
        self.assertEqual(read_json("/openstack/latest/vendor_data.json"), {})
        self.assertIsNone(read("/openstack/latest/password"))

    def test_the_network(self) -> None:
        """One device, which asks for its addresses."""
        said = read_json("/openstack/latest/network_data.json")
        (link,) = said["links"]
        self.assertEqual((link["ethernet_mac_address"], link["mtu"]), ("fa:16:3e:00:00:05", 1450))
        self.assertEqual([each["type"] for each in said["networks"]], ["ipv4_dhcp", "ipv6_slaac"])
        self.assertEqual({each["link"] for each in said["networks"]}, {link["id"]})


class SourcesTests(SynchronousTestCase):
    """Where names, keys and user data come from."""

    def test_names(self) -> None:
        """By a tag, the DNS name, the port's name if it may be one, and at last by an address."""
        self.assertEqual(hostname_of(tagged("metadata:hostname=db-1")), "db-1")
        self.assertEqual(hostname_of(evolve(ASKER, dns_name="by-dns")), "by-dns")
        self.assertEqual(hostname_of(evolve(ASKER, name="my port")), "host-10-0-0-5")
        self.assertEqual(hostname_of(tagged("metadata:hostname=a b")), "web")
        self.assertEqual(
            hostname_of(evolve(ASKER, name="", fixed_ips=("fd00::5",))), "host-fd00-0000-0000-0000-0000-0000-0000-0005"
        )
        self.assertEqual(hostname_of(evolve(ASKER, name="", fixed_ips=())), "host")

    def test_keys(self) -> None:
        """Of tags and files, each once; what is no key is left out."""
        asker = tagged(f"metadata:key={OTHER}", f"metadata:key={KEY}", "metadata:key=x", "key=y")
        self.assertEqual(public_keys_of(asker, FILES), (OTHER, KEY))

    def test_user_data(self) -> None:
        """Of tags, in pieces that are put together in the order of their numbers, before that of files."""
        text = b"#!/bin/sh\n" + b"echo hello\n" * 40
        coded = b64encode(text).decode()
        pieces = [coded[at : at + 200] for at in range(0, len(coded), 200)]
        tags = [f"metadata:user-data.{number}={piece}" for number, piece in enumerate(pieces, 9)]
        self.assertEqual(user_data_of(tagged(*reversed(tags)), FILES), text)
        self.assertEqual(user_data_of(tagged("metadata:user-data=aGk="), FILES), b"hi")
        self.assertEqual(user_data_of(tagged("metadata:user-data=%%"), FILES), b"")
        self.assertEqual(user_data_of(tagged("metadata:user-datax=aGk="), FILES), FILES.user_data)
