"""A provider that is openly not a model: the OpenAI and the Anthropic wire, deterministic, with faults to order.

What it answers follows from the last user text by the rules of `gptgate.simulator.rules`; what goes wrong on the wire
follows from `fault:` lines, see `gptgate.simulator.faults`. The same request always gets the same bytes.
"""
