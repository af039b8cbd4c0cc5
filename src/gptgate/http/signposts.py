"""What a caller is told whose path is none of ours: which one serves what they want, or that nothing does.

The usual reasons are a base URL with too much or too little at its end, and a client that asks for an API by default
which is not served. The path itself is not repeated: it may hold anything.
"""

from gptgate.core.wire import PATHS

_BASE_URL = (
    "Check the base URL: most clients of OpenAI's API want '/v1' at its end, most clients of Anthropic's API want it "
    "without."
)
_NOT_SERVED = {
    "responses": "The Responses API is not served. Let the client use chat completions, /v1/chat/completions: clients "
    "that ask for responses by default have a setting for it.",
    "chat": "Stored chat completions are not served; /v1/chat/completions takes POST.",
    "completions": "Completions without chat are not served. Use /v1/chat/completions.",
    "complete": "Completions without messages are not served. Use /v1/messages.",
    "batches": "Batches are not served. Send each request by itself.",
    "files": "Files are not served. Put their content into the request.",
    "uploads": "Files are not served. Put their content into the request.",
}
"""A step of a path → what is said when it is the first known one."""


def signpost(path: str) -> str:
    """The message for a path that is not served."""
    steps = [step for step in path.split("/") if step]
    squeezed = "/" + "/".join(steps)
    for served in sorted(PATHS, key=len, reverse=True):
        if squeezed.endswith(served.removeprefix("/v1")):
            return f"There is no such path; did you mean {served}? {_BASE_URL}"
    for step in steps:
        if step in _NOT_SERVED:
            return _NOT_SERVED[step]
    return "There is no such path. The gateway serves: " + ", ".join(PATHS) + "."
