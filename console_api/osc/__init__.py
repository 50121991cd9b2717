# SPDX-License-Identifier: Apache-2.0
"""Commands of the ``openstack`` client, and the SDK resources they use.

This package runs on the machines of users: it imports no other package of
console_api, and no other package imports the client.  python-openstackclient
finds the commands by their entry points in ``openstack.compute.v2``, its
group for the compute API, so that they use the endpoint, microversion and
global options of the compute API.
"""
