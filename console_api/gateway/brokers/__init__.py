# SPDX-License-Identifier: Apache-2.0
"""Where the gateway opens and reports sessions."""
