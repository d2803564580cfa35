"""Prints the sample file: ``python -m quantumd.config > conf/quantumd.toml``."""

import sys

from quantumd.config.writing import sample

if __name__ == "__main__":
    sys.stdout.write(sample())
