"""Several bindings of one port, so that guests can move while they run."""

from __future__ import annotations

from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.bindings.errors import PortBindingNotFound
from quantumd.api.extensions.bindings.operations import BindingsOfPorts
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.extensions.trunks import feature as trunks
from quantumd.api.extensions.trunks.aspect import TrunkDetails
from quantumd.api.extensions.trunks.sub_ports import SubPorts
from quantumd.api.resource import Action, Resource
from quantumd.api.resources.ownership import owner_in
from quantumd.api.resources.port_changes import PortChanger
from quantumd.api.values import OBJECT, filter_text, none_as, one_of, string
from quantumd.model.binding import NORMAL, VNIC_TYPES
from quantumd.store.tables import ports

ALIAS = "binding-extended"

ATTRIBUTES = (
    Attribute(
        "host",
        *string(255),
        in_post=True,
        in_put=True,
        default=REQUIRED,
        filter_convert=filter_text,
        is_sort_key=False,
    ),
    Attribute("vif_type", *string(64), filter_convert=filter_text, is_sort_key=False),
    Attribute("vif_details", *OBJECT),
    Attribute(
        "vnic_type",
        *one_of(*VNIC_TYPES),
        in_post=True,
        in_put=True,
        default=NORMAL,
        filter_convert=filter_text,
        is_sort_key=False,
    ),
    Attribute("profile", *none_as({}, OBJECT), in_post=True, in_put=True, default={}),
    Attribute("status", *string(16), filter_convert=filter_text, is_sort_key=False),
    Attribute("project_id", *string(255), in_post=True, is_visible=False),
)


def feature(parts: Parts) -> Feature:
    """Return what several bindings add to the API."""
    # What is inside a trunk moves with the port of the trunk.
    trunk = TrunkDetails(SubPorts(PortChanger(parts.settings, parts.chance, ())), parts.obeys(trunks.ALIAS))
    operations = BindingsOfPorts(PortChanger(parts.settings, parts.chance, (trunk,), parts.life))
    return Feature(
        extensions=(
            Extension(
                ALIAS,
                "Port Bindings Extended",
                "Expose port bindings of a virtual port to external application",
                "2017-07-17T10:00:00-00:00",
                capability="binding",
            ),
        ),
        resources=(
            Resource(
                "binding",
                "bindings",
                ATTRIBUTES,
                operations,
                PortBindingNotFound,
                path="ports/<parent_id>/bindings",
                ruled_as="port_binding",
                owner_above=owner_in(ports),
                extension=ALIAS,
            ),
        ),
        actions=(
            Action(
                "PUT", "ports/<port_id>/bindings/<host>/activate", operations.activate, rule="activate", extension=ALIAS
            ),
        ),
    )
