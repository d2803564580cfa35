"""DHCP options of single ports, as for booting over the network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen
from zope.interface import implementer

from quantumd.api.aspects import IAspect, KeptInRow, View
from quantumd.api.attributes import Attribute
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.extra_dhcp_options.values import OPTIONS, Option
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction

ALIAS = "extra_dhcp_opt"
NAME = "extra_dhcp_opts"
_ATTRIBUTE = Attribute(NAME, *OPTIONS, in_post=True, in_put=True, default=None, is_sort_key=False, extension=ALIAS)


@implementer(IAspect)
@frozen
class ExtraOptions(KeptInRow):
    """``extra_dhcp_opts``: an update changes the options that it names and leaves the others."""

    attributes: tuple[Attribute, ...] = (_ATTRIBUTE,)

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect."""
        if before is None:
            return {NAME: merged((), named.get(NAME) or ())}
        if not named.get(NAME):
            return {}
        options = merged(before[NAME], named[NAME])
        return {NAME: options} if options != before[NAME] else {}


def merged(had: Iterable[Option], given: Iterable[Option]) -> list[Option]:
    """Return the options that a port has after a request names some; one without a value goes."""
    by_name = {(each["opt_name"], each["ip_version"]): each for each in (*had, *given)}
    return [each for each in by_name.values() if each["opt_value"] is not None]


def feature(parts: Parts) -> Feature:
    """Return what options of ports add to the API."""
    extension = Extension(
        ALIAS,
        "Neutron Extra DHCP options",
        "Extra options configuration for DHCP. For example PXE boot options to DHCP clients can be specified (e.g. "
        "tftp-server, server-ip-address, bootfile-name)",
        "2013-03-17T12:00:00-00:00",
        ALIAS,
    )
    return Feature(extensions=(extension,), port_aspects=(ExtraOptions(),))
