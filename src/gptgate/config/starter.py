"""The configuration that a new installation begins with: every line explained, ready to load."""

_HEAD = """\
# gptgate.yaml: what the gateway offers, to whom, and under which rules.
#
# Check it:  gptgate config check gptgate-data/gptgate.yaml
# Apply it:  gptgate config apply   (or send the process SIGHUP; a broken file changes nothing)
#
# Secrets never stand in this file. Write where they are found: env:NAME or file:/absolute/path.
version: 1

server:
  data: 127.0.0.1:8080      # applications talk to this address
  control: 127.0.0.1:8081   # health, metrics and administration; keep it private
  max_body_bytes: 10MiB
  drain: 20s                # how long a shutdown waits for requests in flight

providers:
  # Not a model: it answers by simple, documented rules, inside this process. Nothing leaves the machine.
  - name: simulator
    kind: simulator
"""

_OPENAI_PROVIDER = """\
  - name: openai
    kind: openai
    credential: env:OPENAI_API_KEY
"""

_ANTHROPIC_PROVIDER = """\
  - name: anthropic
    kind: anthropic
    credential: env:ANTHROPIC_API_KEY
"""

_LOCAL_PROVIDER = """\
  - name: local
    kind: openai_compatible   # Ollama, vLLM, llama.cpp, LM Studio and others
    base_url: {url}
"""

_SIM_MODELS = """\
models:
  # The simulator's models. Their prices are made up, so that budgets and usage reports have something to count.
  - name: sim-gpt             # POST /v1/chat/completions
    provider: simulator
    price: {input_per_million: "1.00", output_per_million: "4.00"}
  - name: sim-claude          # POST /v1/messages
    provider: simulator
    price: {input_per_million: "3.00", output_per_million: "15.00", cache_read_per_million: "0.30"}
  - name: sim-embed           # POST /v1/embeddings
    provider: simulator
    price: {input_per_million: "0.02", output_per_million: "0"}
"""

_OPENAI_MODELS = """\
  - {name: gpt-4o-mini, provider: openai, context_window: 128000}
  - {name: text-embedding-3-small, provider: openai, context_window: 8192}
"""

_ANTHROPIC_MODELS = """\
  - {name: claude-haiku-4-5, provider: anthropic, context_window: 200000}
  - {name: claude-sonnet-4-5, provider: anthropic, context_window: 200000}
"""

_LOCAL_MODELS = """\
  - {{name: {model}, provider: local, price: free}}
"""

_REST = """\

teams:
  - name: demo

apps:
  - name: demo
    team: demo
    # models: [sim-gpt]       # leave it out to allow every model
    limits: {requests_per_minute: 600, concurrency: 64}
    key_limits: {requests_per_minute: 300, concurrency: 32}
    budget: {monthly_usd: "5.00"}
    content: redacted         # what records keep of texts: none, redacted or full

policy:
  # Of all rules that fire, the strongest effect wins: deny, redact, flag, allow. These and more, kept up to date with
  # the program, are in the built-in pack: packs: [baseline]
  rules:
    # Instructions that try to take over the model, in words that others wrote (not the system prompt).
    - id: deny-attacks
      stage: request
      effect: deny
      findings: [attack.*]
      origins: [user, assistant, tool_definition, tool_call, tool_result, other]
      min_points: 60          # points of what was found: docs/reference/detectors.md says how many each has
      message: This request looks like an attempt to take over the model's instructions.

    # The same below that: it passes, and the record says so.
    - id: flag-attacks
      stage: request
      effect: flag
      findings: [attack.*]
      min_points: 50

    # What a provider has no need to see is cut out before the request is sent.
    - id: redact-personal-data
      stage: request
      effect: redact
      findings: [pii.payment_card, pii.email]
    - id: redact-secrets
      stage: request
      effect: redact
      findings: [secret.*]

    # What a model must not give out is cut out of its answer, in streams too.
    - id: redact-answers
      stage: response
      effect: redact
      findings: [secret.*, pii.payment_card]
"""

_EXAMPLE_URL = "http://127.0.0.1:11434"
_EXAMPLE_MODEL = "llama3.2"


def starter_yaml(*, openai: bool, anthropic: bool, local_url: str | None, local_model: str | None) -> str:
    """The text of a first `gptgate.yaml`.

    `openai` and `anthropic` say that the provider's key is in the environment; `local_url` and `local_model` name an
    OpenAI-compatible server and a model of it, both or neither. What is not there stands commented out. Raises
    ValueError when only one of the two is given.
    """
    if (local_url is None) != (local_model is None):
        raise ValueError("a local server needs both its URL and a model's name")
    local = local_url is not None
    url, model = _quoted(local_url or _EXAMPLE_URL), _quoted(local_model or _EXAMPLE_MODEL)
    return "".join(
        (
            _HEAD,
            _part(_OPENAI_PROVIDER, openai),
            _part(_ANTHROPIC_PROVIDER, anthropic),
            _part(_LOCAL_PROVIDER.format(url=url), local),
            "\n",
            _SIM_MODELS,
            "  # Prices of well-known models are built in.\n",
            _part(_OPENAI_MODELS, openai),
            _part(_ANTHROPIC_MODELS, anthropic),
            _part(_LOCAL_MODELS.format(model=model), local),
            _REST,
        )
    )


def _part(text: str, active: bool) -> str:
    if active:
        return text
    return "".join(f"  # {line[2:]}" for line in text.splitlines(keepends=True))


def _quoted(text: str) -> str:
    """A YAML double-quoted scalar, so that no value from outside can add a key of its own."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    if not escaped.isprintable():
        raise ValueError("a URL and a model's name are one line of printable characters")
    return f'"{escaped}"'
