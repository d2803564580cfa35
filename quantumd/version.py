"""The version of quantumd; setup.py reads it here."""

VERSION = "0.1.0"
