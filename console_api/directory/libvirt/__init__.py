# SPDX-License-Identifier: Apache-2.0
"""The directory ``libvirt``: queries libvirt on each compute host."""
