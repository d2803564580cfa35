"""Puts the API's parts together, for the composition root."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from twisted.application.service import IService

from quantumd.api.app import Api, make_app
from quantumd.api.channel import ApiSite, Identify
from quantumd.api.cors import cors_of
from quantumd.api.identity import identify, refuse_open_door, refuse_open_preview
from quantumd.api.keystone.service import make_keystone_service
from quantumd.api.site import ApiService, endpoint_for, passed_descriptor
from quantumd.config import ApiSettings, KeystoneSettings
from quantumd.ordered import OrderedServices


def new_request_id() -> str:
    """Return an id for a request: ``req-`` and a random UUID."""
    return f"req-{uuid4()}"


def make_api_service(
    settings: ApiSettings,
    api: Api,
    keystone: KeystoneSettings = KeystoneSettings(),  # noqa: B008 - frozen
) -> IService:
    """Return the service that serves ``api`` as the settings say, on a passed socket if there is one.

    :raises SettingsError: without authentication the API would be open to other machines, or the settings of Keystone
        make no sense.
    """
    reactor: Any = api.reactor
    if settings.auth == "none":
        return _listening(settings, api, identify)
    asking = make_keystone_service(keystone, reactor)
    services = OrderedServices()
    asking.setServiceParent(services)
    _listening(settings, api, asking.identity.identify).setServiceParent(services)
    return services


def _listening(settings: ApiSettings, api: Api, identify: Identify) -> ApiService:
    reactor: Any = api.reactor
    descriptor = passed_descriptor(reactor)
    if descriptor is None:
        refuse_open_door(settings.auth, settings.listen)
        refuse_open_preview(settings.preview, settings.listen)
    site = ApiSite(
        make_app(api),
        reactor=reactor,
        identify=identify,
        new_request_id=new_request_id,
        metrics=api.metrics,
        body_limit_bytes=settings.request_body_limit_bytes,
        cors=cors_of(settings.cors_allowed_origins, settings.cors_max_age_seconds),
    )
    endpoint = endpoint_for(reactor, settings.listen, descriptor, settings.auth, settings.preview)
    return ApiService(reactor, endpoint, site, settings.drain_seconds, api.events.stop)
