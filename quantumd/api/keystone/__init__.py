"""Callers that Keystone knows: tokens are validated there (Identity API v3) and remembered for a while."""
