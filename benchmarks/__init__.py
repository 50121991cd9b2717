# SPDX-License-Identifier: Apache-2.0
"""How fast console_api is, measured beside the alternatives."""
