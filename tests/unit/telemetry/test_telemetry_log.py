"""Operational messages are JSON lines."""

import io
import json
import threading

from gptgate.telemetry.log import LineWriter, UnauthenticatedLine, get_logger, instant


def test_a_message_is_one_json_line_with_time_and_level() -> None:
    out = io.StringIO()
    logger = get_logger(out)
    logger.info("listening", address="127.0.0.1:8080")
    logger.debug("not shown")
    try:
        raise ValueError("broken\nline")
    except ValueError:
        logger.exception("failed")
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["event"], first["level"], first["address"]) == ("listening", "info", "127.0.0.1:8080")
    assert first["at"].endswith("Z")
    assert "ValueError: broken" in second["exception"]


def test_lines_added_while_another_thread_flushes_are_all_written_once() -> None:
    out = io.BytesIO()
    writer = LineWriter(out)
    done = threading.Event()

    def flush() -> None:
        while not done.is_set():
            writer.flush()

    threads = [threading.Thread(target=flush) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(20_000):
        writer.add(UnauthenticatedLine(at=instant(number), code="c", client="", suppressed=number))
    done.set()
    for thread in threads:
        thread.join()
    writer.flush()
    assert [json.loads(line)["suppressed"] for line in out.getvalue().splitlines()] == list(range(20_000))
    assert len(writer) == 0


def test_a_message_that_nobody_can_read_any_more_harms_nobody() -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

        def flush(self) -> None:
            raise BrokenPipeError(32, "Broken pipe")

    get_logger(Gone()).error("nobody hears this")
