# SPDX-License-Identifier: Apache-2.0
"""The directory ``libvirt``: asks libvirt on each compute host."""
