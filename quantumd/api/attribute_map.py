"""An attribute map made ready for requests: what a body must say, and what its values become."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from quantumd.api.attributes import REQUIRED, UNSET, Attribute
from quantumd.api.errors import HTTPBadRequest, InvalidValue, PolicyNotAuthorized
from quantumd.api.policy import ANY, RULES, allows, expression
from quantumd.api.resource import Resource
from quantumd.api.values import shown
from quantumd.errors import SettingsError
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
        :raises PolicyNotAuthorized: the caller may not set one of the attributes, or not for this project.
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
        self._enforce("create", context, self._set_on_create(body, converted))
        return converted

    def for_update(self, context: Context, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the changes, converted. Errors as of ``for_create``."""
        body = self._with_project(given)
        self._refuse_unknown(body)
        for name in body:
            if not self.by_name[name].in_put:
                raise HTTPBadRequest(f"Cannot update read-only attribute {name}")
        converted = self._converted(body)
        ruled = (name for name in body if self.by_name[name].update_rule != ANY)
        self._enforce("update", context, ruled)
        return converted

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
        elif converted[PROJECT] != own and not context.is_admin:
            raise PolicyNotAuthorized(expression(f"create_{self.member}", ()))

    def _set_on_create(self, body: Mapping[str, Any], converted: Mapping[str, Any]) -> Iterable[str]:
        # Naming an attribute's default is not setting it: clients send defaults that they are not allowed to change.
        for name in body:
            attribute = self.by_name[name]
            if attribute.create_rule != ANY and (name not in self.defaults or converted[name] != self.defaults[name]):
                yield name

    def _enforce(self, verb: str, context: Context, names: Iterable[str]) -> None:
        touched = tuple(names)
        if not touched:
            return
        rules = (getattr(self.by_name[name], f"{verb}_rule") for name in touched)
        if not all(allows(rule, context) for rule in rules):
            raise PolicyNotAuthorized(expression(f"{verb}_{self.member}", touched))


def attribute_map_of(resource: Resource) -> AttributeMap:
    """Make the resource's attributes ready; SettingsError when an attribute names a rule that does not exist."""
    for attribute in resource.attributes:
        rules = {attribute.read_rule, attribute.create_rule, attribute.update_rule}
        if rules - RULES:
            raise SettingsError(f"{resource.member}:{attribute.name} names unknown rules {sorted(rules - RULES)}")
    creatable = [attribute for attribute in resource.attributes if attribute.in_post]
    return AttributeMap(
        member=resource.member,
        by_name={attribute.name: attribute for attribute in resource.attributes},
        defaults={each.name: each.default for each in resource.attributes if each.default not in (REQUIRED, UNSET)},
        required=tuple(each.name for each in creatable if each.default is REQUIRED),
        has_project=any(attribute.name == PROJECT for attribute in resource.attributes),
    )
