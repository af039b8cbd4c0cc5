"""Every string of a JSON value as a segment: values, keys that are not the dialect's own, very long numbers, and long
ones that have such a key; and every part that is not text."""

from typing import Any

from gptgate.core.document import MAX_PLAIN_NUMBER
from gptgate.core.finding import Origin, Path, Segment

DIALECT_KEYS = frozenset(
    """
    model messages role content type text stream stream_options include_usage tools tool_choice function name
    description parameters properties required arguments tool_calls tool_call_id id index temperature top_p n stop
    max_tokens max_completion_tokens user metadata system input output user_id source media_type data url image_url
    detail cache_control ttl tool_use_id is_error input_schema thinking budget_tokens signature stop_sequences top_k
    response_format json_schema schema strict enum items additionalProperties seed logprobs top_logprobs logit_bias
    presence_penalty frequency_penalty parallel_tool_calls service_tier store reasoning_effort modalities audio
    prediction encoding_format dimensions object created choices delta message finish_reason refusal usage
    system_fingerprint prompt_tokens completion_tokens total_tokens prompt_tokens_details completion_tokens_details
    cached_tokens audio_tokens reasoning_tokens accepted_prediction_tokens rejected_prediction_tokens input_tokens
    output_tokens cache_creation_input_tokens cache_read_input_tokens cache_creation stop_reason stop_sequence
    content_block partial_json annotations embedding format default title minimum maximum reasoning_content reasoning
    token logprob bytes
    """.split()
)
"""Keys that the dialects themselves define: constants, so nothing can hide in them."""

INERT = frozenset(
    """
    user assistant system developer tool function text string object array number integer boolean null auto none
    any required image image_url input_text input_image input_audio file document tool_use tool_result thinking
    redacted_thinking ephemeral base64 url low high medium json_object json_schema stop length tool_calls
    content_filter end_turn max_tokens stop_sequence message list embedding chat.completion chat.completion.chunk
    message_start message_delta message_stop content_block_start content_block_delta content_block_stop ping
    text_delta input_json_delta thinking_delta signature_delta default standard float enabled disabled
    """.split()
)
"""Values that are words of the dialects, compared whole."""


_NUMBERS = frozenset({int, float})
_SHORT = 10**6
"""A whole number from here on may be one that its name says is personal, such as a telephone's."""


def collect(value: Any, path: Path, origin: Origin, out: list[Segment]) -> None:
    """Append the segments of `value`, which stands at `path`, to `out`."""
    kind = type(value)
    if kind is dict:
        part = value.get("type")
        if type(part) is str and part in MEDIA:
            if MEDIA[part] == "file" and origin is Origin.USER:
                origin = Origin.OTHER  # a document that somebody hands on is not what they say
            if not _media(value, path, origin, MEDIA[part], out):
                out.append(Segment(path, origin, "", media=MEDIA[part]))
            return
        for key, child in value.items():
            member(key, child, path, origin, out)
    elif kind is list:
        for index, child in enumerate(value):
            if type(child) is not float or not -MAX_PLAIN_NUMBER < child < MAX_PLAIN_NUMBER:
                collect(child, (*path, index), origin, out)
    elif kind is str:
        if value and value not in INERT:
            out.append(Segment(path, origin, value, media=_declared(value) if value[:5] == "data:" else ""))
    elif kind in _NUMBERS and not -MAX_PLAIN_NUMBER < value < MAX_PLAIN_NUMBER:
        # A card number is the same number as 4.1e15; only whole ones can be.
        out.append(Segment(path, origin, str(int(value))))


def member(key: str, value: Any, path: Path, origin: Origin, out: list[Segment]) -> None:
    """The segments of one member of the object at `path`: its key, when it is not the dialect's own, and its value."""
    kind = type(value)
    if key not in DIALECT_KEYS:
        out.append(Segment((*path, key), origin, key, True))
        if kind is int and _SHORT <= value < MAX_PLAIN_NUMBER:
            out.append(Segment((*path, key), origin, str(value)))
            return
    if kind is str:
        if value and value not in INERT:
            out.append(Segment((*path, key), origin, value, media=_declared(value) if value[:5] == "data:" else ""))
    elif key == "audio" and kind is dict and "data" in value:
        # What a model said aloud has no type of its own.
        _media(value, (*path, key), origin, "audio", out)
    elif kind is dict or kind is list or (kind in _NUMBERS and not -MAX_PLAIN_NUMBER < value < MAX_PLAIN_NUMBER):
        collect(value, (*path, key), origin, out)


def count_media(value: Any) -> int:
    """How many parts of a message list are not text: images, audio, files, documents. What a part holds is its own."""
    found = 0
    stack = [value]
    while stack:
        item = stack.pop()
        kind = type(item)
        if kind is dict:
            part = item.get("type")
            if type(part) is str and part in MEDIA:
                found += 1
                continue
            stack.extend(child for child in item.values() if type(child) in (dict, list))
        elif kind is list:
            stack.extend(child for child in item if type(child) in (dict, list))
    return found


def _media(value: dict[str, Any], path: Path, origin: Origin, media: str, out: list[Segment]) -> bool:
    """The segments of a part that is not text, or of an object in it; whether its content is among them, to be read or
    to be reported. Content that is only referred to, by an address or an id, is not."""
    if value.get("type") in READABLE_SOURCES:
        for key, child in value.items():
            member(key, child, path, origin, out)
        return True
    found = False
    for key, child in value.items():
        kind = type(child)
        if kind is str and key in PAYLOADS and child and child[:5] != "data:":
            out.append(Segment((*path, key), origin, child, media=media))
            found = True
        elif kind is dict:
            if key not in DIALECT_KEYS:
                out.append(Segment((*path, key), origin, key, True))
            found |= _media(child, (*path, key), origin, media, out)
        else:
            member(key, child, path, origin, out)
            found |= kind is str and child[:5] == "data:"
    return found


def _declared(url: str) -> str:
    """What a ``data:`` URL says that it holds; an empty text for what is no such URL."""
    head, comma, _ = url[5:_MAX_HEAD].partition(",")
    if not comma:
        return ""
    family = head.partition("/")[0].lower()
    return family if family in ("image", "audio", "video") else "file"


MEDIA = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "input_audio": "audio",
    "audio": "audio",
    "audio_url": "audio",
    "video_url": "video",
    "file": "file",
    "input_file": "file",
    "document": "file",
    "container_upload": "file",
}
"""Types of parts that are not text → what they hold."""

PAYLOADS = frozenset({"data", "file_data"})
"""Keys under which such a part holds its content in base64."""

READABLE_SOURCES = frozenset({"text", "content"})
"""Types of a document's source that is text or parts of its own."""

_MAX_HEAD = 256
