"""Puts the API's parts together, for the composition root."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from quantumd.api.app import Api, make_app
from quantumd.api.channel import ApiSite
from quantumd.api.identity import identify, refuse_open_door
from quantumd.api.site import ApiService, endpoint_for, passed_descriptor
from quantumd.config import ApiSettings


def new_request_id() -> str:
    """Return an id for a request: ``req-`` and a random UUID."""
    return f"req-{uuid4()}"


def make_api_service(settings: ApiSettings, api: Api) -> ApiService:
    """Return the service that serves ``api`` as the settings say, on a passed socket if there is one.

    :raises SettingsError: without authentication the API would be open to other machines.
    """
    reactor: Any = api.reactor
    descriptor = passed_descriptor(reactor)
    if descriptor is None:
        refuse_open_door(settings.auth, settings.listen)
    site = ApiSite(
        make_app(api),
        reactor=reactor,
        identify=identify,
        new_request_id=new_request_id,
        metrics=api.metrics,
        body_limit_bytes=settings.request_body_limit_bytes,
    )
    endpoint = endpoint_for(reactor, settings.listen, descriptor, settings.auth)
    return ApiService(reactor, endpoint, site, settings.drain_seconds)
