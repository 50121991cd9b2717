# SPDX-License-Identifier: Apache-2.0
"""Commands of the ``openstack`` client.

python-openstackclient finds the plugin by its entry point in
``openstack.cli.extension``, and the commands in ``openstack.console.v2``.
"""
