from gptgate.upstream.target import Target


def test_no_representation_shows_the_credential() -> None:
    target = Target("https://provider.test", (("authorization", "Bearer sk-secret"), ("x-api-key", "sk-other")))
    for text in (repr(target), str(target), f"{target}", repr({"target": target})):
        assert "secret" not in text
        assert "sk-other" not in text
        assert "authorization" in text
