"""Log lines: one line an event, and nothing a caller sends can break that."""

from __future__ import annotations

import os

from twisted.application.service import Application
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import ILogObserver, LogLevel
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from quantumd.logs import VALUE_LIMIT, LineObserver, LoggedService, format_line, make_observer


def event(template: str, **fields: object) -> dict[str, object]:
    """Return an event as twisted.logger makes it."""
    about = {"log_format": template, "log_level": LogLevel.info, "log_namespace": "quantumd.x", "log_time": 1.25}
    return {**about, **fields}


class LineTests(SynchronousTestCase):
    """The text of an event."""

    def test_time_level_namespace_sentence_and_fields(self) -> None:
        """Fields that the sentence shows are not repeated."""
        line = format_line(event("answered {kind}", kind="discover", port="0c1f", ms=0.4))
        self.assertEqual(line, "1970-01-01T00:00:01.250Z info  quantumd.x  answered discover port=0c1f ms=0.4\n")

    def test_a_field_without_a_value_is_left_out(self) -> None:
        """Most requests have no project, and saying so each time helps nobody."""
        self.assertTrue(format_line(event("x", project=None, a=1)).endswith("x a=1\n"))

    def test_a_value_with_spaces_is_quoted(self) -> None:
        """So that fields can be told apart by a program."""
        self.assertTrue(format_line(event("x", name='a "b" \\ c')).endswith('x name="a \\"b\\" \\\\ c"\n'))

    def test_a_value_cannot_begin_a_line(self) -> None:
        """A port named with a newline must not forge an event."""
        line = format_line(event("named {name}", name="a\n1970 critical", other="b\r\nc\x1b[31m"))
        self.assertEqual(line.count("\n"), 1)
        self.assertNotIn("\x1b", line)

    def test_a_long_value_is_cut(self) -> None:
        """A megabyte in a field is not a log line."""
        self.assertLess(len(format_line(event("x", body="y" * 1_000_000))), VALUE_LIMIT + 200)

    def test_a_template_that_does_not_fit_its_fields_still_makes_a_line(self) -> None:
        """The mistake is shown, not raised."""
        self.assertIn("Unable to format event", format_line(event("{a.b} {", a=1)))

    def test_a_value_that_cannot_be_shown_still_makes_a_line(self) -> None:
        """Logging never breaks what it tells of."""
        self.assertIn("unprintable Broken", format_line(event("x", value=Broken())))

    def test_a_failure_brings_its_traceback_in_the_same_event(self) -> None:
        """Indented, so that lines of events can be told from it."""
        try:
            raise ValueError("wrong")
        except ValueError:
            text = format_line(event("broke", log_failure=Failure()))
        head, *rest = text.splitlines()
        self.assertTrue(head.endswith("broke"))
        self.assertTrue(all(line.startswith("    ") for line in rest))
        self.assertIn("ValueError: wrong", rest[-1])


class Broken:
    """Its repr raises."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


class ObserverTests(SynchronousTestCase):
    """Writing lines."""

    def setUp(self) -> None:
        """A pipe."""
        self.reader, self.writer = os.pipe()
        self.addCleanup(os.close, self.reader)
        self.addCleanup(os.close, self.writer)

    def read(self) -> str:
        return os.read(self.reader, 1_000_000).decode()

    def test_events_below_the_level_are_left_out(self) -> None:
        """log.level."""
        observer = make_observer(self.writer, "warn")
        observer(event("quiet"))
        observer(event("loud", log_level=LogLevel.warn))
        self.assertEqual(self.read().count("\n"), 1)

    def test_a_reader_that_is_stuck_does_not_stop_us(self) -> None:
        """Events are lost, and their number is said when it goes on."""
        observer = make_observer(self.writer, "info")
        for _ in range(2000):
            observer(event("x" * 200))
        self.read()
        observer(event("back"))
        self.assertRegex(self.read(), r"\d+ events were lost here\n.*back\n$")

    def test_a_root_service_becomes_the_log_of_its_application(self) -> None:
        """twistd asks the application for its observer."""
        application = Application("quantumd")
        LoggedService("info", None).setServiceParent(application)
        self.assertIsNotNone(ILogObserver(application))

    def test_a_descriptor_that_is_closed_loses_the_event(self) -> None:
        """And raises nothing."""
        LineObserver(-1)(event("x"))


class TurnTests(SynchronousTestCase):
    """Lines of one turn of the reactor are written together."""

    def setUp(self) -> None:
        """A pipe, and a reactor that runs."""
        self.reader, self.writer = os.pipe()
        self.addCleanup(os.close, self.reader)
        self.addCleanup(os.close, self.writer)
        os.set_blocking(self.reader, False)
        self.reactor = MemoryReactorClock()
        self.reactor.running = True
        self.is_reactor_thread = True
        self.observer = LineObserver(self.writer, self.reactor, lambda: self.is_reactor_thread)

    def read(self) -> str:
        try:
            return os.read(self.reader, 1_000_000).decode()
        except BlockingIOError:
            return ""

    def test_lines_are_written_when_the_turn_ends(self) -> None:
        """In order, and not before."""
        self.observer(event("one"))
        self.observer(event("two"))
        self.assertEqual(self.read(), "")
        self.reactor.advance(0)
        self.assertRegex(self.read(), r"one\n.*two\n$")

    def test_an_error_is_written_at_once(self) -> None:
        """With what came before it: the process may not live to the end of the turn."""
        self.observer(event("one"))
        self.observer(event("broke", log_level=LogLevel.critical))
        self.assertRegex(self.read(), r"one\n.*broke\n$")

    def test_other_threads_write_at_once(self) -> None:
        """They cannot ask the reactor."""
        self.is_reactor_thread = False
        self.observer(event("one"))
        self.assertRegex(self.read(), r"one\n$")

    def test_nothing_is_held_when_the_reactor_does_not_run(self) -> None:
        """Before its start and after its end."""
        self.reactor.running = False
        self.observer(event("one"))
        self.assertRegex(self.read(), r"one\n$")

    def test_no_line_is_cut_when_the_reader_is_stuck(self) -> None:
        """What a pipe does not take whole is lost whole."""
        os.set_blocking(self.writer, False)
        for _ in range(2000):
            self.observer(event("x" * 200))
        self.reactor.advance(0)
        self.assertTrue(self.read().endswith("x\n"))
        self.observer(event("back"))
        self.reactor.advance(0)
        self.assertRegex(self.read(), r"^\S+ warn  quantumd.logs  \d+ events were lost here\n.*back\n$")

    def test_what_is_held_is_written_when_the_reactor_ends(self) -> None:
        """make_observer asks for it."""
        observer = make_observer(self.writer, "info", self.reactor)
        self.assertIn("after", self.reactor.triggers)
        observer(event("one"))
        for function, arguments, keywords in self.reactor.triggers["after"]["shutdown"]:
            function(*arguments, **keywords)
        self.assertRegex(self.read(), r"one\n$")
