"""A provider's credential that was renewed in its file takes effect when the configuration is applied."""

from pathlib import Path

from harness import CONFIG, running_gateway
from probes import RecordingSimulator, http_request, send_raw

PATH = "/v1/chat/completions"
BODY = b'{"model": "sim-gpt", "messages": [{"role": "user", "content": "echo: hi"}]}'
CLAUDE = (
    '  - {name: sim-claude, provider: simulator, price: {input_per_million: "3.00", output_per_million: "15.00"}}\n'
)


async def test_a_renewed_file_credential_is_read_on_apply(tmp_path: Path) -> None:
    secret = tmp_path / "credential"
    secret.write_text("first-credential\n")
    config = CONFIG.replace("kind: simulator,", f'kind: openai_compatible, credential: "file:{secret}",').replace(
        CLAUDE, ""
    )
    provider = RecordingSimulator()
    async with running_gateway(tmp_path / "data", config, simulator=provider) as gateway:

        async def credential() -> bytes:
            headers = [("x-api-key", gateway.key)]
            answer = await send_raw(gateway.base_url, http_request("POST", PATH, headers, BODY))
            assert answer.status == 200, answer.body
            return dict(provider.seen[-1].headers)[b"authorization"]

        assert await credential() == b"Bearer first-credential"
        digest = gateway.app.snapshot.digest
        assert await gateway.app.apply_config() == (digest, False)
        secret.write_text("second-credential\n")
        assert await credential() == b"Bearer first-credential"
        assert await gateway.app.apply_config() == (digest, True)
        assert await credential() == b"Bearer second-credential"
