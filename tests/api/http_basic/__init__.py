"""Callers with name and password."""
