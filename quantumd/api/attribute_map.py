"""An attribute map made ready for requests: what a body must say, and what its values become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from quantumd.api.attributes import REQUIRED, UNSET, Attribute
from quantumd.api.errors import HTTPBadRequest, InvalidValue, PolicyNotAuthorized
from quantumd.api.policy.rules import expression, is_service
from quantumd.api.resource import Resource
from quantumd.api.values import shown
from quantumd.model.context import Context

PROJECT = "project_id"
TENANT = "tenant_id"
"""The old name of ``project_id``, taken and given beside it."""


@frozen
class AttributeMap:
    """A resource's attributes by what requests need of them; made once at start by ``attribute_map_of``."""

    member: str
    by_name: Mapping[str, Attribute]
    defaults: Mapping[str, Any]
    required: tuple[str, ...]
    has_project: bool

    def for_create(self, context: Context, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the rules work with: every value converted, defaults filled in, ``project_id`` present.

        :raises HTTPBadRequest, InvalidInput: the body is wrong.
        :raises PolicyNotAuthorized: the caller may make nothing for this project.
        """
        body = self._with_project(given)
        self._refuse_unknown(body)
        for name in body:
            if not self.by_name[name].in_post:
                raise HTTPBadRequest(f"Attribute '{name}' not allowed in POST")
        for name in self.required:
            if name not in body:
                raise HTTPBadRequest(f"Failed to parse request. Required attribute '{name}' not specified")
        converted = {**self.defaults, **self._converted(body)}
        if self.has_project:
            self._settle_project(context, converted, is_named=PROJECT in body)
        return converted

    def set_on_create(self, given: Mapping[str, Any], converted: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the attributes that a create request sets.

        Naming an attribute's default is not setting it: clients send defaults that they are not allowed to change.
        """
        return tuple(name for name in given if name in self.by_name and converted[name] != self.defaults.get(name))

    def for_update(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the changes, converted. Errors as of ``for_create``."""
        body = self._with_project(given)
        self._refuse_unknown(body)
        for name in body:
            if not self.by_name[name].in_put:
                raise HTTPBadRequest(f"Cannot update read-only attribute {name}")
        return self._converted(body)

    def _with_project(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        if TENANT not in given or not self.has_project:
            return given
        body = dict(given)
        tenant = body.pop(TENANT)
        if body.setdefault(PROJECT, tenant) != tenant:
            raise HTTPBadRequest("'project_id' and 'tenant_id' do not match")
        return body

    def _refuse_unknown(self, body: Mapping[str, Any]) -> None:
        unknown = [name for name in body if name not in self.by_name]
        if unknown:
            raise HTTPBadRequest(f"Unrecognized attribute(s) '{shown(', '.join(unknown))}'")

    def _converted(self, body: Mapping[str, Any]) -> dict[str, Any]:
        converted = {}
        for name, value in body.items():
            try:
                converted[name] = self.by_name[name].convert(value)
            except InvalidValue as refusal:
                raise refusal.of_attribute(name) from None
        return converted

    def _settle_project(self, context: Context, converted: dict[str, Any], is_named: bool) -> None:
        own = context.project_id or ""
        if not is_named or converted[PROJECT] is None:
            converted[PROJECT] = own
        elif converted[PROJECT] != own and not (context.is_admin or is_service(context)):
            raise PolicyNotAuthorized(expression(f"create_{self.member}"))


def attribute_map_of(resource: Resource) -> AttributeMap:
    """Make the resource's attributes ready."""
    creatable = [attribute for attribute in resource.attributes if attribute.in_post]
    return AttributeMap(
        member=resource.member,
        by_name={attribute.name: attribute for attribute in resource.attributes},
        defaults={each.name: each.default for each in resource.attributes if each.default not in (REQUIRED, UNSET)},
        required=tuple(each.name for each in creatable if each.default is REQUIRED),
        has_project=resource.has_project,
    )
