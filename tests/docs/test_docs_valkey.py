"""The example of two gateways at one server works as printed, on ports of its own."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from docs.pages import DOCS, blocks
from docs.runner import environment, is_alike
from harness import free_port
from shared_parts import PROGRAM, needs_server
from waiting import PATIENCE_S

PORTS = ("6390", "8180", "8181", "8280", "8281")


@pytest.mark.slow
@needs_server
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_two_gateways_at_one_server_do_what_the_page_shows(tmp_path: Path) -> None:
    page = blocks(DOCS / "how-to" / "run-with-valkey.md")
    number = next(number for number, block in enumerate(page) if "gptgate serve --data second" in block.text)
    script = page[number].text.replace("valkey-server", str(PROGRAM), 1)
    # The page makes the second gateway's addresses out of the first's.
    script = script.replace("s/127.0.0.1:818/127.0.0.1:828/g", "s/:8180/:8280/; s/:8181/:8281/")
    ports = {port: str(free_port()) for port in PORTS}
    script = re.sub("|".join(ports), lambda found: ports[found[0]], script)
    done = subprocess.run(
        ["bash", "-c", f"set -m; trap 'kill -9 $(jobs -p) 2> jobs.log' EXIT\n{script}"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE_S,
        check=False,
    )
    assert is_alike(page[number + 1].text, done.stdout), (done.stdout, done.stderr)
