# SPDX-License-Identifier: Apache-2.0
"""Paste factories: the parts of ``api-paste.ini``.

Paste Deploy passes each factory the values of its section as strings.  What
the factories share (configuration, database, policy) is created once per
configuration folder, which the value ``config_dir`` names.
"""

import functools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from oslo_config import cfg
from oslo_middleware import cors, healthcheck, http_proxy_to_wsgi, sizelimit
from oslo_middleware import opts as middleware_opts
from oslo_utils import strutils

from console_api import conf as configuration
from console_api import errors
from console_api.api import faults
from console_api.api.application import Application
from console_api.api.controllers import versions
from console_api.api.filter import Filter
from console_api.api.middleware.context import ContextFilter
from console_api.api.middleware.faults import FaultsFilter
from console_api.api.middleware.noauth2 import NoAuth2Filter
from console_api.api.middleware.request_log import RequestLogFilter
from console_api.api.service import Service
from console_api.conf import middleware
from console_api.db.engine import Database
from console_api.policy.enforcer import Enforcer

if TYPE_CHECKING:
    from wsgiref.types import (
        StartResponse,
        WSGIApplication,
        WSGIEnvironment,
    )

    Middleware = Callable[[WSGIApplication], WSGIApplication]

    class Loader(Protocol):
        """What Paste Deploy passes to composite factories."""

        def get_app(
            self, name: str, global_conf: Mapping[str, str]
        ) -> WSGIApplication:
            """Return an application of the paste file."""

        def get_filter(
            self, name: str, global_conf: Mapping[str, str]
        ) -> Middleware:
            """Return a filter of the paste file."""


_NO_VERSION = faults.from_error(
    faults.Fault(
        404,
        "The resource could not be found. This is the API for consoles: its "
        "operations are below /v2.1, and its versions are listed at /.",
    )
)


@functools.cache
def load_conf(config_dir: str) -> cfg.ConfigOpts:
    """Return a configuration with the options of the filters, loaded once.

    :raises ConfigurationError: see ``conf.load``; or an option of a filter
        has an invalid value
    """
    conf = configuration.load(Path(config_dir))
    for group, options in middleware_opts.list_opts():
        conf.register_opts(options, group=group)
    for group, defaults in middleware.DEFAULTS.items():
        for name, value in defaults.items():
            conf.set_default(name, value, group=group)
    try:
        for group, options in middleware_opts.list_opts():
            for option in options:
                conf[group][option.dest]
    except (cfg.Error, ValueError) as error:
        raise errors.ConfigurationError(
            f"The configuration in {config_dir} is invalid: {error}"
        ) from error
    return conf


@functools.cache
def load_enforcer(config_dir: str) -> Enforcer:
    """Return the enforcer of a configuration, loaded once.

    :raises ConfigurationError: see ``Enforcer``
    """
    return Enforcer(load_conf(config_dir))


@functools.cache
def load_database(config_dir: str) -> Database:
    """Return the database of a configuration, created once."""
    return Database(load_conf(config_dir))


@functools.cache
def _service(config_dir: str) -> Service:
    return Service.from_conf(
        load_conf(config_dir),
        load_enforcer(config_dir),
        load_database(config_dir),
    )


def _folder(global_conf: Mapping[str, str], local: Mapping[str, str]) -> str:
    chosen = local.get("config_dir") or global_conf.get("config_dir")
    return str(configuration.config_dir(chosen))


def api_factory(
    global_conf: Mapping[str, str], **local: str
) -> "WSGIApplication":
    """Create the application with all operations.

    ``microversions = false`` is for /v2.
    """
    return Application(
        _service(_folder(global_conf, local)),
        microversions=_microversions(local),
    )


def filter_factory(
    global_conf: Mapping[str, str], **local: str
) -> "Middleware":
    """Create the filter for another API's pipeline, after authentication.

    It serves the operations of ``[filter] resources`` and passes on all other
    requests.  ``config_dir`` names the configuration folder of console_api,
    ``microversions = false`` is for pipelines of /v2.
    """
    folder = _folder(global_conf, local)
    application = Application(
        _service(folder),
        microversions=_microversions(local),
        resources=load_conf(folder).filter.resources,
    )
    return lambda app: Filter(application, app)


def _microversions(local: Mapping[str, str]) -> bool:
    value = local.get("microversions", "true")
    try:
        return bool(strutils.bool_from_string(value, strict=True))
    except ValueError as error:
        raise errors.ConfigurationError(
            f"microversions = {value} in the paste file is neither true nor "
            "false."
        ) from error


def versions_factory(
    global_conf: Mapping[str, str], **local: str
) -> "WSGIApplication":
    """Create the list of versions, or the document of one (``version``)."""
    name = local.get("version")
    if name is None:
        return versions.VersionList()
    try:
        return versions.Version(name)
    except LookupError as error:
        raise errors.ConfigurationError(
            f"version = {name} in the paste file is not a version of the API."
        ) from error


def healthcheck_factory(
    global_conf: Mapping[str, str], **local: str
) -> "WSGIApplication":
    """Create oslo.middleware's health check, with our checks."""
    conf = load_conf(_folder(global_conf, local))
    application: WSGIApplication = healthcheck.Healthcheck(None, conf)
    return application


def metrics_factory(
    global_conf: Mapping[str, str], **local: str
) -> "WSGIApplication":
    """Create the metrics for Prometheus, which need no database."""
    enforcer = load_enforcer(_folder(global_conf, local))

    @functools.cache
    def load() -> "WSGIApplication":
        # Imported by the first request because it is large, with TLS and a
        # server of its own, and not every service is monitored this way.
        from console_api.api import metrics  # noqa: PLC0415

        return metrics.make_application(enforcer)

    def respond(
        environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        return load()(environ, start_response)

    return respond


def request_log_factory(
    global_conf: Mapping[str, str], **local: str
) -> "Middleware":
    """Create the filter that assigns request IDs and logs requests."""
    return RequestLogFilter


def faults_factory(
    global_conf: Mapping[str, str], **local: str
) -> "Middleware":
    """Create the filter that turns error responses of others into faults."""
    return FaultsFilter


def context_factory(
    global_conf: Mapping[str, str], **local: str
) -> "Middleware":
    """Create the filter that puts the caller into the request context."""
    return ContextFilter


def noauth2_factory(
    global_conf: Mapping[str, str], **local: str
) -> "Middleware":
    """Create the filter that trusts callers instead of authenticating them."""
    conf = load_conf(_folder(global_conf, local))
    return lambda app: NoAuth2Filter(
        app, allow_remote=conf.noauth2.allow_remote
    )


def authtoken_factory(
    global_conf: Mapping[str, str], **local: str
) -> "Middleware":
    """Create keystonemiddleware's filter with our configuration.

    :raises ConfigurationError: see ``authtoken.make``
    """
    # Imported here because it is large, and noauth2 does not need it.
    from console_api.api.middleware import authtoken  # noqa: PLC0415

    conf = load_conf(_folder(global_conf, local))
    return lambda app: authtoken.make(app, conf)


def cors_factory(global_conf: Mapping[str, str], **local: str) -> "Middleware":
    """Create oslo.middleware's CORS filter if any origin is allowed."""
    conf = load_conf(_folder(global_conf, local))
    if not conf.cors.allowed_origin:
        return lambda app: app
    return lambda app: cors.CORS(app, conf)


def http_proxy_factory(
    global_conf: Mapping[str, str], **local: str
) -> "Middleware":
    """Create oslo.middleware's filter for proxy headers, if it is enabled.

    The option is ``[oslo_middleware] enable_proxy_headers_parsing``.
    """
    conf = load_conf(_folder(global_conf, local))
    if not conf.oslo_middleware.enable_proxy_headers_parsing:
        return lambda app: app
    return lambda app: http_proxy_to_wsgi.HTTPProxyToWSGI(app, conf)


def sizelimit_factory(
    global_conf: Mapping[str, str], **local: str
) -> "Middleware":
    """Create oslo.middleware's limit of body sizes.

    A request that declares a short body bypasses it: it takes as long as the
    rest of a request.
    """
    conf = load_conf(_folder(global_conf, local))
    limit = conf.oslo_middleware.max_request_body_size

    def make(app: "WSGIApplication") -> "WSGIApplication":
        limited: WSGIApplication = sizelimit.RequestBodySizeLimiter(app, conf)

        def choose(
            environ: "WSGIEnvironment", start_response: "StartResponse"
        ) -> Iterable[bytes]:
            # WSGI servers do not pass on more than this length.
            length = environ.get("CONTENT_LENGTH") or "0"
            is_short = (
                length.isdecimal()
                and len(length) <= len(str(limit))
                and int(length) <= limit
            )
            if is_short and "HTTP_TRANSFER_ENCODING" not in environ:
                return app(environ, start_response)
            return limited(environ, start_response)

        return choose

    return make


def auth_strategy_factory(
    loader: "Loader", global_conf: Mapping[str, str], **local: str
) -> "WSGIApplication":
    """Create the pipeline that ``[api] auth_strategy`` selects.

    The value of each strategy is a pipeline: filters, then an application.

    :raises ConfigurationError: the paste file has none for the strategy
    """
    strategy = load_conf(_folder(global_conf, local)).api.auth_strategy
    try:
        *filters, last = local[strategy].split()
    except (KeyError, ValueError) as error:
        raise errors.ConfigurationError(
            f"The paste file has no pipeline for [api] auth_strategy = "
            f"{strategy}. Add one, or use the paste file of the distribution."
        ) from error
    application = loader.get_app(last, global_conf=global_conf)
    for name in reversed(filters):
        wrap = loader.get_filter(name, global_conf=global_conf)
        application = wrap(application)
    return application


def root_factory(
    loader: "Loader", global_conf: Mapping[str, str], **local: str
) -> "WSGIApplication":
    """Create the application that selects another by the first path segment.

    Keys are ``/`` (that path alone), ``/NAME`` (that path with or without a
    trailing slash) and ``/NAME/*`` (everything below).
    """
    applications: dict[str, WSGIApplication] = {
        prefix: loader.get_app(name, global_conf=global_conf)
        for prefix, name in local.items()
        if prefix.startswith("/")
    }

    def choose(
        environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        _, _, rest = environ["PATH_INFO"].partition("/")
        name, _, below = rest.partition("/")
        application = applications.get(f"/{name}/*" if below else f"/{name}")
        if application is None:
            return _NO_VERSION.send(environ, start_response)
        if name:
            environ["SCRIPT_NAME"] += f"/{name}"
            environ["PATH_INFO"] = rest.removeprefix(name)
        return application(environ, start_response)

    return choose
