"""What is asked and answered: fresh prompts, never the same twice, and prerendered answers on the OpenAI wire.

Everything follows from a seed, so two runs send the same bytes. Words only: no finding of any detector, so that no
request is refused or redacted and all of them take the same path.
"""

import json
import random
from dataclasses import dataclass
from enum import StrEnum

MODEL = "sim-gpt"
STREAM_WORDS = 100
STREAM_EVENTS = STREAM_WORDS + 2
"""The opening event, one for each word, and the closing one; ``[DONE]`` and the usage are not counted."""
INPUT_TOKENS = 70
PLAIN_TOKENS = 130
SHORT_WORDS = 5
VARIANTS = 256
DONE = b"data: [DONE]\n\n"


class Kind(StrEnum):
    """What is asked for."""

    PLAIN = "plain"
    STREAM = "stream"
    SHORT_STREAM = "short stream"


SHORT_MARK = b'"max_completion_tokens":%d,"stream":true' % SHORT_WORDS
_OPTIONS = {Kind.PLAIN: b"", Kind.STREAM: b',"stream":true', Kind.SHORT_STREAM: b"," + SHORT_MARK}

WORDS = """
a about above account across after again agree all almost also always among an and another answer any appear are area
as ask at away back balance be because before begin behind below between board both bring build but by call can carry
case cause change check choose city clear close cold come common company compare complete consider contain continue
copy cost could country course cover create cross current customer daily data day decide deep deliver describe design
detail develop differ direct do document door down draw drive each early east effect either employ end engine enough
enter equal even every exact example expect explain express face fact fall far fast few field figure fill final find
first fit follow for form forward found four free from front full general get give go good great ground group grow half
hand happen hard have head hear help here high hold home hour how however idea if important in include increase inside
interest into invoice is issue it item join keep kind know land large last late learn leave left less letter level light
like line list little live local long look low machine main make many market matter may mean measure meet member method
might mind month more most move much must name near need never new next night no north not note notice now number object
of off offer office often old on once one only open or order other our out over own page part pass past pattern people
per perhaps person place plan point possible present press problem produce project prove public purpose put question
quick quite rather reach read ready real reason record reduce region remain report rest result return review right river
road room rule run same say school second section see seem send sentence serve set several shape short should show side
simple since single size slow small so some soon sort sound south space special stand start state step still stop story
street strong study subject such sum summer supply support sure system table take team tell term test than that the
their them then there these they thing think this those though through time to today together too toward town travel
true turn two type under unit until up us use usual value very view visit voice wait walk want warm was watch water way
week well were west what when where which while who whole why wide will winter with within without wonder word work
world would write year yes yet you young your
""".split()

_FRAGMENTS = 512
_PICKS = _FRAGMENTS**3
_STRIDE = 0x2545F4D  # odd, so that every number below _PICKS comes once before one comes again
_HEAD = (
    b'{"model":"%s","messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"'
) % MODEL.encode()
_TAIL = b'"}],"temperature":0.2%s}'


def _sentence(source: random.Random, characters: int) -> str:
    words = [source.choice(WORDS).capitalize()]
    length = len(words[0])
    while length < characters:
        word = source.choice(WORDS)
        words.append(word)
        length += len(word) + 1
    return " ".join(words) + "."


class Prompts:
    """Request bodies of about 370 bytes. No two of one seed are the same, for the first 134 million."""

    def __init__(self, seed: int, kind: Kind) -> None:
        source = random.Random(seed)
        self._fragments = [_sentence(source, 76).encode() for _ in range(_FRAGMENTS)]
        self._tail = _TAIL % _OPTIONS[kind]
        self._number = source.randrange(_PICKS)

    def next(self) -> bytes:
        self._number = (self._number + _STRIDE) % _PICKS
        number, fragments = self._number, self._fragments
        return b"%s%s %s %s%s" % (
            _HEAD,
            fragments[number % _FRAGMENTS],
            fragments[number // _FRAGMENTS % _FRAGMENTS],
            fragments[number // _FRAGMENTS // _FRAGMENTS],
            self._tail,
        )


@dataclass(frozen=True, slots=True)
class Answers:
    """Prerendered answers of each kind, and all texts that they may add up to.

    A stream is its events. `usage_events` come before `DONE` for callers who ask for the usage.
    """

    plain: list[bytes]
    streams: dict[Kind, list[list[bytes]]]
    usage_events: dict[Kind, bytes]
    texts: dict[Kind, frozenset[str]]


def render_answers(seed: int = 11) -> Answers:
    """The same answers in every process."""
    source = random.Random(seed)
    texts = [" ".join(_sentence(source, 60) for _ in range(6)) for _ in range(VARIANTS)]
    spoken = [[source.choice(WORDS) for _ in range(STREAM_WORDS)] for _ in range(VARIANTS)]
    lengths = {Kind.STREAM: STREAM_WORDS, Kind.SHORT_STREAM: SHORT_WORDS}
    return Answers(
        plain=[_plain(number, text) for number, text in enumerate(texts)],
        streams={
            kind: [_events(number, words[:length]) for number, words in enumerate(spoken)]
            for kind, length in lengths.items()
        },
        usage_events={
            kind: b'data: {%s"choices":[],"usage":%s}\n\n' % (_chunk_head(0), _usage(length))
            for kind, length in lengths.items()
        },
        texts={
            Kind.PLAIN: frozenset(texts),
            **{kind: frozenset(" ".join(words[:length]) for words in spoken) for kind, length in lengths.items()},
        },
    )


def stream_text(body: bytes) -> str:
    """The text of a stream as a caller's client would put it together. Raises ValueError where it is cut."""
    events = [event for event in body.decode().split("\n\n") if event and not event.startswith(":")]
    if not events or events.pop() != "data: [DONE]":
        raise ValueError("the stream has no end")
    documents = [json.loads(event.removeprefix("data: ")) for event in events]
    return "".join(choice["delta"].get("content") or "" for one in documents for choice in one["choices"])


def plain_text(body: bytes) -> str:
    """The text of a whole answer."""
    text: str = json.loads(body)["choices"][0]["message"]["content"]
    return text


def _usage(output_tokens: int) -> bytes:
    return json.dumps(
        {
            "prompt_tokens": INPUT_TOKENS,
            "completion_tokens": output_tokens,
            "total_tokens": INPUT_TOKENS + output_tokens,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        },
        separators=(",", ":"),
    ).encode()


def _plain(number: int, text: str) -> bytes:
    return (
        b'{"id":"chatcmpl-%06d","object":"chat.completion","created":1700000000,"model":"%s","choices":[{"index":0,'
        b'"message":{"role":"assistant","content":%s,"refusal":null},"logprobs":null,"finish_reason":"stop"}],'
        b'"usage":%s,"service_tier":"default","system_fingerprint":"fp_bench"}'
    ) % (number, MODEL.encode(), json.dumps(text).encode(), _usage(PLAIN_TOKENS))


def _chunk_head(number: int) -> bytes:
    return (
        b'"id":"chatcmpl-%06d","object":"chat.completion.chunk","created":1700000000,"model":"%s",'
        b'"system_fingerprint":"fp_bench",'
    ) % (number, MODEL.encode())


def _events(number: int, words: list[str]) -> list[bytes]:
    head = b"data: {%s" % _chunk_head(number)
    choice = b'%s"choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}]}\n\n'
    events = [choice % (head, b'{"role":"assistant","content":"","refusal":null}', b"null")]
    for place, word in enumerate(words):
        delta = json.dumps({"content": f" {word}" if place else word}, separators=(",", ":")).encode()
        events.append(choice % (head, delta, b"null"))
    events.append(choice % (head, b"{}", b'"stop"'))
    return events
