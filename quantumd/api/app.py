"""The application: which path is answered by what, and how errors become answers."""

from __future__ import annotations

from typing import Any

import orjson
from attrs import Factory, field, frozen
from klein import Klein
from twisted.web.resource import IResource

from quantumd.api import documents
from quantumd.api.actions import requested
from quantumd.api.collection import Collection, collection_of
from quantumd.api.dispatch import Dispatch
from quantumd.api.errors import HTTPNotFound
from quantumd.api.events.answering import Events
from quantumd.api.extensions.events.feature import EXTENSION as EVENTS
from quantumd.api.extensions.features import Served
from quantumd.api.health import Health, Readiness, document
from quantumd.api.openapi import openapi_document
from quantumd.api.policy.rules import Policy, default_policy
from quantumd.api.request import ApiRequest
from quantumd.api.resource import Resource
from quantumd.api.routes import make_klein, route
from quantumd.config import ApiSettings
from quantumd.metrics import Metrics


@frozen
class Api:
    """Everything that the application serves."""

    served: Served
    store: Any
    readiness: Readiness
    metrics: Metrics
    reactor: Any
    bulk_limit: int
    version: str
    settings: ApiSettings = field(factory=ApiSettings)
    policy: Policy = field(factory=default_policy)
    events: Events = field(default=Factory(lambda self: _events(self), takes_self=True))


def _events(api: Api) -> Events:
    return Events(api.reactor, api.store, api.served.resources, api.settings, api.metrics.api, api.policy)


def make_app(api: Api) -> IResource:
    """Return the application as the resource that ApiSite serves."""
    klein = make_klein()
    _route_documents(klein, api)
    for resource in api.served.resources:
        _route_collection(klein, _collection(api, resource))
    for action in api.served.actions:
        route(
            klein,
            f"/v2.0/{action.path}",
            action.method,
            requested(action, api.served.resources, api.policy, api.store).answer,
        )
    if EVENTS in api.served.extensions:
        route(klein, "/v2.0/events", "GET", api.events.answer)
    return Dispatch(klein)


def _collection(api: Api, resource: Resource) -> Collection:
    settings = api.settings
    largest_page = max(settings.pagination_max_limit, 0)
    return collection_of(
        resource, api.policy, api.store, api.bulk_limit, api.served.admit, largest_page, settings.link_prefix
    )


def _route_collection(klein: Klein, collection: Collection) -> None:
    many = f"/v2.0/{collection.resource.path}"
    one = f"{many}/<resource_id>"
    answers = (
        ("list", many, "GET", collection.list),
        ("create", many, "POST", collection.create),
        ("update", many, "PUT", collection.refuse_without_id),
        ("delete", many, "DELETE", collection.refuse_without_id),
        ("show", one, "GET", collection.show),
        ("update", one, "PUT", collection.update),
        ("delete", one, "DELETE", collection.delete),
    )
    for verb, path, method, answer in answers:
        if verb in collection.resource.verbs:
            route(klein, path, method, answer)


def _route_documents(klein: Klein, api: Api) -> None:
    described = orjson.dumps(openapi_document(api.served.resources, api.served.actions, api.version, api.policy))
    by_alias = {each.alias: documents.extension(each) for each in api.served.extensions}

    def one_extension(request: ApiRequest, alias: str) -> bytes:
        if alias not in by_alias:
            raise HTTPNotFound(f"Extension with alias {alias[:100]} does not exist")
        return document(request, "extensions", {"extension": by_alias[alias]})

    def all_extensions(request: ApiRequest) -> bytes:
        return document(request, "extensions", {"extensions": list(by_alias.values())})

    def versions(request: ApiRequest) -> bytes:
        return document(request, "versions", documents.versions(request.base_url(api.settings.link_prefix)))

    def resources(request: ApiRequest) -> bytes:
        base = request.base_url(api.settings.link_prefix)
        return document(request, "versions", documents.resources(base, api.served.resources))

    def openapi(request: ApiRequest) -> bytes:
        request.resource_label = "openapi"
        return request.show(200, described)

    route(klein, "/", "GET", versions)
    route(klein, "/v2.0", "GET", resources)
    route(klein, "/v2.0/extensions", "GET", all_extensions)
    route(klein, "/v2.0/extensions/<alias>", "GET", one_extension)
    route(klein, "/v2.0/openapi", "GET", openapi)
    for path, answer in Health(api.readiness, api.metrics, api.reactor).answers:
        route(klein, path, "GET", answer)
