"""One RabbitMQ for all tests of a class."""

from __future__ import annotations

import unittest
from typing import ClassVar

from tests.bed.rabbitmq import RabbitmqServer, missing_rabbitmq


class WithRabbitmq:
    """``server`` runs while the tests of a class do. Goes before a test case of trial's in the list of bases."""

    skip: str | None = missing_rabbitmq()
    server: ClassVar[RabbitmqServer]

    @classmethod
    def setUpClass(cls) -> None:
        """Start it; what does not start is removed too."""
        if cls.skip:
            raise unittest.SkipTest(cls.skip)
        cls.server = RabbitmqServer()
        try:
            cls.server.start()
        except BaseException:
            cls.server.close()
            raise

    @classmethod
    def tearDownClass(cls) -> None:
        """Stop it."""
        cls.server.close()
