"""The official SDKs, unmodified but for base URL and key: one call each, end to end."""

from pathlib import Path

import openai

from harness import running_gateway


async def test_openai_chat(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        client = openai.AsyncOpenAI(base_url=gateway.base_url + "/v1", api_key=gateway.key)
        answer = await client.chat.completions.create(
            model="sim-gpt", messages=[{"role": "user", "content": "echo: hello"}]
        )
        await client.close()
        await gateway.settled()
        assert answer.choices[0].message.content == "hello"
        with gateway.reader() as reader:
            rows = reader.usage(["app"], 0, 2**53)
        assert rows[0].requests == 1
