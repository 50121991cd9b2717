# SPDX-License-Identifier: Apache-2.0
"""Paste factories: how the API is put together from ``api-paste.ini``.

Paste hands every factory the text values of the file; the objects that they
share (configuration, database, rules) are made once for each configuration
folder, whose name is the value ``config_dir`` of them all.
"""

import configparser
import functools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from oslo_config import cfg
from oslo_middleware import cors, healthcheck, http_proxy_to_wsgi, sizelimit
from oslo_middleware import opts as middleware_opts
from oslo_utils import strutils
from paste import deploy

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

if TYPE_CHECKING:
    from wsgiref.types import (
        StartResponse,
        WSGIApplication,
        WSGIEnvironment,
    )

    Middleware = Callable[[WSGIApplication], WSGIApplication]


# What Paste and the libraries raise for a file or an option that is wrong.
_UNUSABLE = (
    AttributeError,
    ImportError,
    LookupError,
    TypeError,
    ValueError,
    cfg.Error,
    configparser.Error,
)


def load_application(config_dir: Path) -> "WSGIApplication":
    """Put the API together as the paste file of a configuration says.

    :raises ConfigurationError: something has to be changed first
    """
    conf = load_conf(str(config_dir))
    name = conf.api.paste_config
    path = configuration.find_file(conf, name)
    if path is None:
        raise errors.ConfigurationError(
            f"[api] paste_config: {name} is not there. Copy it from "
            "etc/console_api of the distribution to "
            f"{config_dir.absolute()}."
        )
    try:
        application: WSGIApplication = deploy.loadapp(
            f"config:{quote(str(path.absolute()))}",
            name="console_api",
            global_conf={"config_dir": str(config_dir)},
        )
    except _UNUSABLE as error:
        raise errors.ConfigurationError(
            f"The API cannot be put together from {path}: {error}"
        ) from error
    return application


@functools.cache
def load_conf(config_dir: str) -> cfg.ConfigOpts:
    """Read a configuration, once, with the options of the filters."""
    conf = configuration.load(Path(config_dir))
    for group, options in middleware_opts.list_opts():
        conf.register_opts(options, group=group)
    for group, defaults in middleware.DEFAULTS.items():
        for name, value in defaults.items():
            conf.set_default(name, value, group=group)
    return conf


@functools.cache
def _service(config_dir: str) -> Service:
    return Service.from_conf(load_conf(config_dir))


def _folder(global_conf: Mapping[str, str], local: Mapping[str, str]) -> str:
    chosen = local.get("config_dir") or global_conf.get("config_dir")
    return str(configuration.config_dir(chosen))


def api_factory(
    global_conf: Mapping[str, str], **local: str
) -> "WSGIApplication":
    """Make the application with all operations.

    ``microversions = false`` makes the one for /v2.
    """
    return Application(
        _service(_folder(global_conf, local)),
        microversions=_microversions(local),
    )


def filter_factory(
    global_conf: Mapping[str, str], **local: str
) -> "Middleware":
    """Make the filter for another API's pipeline, after authentication.

    It answers the operations of ``[filter] resources`` and hands on the
    rest.  ``config_dir`` names our configuration, ``microversions = false``
    is for pipelines of /v2.
    """
    folder = _folder(global_conf, local)
    application = Application(
        _service(folder),
        microversions=_microversions(local),
        resources=load_conf(folder).filter.resources,
    )
    return lambda app: Filter(application, app)


def _microversions(local: Mapping[str, str]) -> bool:
    return bool(
        strutils.bool_from_string(
            local.get("microversions", "true"), strict=True
        )
    )


def versions_factory(
    global_conf: Mapping[str, str], **local: str
) -> "WSGIApplication":
    """Make the list of versions, or the document of one (``version``)."""
    name = local.get("version")
    return versions.Version(name) if name else versions.VersionList()


def healthcheck_factory(
    global_conf: Mapping[str, str], **local: str
) -> "WSGIApplication":
    """Make oslo.middleware's health check, with our check of the database."""
    conf = load_conf(_folder(global_conf, local))
    application: WSGIApplication = healthcheck.Healthcheck(None, conf)
    return application


def request_log_factory(
    global_conf: Mapping[str, str], **local: str
) -> "Middleware":
    """Make the filter that gives requests their ids and logs them."""
    return RequestLogFilter


def faults_factory(
    global_conf: Mapping[str, str], **local: str
) -> "Middleware":
    """Make the filter that gives all errors one form."""
    return FaultsFilter


def context_factory(
    global_conf: Mapping[str, str], **local: str
) -> "Middleware":
    """Make the filter that tells who is asking."""
    return ContextFilter


def noauth2_factory(
    global_conf: Mapping[str, str], **local: str
) -> "Middleware":
    """Make the filter that believes what callers say of themselves."""
    conf = load_conf(_folder(global_conf, local))
    return lambda app: NoAuth2Filter(
        app, allow_remote=conf.noauth2.allow_remote
    )


def authtoken_factory(
    global_conf: Mapping[str, str], **local: str
) -> "Middleware":
    """Make keystonemiddleware's filter, on our own configuration."""
    # Imported where it is needed: it is large, and noauth2 goes without.
    from console_api.api.middleware import authtoken  # noqa: PLC0415

    conf = load_conf(_folder(global_conf, local))
    return lambda app: authtoken.make(app, conf)


def cors_factory(global_conf: Mapping[str, str], **local: str) -> "Middleware":
    """Make oslo.middleware's CORS filter; nothing if no origin is allowed."""
    conf = load_conf(_folder(global_conf, local))
    if not conf.cors.allowed_origin:
        return lambda app: app
    return lambda app: cors.CORS(app, conf)


def http_proxy_factory(
    global_conf: Mapping[str, str], **local: str
) -> "Middleware":
    """Make oslo.middleware's filter for proxy headers, if it is switched on.

    ``[oslo_middleware] enable_proxy_headers_parsing`` does that.
    """
    conf = load_conf(_folder(global_conf, local))
    if not conf.oslo_middleware.enable_proxy_headers_parsing:
        return lambda app: app
    return lambda app: http_proxy_to_wsgi.HTTPProxyToWSGI(app, conf)


def sizelimit_factory(
    global_conf: Mapping[str, str], **local: str
) -> "Middleware":
    """Make oslo.middleware's limit of body sizes, for requests with one."""
    conf = load_conf(_folder(global_conf, local))
    # Read now, so that a value that is no number stops the start.
    conf.oslo_middleware.max_request_body_size  # noqa: B018

    def make(app: "WSGIApplication") -> "WSGIApplication":
        limited: WSGIApplication = sizelimit.RequestBodySizeLimiter(app, conf)

        def choose(
            environ: "WSGIEnvironment", start_response: "StartResponse"
        ) -> Iterable[bytes]:
            has_body = (
                environ.get("CONTENT_LENGTH")
                or "HTTP_TRANSFER_ENCODING" in environ
            )
            return (limited if has_body else app)(environ, start_response)

        return choose

    return make


def auth_strategy_factory(
    loader: Any, global_conf: Mapping[str, str], **local: str
) -> "WSGIApplication":
    """Make the pipeline that ``[api] auth_strategy`` chooses.

    Each strategy's value is a pipeline: filters, then an application.
    """
    strategy = load_conf(_folder(global_conf, local)).api.auth_strategy
    try:
        *filters, last = local[strategy].split()
    except (KeyError, ValueError) as error:
        raise errors.ConfigurationError(
            f"The paste file has no pipeline for [api] auth_strategy = "
            f"{strategy}. Add one, or take the file of the distribution."
        ) from error
    application = loader.get_app(last, global_conf=global_conf)
    for name in reversed(filters):
        wrap = loader.get_filter(name, global_conf=global_conf)
        application = wrap(application)
    made: WSGIApplication = application
    return made


def root_factory(
    loader: Any, global_conf: Mapping[str, str], **local: str
) -> "WSGIApplication":
    """Make the application that chooses another by the path's beginning.

    Keys are `/` (that path alone), `/NAME` (that path with or without a
    slash after it) and `/NAME/*` (everything below).
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
            return faults.from_status(404).send(environ, start_response)
        if name:
            environ["SCRIPT_NAME"] += f"/{name}"
            environ["PATH_INFO"] = rest.removeprefix(name)
        return application(environ, start_response)

    return choose
