"""Walks through every command of the ``openstack`` client that has a resource here, a module for each family."""
