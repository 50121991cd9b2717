# SPDX-License-Identifier: Apache-2.0
"""Configuration of the guides (Sphinx)."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "ext"))

extensions = [
    "openstackdocstheme",
    "oslo_config.sphinxext",
    "oslo_policy.sphinxext",
    "policy_commands",
    "reno.sphinxext",
]

project = "console_api"
copyright = "console_api contributors"

# Keep the title above; by default the theme takes it from setup.cfg.
openstackdocs_auto_name = False
# The pages describe the checkout; only the release notes name versions.
openstackdocs_auto_version = False

pygments_style = "native"

html_theme = "openstackdocs"
html_theme_options = {
    "analytics_tracking_code": "",
    "display_badge": False,
}
html_show_sourcelink = False


class _WithoutGitCommit(logging.Filter):
    """Drops the theme's warning about an unknown git commit.

    git may be missing, or may not trust the checkout. These pages do not show
    the commit, and warnings are errors.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return "cannot get gitsha" not in record.getMessage()


logging.getLogger("sphinx.openstackdocstheme.ext").addFilter(
    _WithoutGitCommit()
)
