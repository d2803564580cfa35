"""Packages quantumd. Tool settings are in pyproject.toml; exact versions for installations are in constraints/."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

VERSION = re.search(r'VERSION = "(.+)"', Path(__file__).with_name("quantumd").joinpath("version.py").read_text())

setup(
    name="quantumd",
    version=VERSION[1] if VERSION else "",
    description="OpenStack Networking in one Twisted process",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    # twisted/plugins has no __init__.py on purpose: Twisted finds plug-ins of all distributions by its path.
    packages=[*find_packages(include=["quantumd", "quantumd.*"]), "twisted.plugins"],
    package_data={
        "twisted.plugins": ["quantumd_plugin.py"],
        "quantumd.store": ["migrations/*.py", "migrations/*.mako", "migrations/versions/*.py"],
    },
    entry_points={"console_scripts": ["quantumctl = quantumd.ctl.main:main"]},
    install_requires=[
        "alembic",
        "attrs",
        "bcrypt",
        "cryptography",
        "klein",
        "orjson",
        "PyYAML",
        "ovs",
        "prometheus_client",
        "sqlalchemy",
        "twisted[tls]",
        "txamqp==0.8.2",
        "zope.interface",
    ],
    extras_require={
        "mariadb": ["pymysql"],
        "postgresql": ["psycopg[binary]"],
        "test": ["hypothesis", "mypy", "mypy-zope", "pyroute2", "pytest", "ruff", "scapy"],
    },
    zip_safe=False,
)
