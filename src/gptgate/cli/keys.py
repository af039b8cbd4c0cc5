"""`gptgate keys`: make, list, rotate and revoke API keys."""

import ipaddress
import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from gptgate.auth.keys import PREFIX, RANDOM_BYTES, generate, parse
from gptgate.cli.control import Untold, refresh_keys
from gptgate.cli.failure import USAGE, CommandError
from gptgate.cli.folder import load_config, require_database, writing
from gptgate.cli.known import say_none_fits
from gptgate.cli.options import DEFAULT_FOLDER, Config, Data, Output
from gptgate.cli.output import Column, Format, print_records
from gptgate.cli.text import clean
from gptgate.cli.times import END_OF_TIME_MS, future_ms, show_ms, span_ms, to_seconds
from gptgate.cli.who import system_user
from gptgate.config.problem import did_you_mean
from gptgate.core.keys import KeyRecord
from gptgate.core.snapshot import AppSpec, Snapshot
from gptgate.core.wire import Endpoint
from gptgate.storage.keys import KeyStore

LONGEST_NAME = 100
BY_ITSELF = "it sees the change by itself within a second"

COLUMNS = (
    Column("id", "id"),
    Column("app", "app"),
    Column("name", "name", fold=True),
    Column("state", "state"),
    Column("created", "created", show=to_seconds),
    Column("expires", "expires", show=to_seconds),
    Column("revoked", "revoked", show=to_seconds),
    Column("models", "models", fold=True),
    Column("endpoints", "endpoints", fold=True),
    Column("networks", "networks", fold=True),
    Column("replaces", "replaces"),
)

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the key and nothing else.")]

app = typer.Typer(help="Make, list, rotate and revoke API keys.", no_args_is_help=True)


@app.command("create")
def create(
    app_name: Annotated[str, typer.Option("--app", help="The app of the configuration that the key belongs to.")],
    name: Annotated[str, typer.Option("--name", help="A label for people.")] = "",
    expires: Annotated[
        str | None,
        typer.Option(
            help="When the key ends: a span (90d), a UTC date (its first moment) or RFC 3339. Default: never."
        ),
    ] = None,
    models: Annotated[
        list[str] | None, typer.Option("--model", help="A model the key may use; may be repeated. Default: the app's.")
    ] = None,
    endpoints: Annotated[
        list[Endpoint] | None,
        typer.Option("--endpoint", help="An endpoint the key may use; may be repeated. Default: all."),
    ] = None,
    networks: Annotated[
        list[str] | None,
        typer.Option("--network", help="A network (CIDR) the key may be used from; may be repeated. Default: any."),
    ] = None,
    quiet: Quiet = False,
    data: Data = DEFAULT_FOLDER,
    config: Config = None,
) -> None:
    """Make a key for an app and print it, this one time.

    The key alone goes to stdout, so that a script can keep it: KEY=$(gptgate keys create --app demo --quiet). The
    gateway stores only a hash of its secret: a key that is lost cannot be shown again. A running gateway takes the key
    at once.
    """
    snapshot = load_config(data, config)
    spec = _app(snapshot, app_name)
    now_ms = _now_ms()
    record, text = _new_key(
        KeyRecord(
            id="",
            app=spec.name,
            name=_label(name),
            secret_hash=b"",
            created_ms=now_ms,
            expires_ms=0 if expires is None else future_ms("--expires", expires, now_ms),
            models=_models(snapshot, spec, models or ()),
            endpoints=tuple(dict.fromkeys(endpoint.value for endpoint in endpoints or ())),
            networks=_networks(networks or ()),
        )
    )
    with writing(data), KeyStore(data, by=system_user()) as store:
        store.insert(record)
    print(text, flush=True)
    lines = [f"key {record.id} of app {record.app}, {_until(record)}; it is shown this once"]
    _say_and_tell(lines, quiet, data, config)


@app.command("list")
def list_keys(
    app_name: Annotated[str | None, typer.Option("--app", help="Only keys of this app.")] = None,
    output: Output = Format.TABLE,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """List all keys, revoked and expired ones too, oldest first. Never shows a secret or its hash."""
    require_database(data)
    with KeyStore(data, read_only=True) as store:
        found = store.all()
    now_ms = _now_ms()
    records = [_row(record, now_ms) for record in found if app_name in (None, record.app)]
    print_records(output, COLUMNS, records)
    if not records:
        say_none_fits("key", output, data, None, {"--app": app_name})


@app.command("rotate")
def rotate(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the key to replace.")],
    overlap: Annotated[str, typer.Option(help="How long the old key stays good: 24h, 7d, 0s.")] = "24h",
    expires: Annotated[
        str | None,
        typer.Option(help="When the new key ends. Default: after as long a life as the old one was given."),
    ] = None,
    quiet: Quiet = False,
    data: Data = DEFAULT_FOLDER,
    config: Config = None,
) -> None:
    """Replace a key by a new one with the same app, name and restrictions, and print the new one, this one time.

    The old key stays good for the overlap, so that callers can change over without a gap, and then expires; it never
    lives longer than it would have. To end a key at once, revoke it.
    """
    overlap_ms = span_ms("--overlap", overlap)
    require_database(data)
    snapshot = load_config(data, config)
    now_ms = _now_ms()
    with writing(data), KeyStore(data, by=system_user()) as store:
        old = _rotatable(store.all(), key_id, now_ms)
        _app(snapshot, old.app)
        if expires is not None:
            expires_ms = future_ms("--expires", expires, now_ms)
        else:
            life_ms = old.expires_ms - old.created_ms
            expires_ms = min(now_ms + life_ms, END_OF_TIME_MS - 1) if old.expires_ms else 0
        record, text = _new_key(replace(old, created_ms=now_ms, expires_ms=expires_ms, revoked_ms=0, replaces=old.id))
        ends_ms = min(now_ms + overlap_ms, old.expires_ms or now_ms + overlap_ms)
        # The new key first: a crash in between leaves the old one good, never callers without any key.
        store.insert(record)
        store.set_expiry(old.id, ends_ms, now_ms)
    print(text, flush=True)
    lines = [
        f"key {record.id} of app {record.app} replaces {old.id}, {_until(record)}; it is shown this once",
        f"key {old.id} stays good until {show_ms(ends_ms)}",
    ]
    _say_and_tell(lines, quiet, data, config)


@app.command("revoke")
def revoke(
    key: Annotated[str, typer.Argument(metavar="ID", help="The key's id; a whole key is taken too, for a leaked one.")],
    data: Data = DEFAULT_FOLDER,
    config: Config = None,
) -> None:
    """End a key at once and for good.

    A running gateway is told, and refuses the key from then on; requests it has already let in are finished. When it
    cannot be told the exit code is 1, although the key is revoked: the gateway then sees it by itself within a second.
    """
    key_id = _id_of(key)
    require_database(data)
    with writing(data), KeyStore(data, by=system_user()) as store:
        store.revoke(key_id, _now_ms())
    try:
        running = refresh_keys(data, config)
    except Untold as untold:
        raise CommandError(
            f"key {key_id} is revoked, but the running gateway could not be told: {untold}", hint=BY_ITSELF
        ) from None
    print(f"key {key_id} is revoked" + ("; the running gateway refuses it from now on" if running else ""))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _new_key(like: KeyRecord) -> tuple[KeyRecord, str]:
    """A record like this one with an id and a secret of its own, and the key's text."""
    key = generate(secrets.token_bytes(RANDOM_BYTES))
    return replace(like, id=key.id, secret_hash=key.secret_hash), key.text


def _say_and_tell(lines: Sequence[str], quiet: bool, data: Path, config: Path | None) -> None:
    """Explain on stderr; stdout holds the key alone. A new key that the gateway does not know yet is no failure."""
    try:
        refresh_keys(data, config)
    except Untold as untold:
        lines = [*lines, f"the running gateway could not be told: {untold}; {BY_ITSELF}"]
        quiet = False
    if not quiet:
        for line in lines:
            print(clean(line), file=sys.stderr)


def _app(snapshot: Snapshot, name: str) -> AppSpec:
    spec = snapshot.apps.get(name)
    if spec is None:
        known = sorted(snapshot.apps)
        hint = did_you_mean(name, known) or f"apps are: {', '.join(known) or 'none yet'}"
        raise CommandError(f"the configuration has no app {clean(name)!r}", hint=hint)
    return spec


def _models(snapshot: Snapshot, spec: AppSpec, names: Sequence[str]) -> tuple[str, ...]:
    usable = sorted(spec.models or snapshot.models)
    for name in names:
        if name not in snapshot.models:
            hint = did_you_mean(name, usable) or f"models are: {', '.join(usable)}"
            raise CommandError(f"the configuration has no model {clean(name)!r}", hint=hint)
        if name not in usable:
            raise CommandError(f"app {spec.name} may not use model {name}", hint=f"it may use: {', '.join(usable)}")
    return tuple(dict.fromkeys(names))


def _networks(texts: Sequence[str]) -> tuple[str, ...]:
    networks = []
    for text in texts:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise CommandError(
                f"--network: {clean(text)!r} is not a network",
                hint="such as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32",
                exit_code=USAGE,
            ) from None
        if ipaddress.ip_interface(text).ip != network.network_address:
            # Widening it silently would let in more than was typed.
            raise CommandError(
                f"--network: {text} names an address inside a network",
                hint=f"write {network}, or the address alone",
                exit_code=USAGE,
            )
        networks.append(str(network))
    return tuple(dict.fromkeys(networks))


def _label(name: str) -> str:
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise CommandError(f"--name: at most {LONGEST_NAME} printable characters", exit_code=USAGE)
    return name


def _rotatable(keys: Sequence[KeyRecord], key_id: str, now_ms: int) -> KeyRecord:
    old = next((record for record in keys if record.id == key_id), None)
    if old is None:
        # Not quoted when it may be a whole key.
        shown = "with this id" if key_id.startswith(PREFIX) else clean(key_id)
        raise CommandError(f"there is no key {shown}", hint="gptgate keys list shows all ids")
    state = _state(old, now_ms)
    if state != "active":
        raise CommandError(f"key {key_id} is {state}", hint="make a new one: gptgate keys create")
    successor = next((record for record in keys if record.replaces == key_id), None)
    if successor is not None:
        raise CommandError(f"key {key_id} has been rotated to {successor.id}", hint="rotate that one")
    return old


def _id_of(key: str) -> str:
    if not key.startswith(PREFIX):
        return clean(key)
    parsed = parse(key)
    if parsed is None:
        raise CommandError("this is not a whole key: its checksum is wrong", hint="the id alone is enough")
    return parsed.id


def _state(record: KeyRecord, now_ms: int) -> str:
    if record.revoked_ms:
        return "revoked"
    return "expired" if 0 < record.expires_ms <= now_ms else "active"


def _until(record: KeyRecord) -> str:
    return f"good until {show_ms(record.expires_ms)}" if record.expires_ms else "without expiry"


def _row(record: KeyRecord, now_ms: int) -> dict[str, object]:
    times = {"created": record.created_ms, "expires": record.expires_ms, "revoked": record.revoked_ms}
    return {
        "id": record.id,
        "app": record.app,
        "name": record.name,
        "state": _state(record, now_ms),
        **{name: show_ms(moment) if moment else None for name, moment in times.items()},
        "models": list(record.models),
        "endpoints": list(record.endpoints),
        "networks": list(record.networks),
        "replaces": record.replaces,
    }
