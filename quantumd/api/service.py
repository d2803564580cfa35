"""Puts the API's parts together, for the composition root."""

from __future__ import annotations

from typing import Any

from twisted.application.service import IService
from twisted.internet.ssl import CertificateOptions
from twisted.logger import Logger

from quantumd.api.app import Api, make_app
from quantumd.api.channel import ApiSite, Identify
from quantumd.api.cors import cors_of, origins_of
from quantumd.api.identity import is_on_this_machine, refuse_open_door, refuse_open_preview, unless_a_page
from quantumd.api.site import ApiService, endpoint_for, new_request_id, passed_descriptor
from quantumd.api.tls import TlsOptions, load_tls, tls_place
from quantumd.api.watched import FileWatch, in_reactor_thread_pool
from quantumd.config import ApiSettings, HttpBasicSettings, KeystoneSettings
from quantumd.ordered import OrderedServices

_log = Logger(namespace="quantumd.api.service")


def make_api_service(
    settings: ApiSettings,
    api: Api,
    keystone: KeystoneSettings = KeystoneSettings(),  # noqa: B008 - frozen
    http_basic: HttpBasicSettings = HttpBasicSettings(),  # noqa: B008 - frozen
) -> IService:
    """Return the service that serves ``api`` as the settings say, on a passed socket if there is one.

    :raises SettingsError: without authentication the API would be open to other machines, or the settings of Keystone,
        the file of users or the files of TLS cannot be used.
    """
    reactor: Any = api.reactor
    services = OrderedServices()
    identity: Identify = unless_a_page(origins_of(settings.cors_allowed_origins))
    # What is switched off is not loaded: it would make every start longer.
    if settings.auth == "keystone":
        from quantumd.api.keystone.service import make_keystone_service

        asking = make_keystone_service(keystone, reactor, api.metrics.keystone)
        asking.setServiceParent(services)
        identity = asking.identity.identify
    elif settings.auth == "http_basic":
        from quantumd.api.http_basic.service import make_http_basic_service

        verifying = make_http_basic_service(http_basic, reactor)
        verifying.setServiceParent(services)
        identity = verifying.identity.identify
    _listening(settings, api, identity, _tls(settings, reactor, services)).setServiceParent(services)
    return services


def _tls(settings: ApiSettings, reactor: Any, services: OrderedServices) -> TlsOptions | None:
    place = tls_place(settings.listen)
    if place is None:
        return None

    watch: FileWatch[CertificateOptions] = FileWatch(
        reactor,
        in_reactor_thread_pool(reactor),
        place.paths,
        lambda: load_tls(place),
        # The two need each other.
        lambda new: options.changed(new),
        lambda error: options.failed(error),
    )
    options = TlsOptions(watch.load_now())
    watch.setServiceParent(services)
    return options


def _listening(settings: ApiSettings, api: Api, identify: Identify, tls: TlsOptions | None) -> ApiService:
    reactor: Any = api.reactor
    descriptor = passed_descriptor(reactor)
    if descriptor is None:
        refuse_open_door(settings.auth, settings.listen, settings.none_is_admin_for_everybody)
        refuse_open_preview(settings.preview, settings.listen)
    _warn(settings, tls)
    site = ApiSite(
        make_app(api),
        reactor=reactor,
        identify=identify,
        new_request_id=new_request_id,
        metrics=api.metrics.api,
        body_limit_bytes=settings.request_body_limit_bytes,
        cors=cors_of(settings.cors_allowed_origins, settings.cors_max_age_seconds),
    )
    endpoint = endpoint_for(reactor, settings, descriptor, tls)
    return ApiService(reactor, endpoint, site, settings.drain_seconds, api.events.stop)


def _warn(settings: ApiSettings, tls: TlsOptions | None) -> None:
    if settings.auth == "none" and settings.none_is_admin_for_everybody:
        _log.warn("everybody who reaches the API is admin: api.none_is_admin_for_everybody")
    if settings.auth == "http_basic" and tls is None and not is_on_this_machine(settings.listen):
        _log.warn("passwords travel in the clear: api.listen is without TLS", listen=settings.listen)
