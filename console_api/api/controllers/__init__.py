# SPDX-License-Identifier: Apache-2.0
"""Controllers, one module per resource: call the domain, render."""
