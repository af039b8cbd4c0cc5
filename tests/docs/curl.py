"""What the pages use of `curl`, for machines that have none: -s, -H, -d, -o FILE and -D -."""

import argparse
import http.client
import sys
from pathlib import Path
from urllib.parse import urlsplit


def main(arguments: list[str]) -> int:
    """Make one request. Any other option is an error."""
    parser = argparse.ArgumentParser(prog="curl", allow_abbrev=False)
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d")
    parser.add_argument("-o", type=Path)
    parser.add_argument("-D", choices=["-"])
    parser.add_argument("url")
    asked = parser.parse_args(arguments)
    headers = {"Accept": "*/*", "User-Agent": "curl"}
    if asked.d is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    for line in asked.H:
        name, _, value = line.partition(":")
        headers[name.strip().title()] = value.strip()
    target = urlsplit(asked.url)
    connection = http.client.HTTPConnection(target.netloc, timeout=120)
    body = None if asked.d is None else asked.d.encode()
    connection.request("GET" if body is None else "POST", target.path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if asked.D:
        lines = [
            f"HTTP/1.1 {answer.status} {answer.reason}",
            *(f"{name}: {value}" for name, value in answer.getheaders()),
        ]
        sys.stdout.buffer.write("".join(line + "\r\n" for line in [*lines, ""]).encode("latin-1"))
    if asked.o is None:
        sys.stdout.buffer.write(content)
    else:
        asked.o.write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
