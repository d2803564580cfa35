"""Tells Nova what happens to the ports of its servers (os-server-external-events), from the journal."""

from typing import Final

CURSOR: Final = "nova"
"""The name of this consumer's cursor in the journal."""
