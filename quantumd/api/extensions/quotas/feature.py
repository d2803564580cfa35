"""Quotas: how much of everything a project may have.

The family is made after all others, because it bounds what they serve.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature
from quantumd.api.extensions.quotas.admission import admission_of, limits_by_name
from quantumd.api.extensions.quotas.counts import countables
from quantumd.api.extensions.quotas.requests import Quotas
from quantumd.api.resource import Action
from quantumd.config import QuotaSettings

QUOTA_EXTENSIONS: tuple[Extension, ...] = (
    Extension(
        "quotas",
        "Quota management support",
        "Expose functions for quotas management per project",
        "2012-07-29T10:00:00-00:00",
    ),
    Extension(
        "quota_details",
        "Quota details management support",
        "Expose functions for quotas usage statistics per project",
        "2017-02-10T10:00:00-00:00",
    ),
    Extension(
        "quota-check-limit",
        "Quota engine limit check",
        "Support for checking the resource usage before applying a new quota limit",
        "2021-09-08T16:00:00-00:00",
    ),
    Extension(
        "quota-check-limit-default",
        "Quota engine limit check by default",
        "By default, the Neutron quota engine checks the resource usage before applying a new quota limit",
        "2024-08-21T16:00:00-00:00",
    ),
)


def quotas_feature(settings: QuotaSettings, names: Iterable[str], of_families: Mapping[str, int]) -> Feature:
    """Return the family that bounds these quotas.

    :param names: the quotas of everything that is served.
    :param of_families: the default limits that the families name.
    """
    defaults = limits_by_name(settings, names, of_families)
    quotas = Quotas(defaults, countables(defaults))
    return Feature(
        extensions=QUOTA_EXTENSIONS,
        actions=(
            Action("GET", "quotas", quotas.listed, writes=False, rule="get_quota", asks_itself=True),
            Action("GET", "quotas/tenant", quotas.own_tenant, writes=False),
            Action("GET", "quotas/project", quotas.own_project, writes=False),
            Action("GET", "quotas/<project_id>", quotas.shown, writes=False, rule="get_quota", asks_itself=True),
            Action("PUT", "quotas/<project_id>", quotas.update, rule="update_quota", asks_itself=True),
            Action("DELETE", "quotas/<project_id>", quotas.delete, rule="delete_quota", asks_itself=True),
            Action(
                "GET", "quotas/<project_id>/default", quotas.default, writes=False, rule="get_quota", asks_itself=True
            ),
            Action(
                "GET", "quotas/<project_id>/details", quotas.details, writes=False, rule="get_quota", asks_itself=True
            ),
            Action(
                "GET",
                "quotas/<project_id>/details.json",
                quotas.details,
                writes=False,
                rule="get_quota",
                asks_itself=True,
            ),
        ),
        admit=admission_of(settings, defaults),
    )
