# SPDX-License-Identifier: Apache-2.0
"""Configuration of the API reference (Sphinx)."""

import logging

extensions = ["openstackdocstheme", "os_api_ref"]

project = "Console API Reference"
copyright = "console_api contributors"

# Keep the title above; by default the theme takes it from setup.cfg.
openstackdocs_auto_name = False
# The API has its own version numbers.
openstackdocs_auto_version = False

# The range of the microversion selector.
os_api_ref_min_microversion = "2.1"
os_api_ref_max_microversion = "2.104"

pygments_style = "native"

html_theme = "openstackdocs"
html_theme_options = {
    "analytics_tracking_code": "",
    "display_badge": False,
    "sidebar_mode": "toc",
}
html_show_sourcelink = False


class _WithoutGitHistory(logging.Filter):
    """Drops the theme's warning about the missing git commit.

    A source archive has no git history.  The pages do not show the commit,
    and warnings are errors.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return "cannot get gitsha" not in record.getMessage()


logging.getLogger("sphinx.openstackdocstheme.ext").addFilter(
    _WithoutGitHistory()
)
