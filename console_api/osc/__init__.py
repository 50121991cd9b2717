# SPDX-License-Identifier: Apache-2.0
"""Commands of the ``openstack`` client, and the SDK resources under them.

A room of its own because it is the other end of the wire: it runs where
users are, imports nothing else of ours, and only it needs the client.
python-openstackclient finds the commands by the entry points in
``openstack.compute.v2``, its own group for the compute API, whose endpoint,
microversion and global options are those that we need.
"""
