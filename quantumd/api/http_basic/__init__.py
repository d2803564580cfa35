"""Callers with a name and a password, from a file of users: for an appliance without Keystone."""
