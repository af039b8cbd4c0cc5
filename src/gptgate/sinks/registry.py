"""Kinds of sinks → what makes one of a configured sink and its secret."""

from collections.abc import Callable

from gptgate.core.beside import SinkKind, SinkSpec
from gptgate.core.sinks import Sink
from gptgate.sinks.file import FileSink
from gptgate.sinks.otlp import OtlpSink
from gptgate.sinks.syslog import SyslogSink
from gptgate.sinks.webhook import WebhookSink

SINKS: dict[SinkKind, Callable[[SinkSpec, str], Sink]] = {
    SinkKind.FILE: FileSink,
    SinkKind.WEBHOOK: WebhookSink,
    SinkKind.SYSLOG: SyslogSink,
    SinkKind.OTLP: OtlpSink,
}
