# SPDX-License-Identifier: Apache-2.0
"""Load the API as ``api-paste.ini`` defines it."""

import configparser
import traceback
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from paste import deploy

from console_api import conf as configuration
from console_api import errors
from console_api.api.pipeline import load_conf

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

# Raised by Paste Deploy itself for a paste file that is unreadable, or that
# names an application, filter, module or argument that does not exist.
_PASTE_FILE_ERRORS = (
    AttributeError,
    ImportError,
    LookupError,
    OSError,
    TypeError,
    ValueError,
)

# Packages of the standard library that Paste Deploy uses for this.
_HELPERS = ("codecs", "configparser", "encodings", "importlib")


def load_application(config_dir: Path) -> "WSGIApplication":
    """Return the application that the paste file of a configuration defines.

    :raises ConfigurationError: an operator has to change something first
    :raises Exception: a factory raised it; that is a bug
    """
    conf = load_conf(str(config_dir))
    name = conf.api.paste_config
    path = configuration.find_file(conf, name)
    if path is None:
        raise errors.ConfigurationError(
            f"[api] paste_config: {name} does not exist. Copy it from "
            "etc/console_api of the distribution to "
            f"{config_dir.absolute()}."
        )
    try:
        application: WSGIApplication = deploy.loadapp(
            f"config:{quote(str(path.absolute()))}",
            name="console_api",
            global_conf={"config_dir": str(config_dir)},
        )
    except configparser.Error as error:
        raise _paste_file_error(path, error) from error
    except _PASTE_FILE_ERRORS as error:
        if not _is_raised_by_paste(error):
            raise
        raise _paste_file_error(path, error) from error
    return application


def _paste_file_error(
    path: Path, error: Exception
) -> errors.ConfigurationError:
    return errors.ConfigurationError(
        f"The API cannot be loaded from {path}: {error}"
    )


def _is_raised_by_paste(error: Exception) -> bool:
    """Return whether an error is Paste Deploy's, not that of a factory."""
    modules = [
        frame.f_globals.get("__name__", "")
        for frame, _line in traceback.walk_tb(error.__traceback__)
    ]
    while modules and modules[-1].partition(".")[0] in _HELPERS:
        modules.pop()
    return bool(modules) and modules[-1].startswith("paste.deploy")
