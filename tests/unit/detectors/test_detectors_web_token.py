import base64
import json

import pytest

from detector_parts import Find
from secret_samples import mixed


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


HEADER, CLAIMS = part({"alg": "HS256", "typ": "JWT"}), part({"sub": "1234", "name": "x"})
SIGNED = f"{HEADER}.{CLAIMS}.{mixed(43)}"


@pytest.mark.parametrize(
    "token",
    [
        SIGNED,
        f"{HEADER}.{CLAIMS}.",
        f"eyJhbGciOi{mixed(13)}.{CLAIMS}.{mixed(43)}",
        f"{part({'kid': 'a', 'alg': 'RS256'})}.{part({'iss': 'b' * 900})}.{mixed(342)}",
        f"{part({'alg': 'RSA-OAEP', 'enc': 'A256GCM'})}.{mixed(86)}.{mixed(16)}.{mixed(200)}.{mixed(22)}",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "Bearer {}", '"token": "{}"', "https://host/x?token={}&y=1"])
def test_tokens_are_found(find: Find, frame: str, token: str) -> None:
    assert ("secret.jwt", token) in find(frame.format(token))


@pytest.mark.parametrize(
    "text",
    [
        SIGNED[1:],
        f"{part({'typ': 'JWT'})}.{CLAIMS}.{mixed(43)}",
        f"eyJhbGciOi{mixed(13)}.{mixed(30)}.{mixed(43)}",
        f"eyJhbGciOi{mixed(13)}.{CLAIMS}.",
        f"{part(['alg'])}.{CLAIMS}.{mixed(43)}",
        f"{HEADER}.{mixed(20)}",
        "eyJ.eyJ.x and eyJhbGciOiJIUzI1NiJ9",
    ],
)
def test_look_alikes_are_not(find: Find, text: str) -> None:
    assert "secret.jwt" not in dict(find(text))
