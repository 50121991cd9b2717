# SPDX-License-Identifier: Apache-2.0
"""How a request travels: pipeline, route table, controller."""
