"""``python -m bench.quality``: what the detectors find in the sample texts, as tables."""

import sys
import time
from collections.abc import Sequence

from bench.quality import attacks, personal, secrets
from bench.quality.samples import ABSENT, ATTACK_SETS, BENIGN_SETS, SAMPLES, read_samples
from gptgate.detectors import build_inspector


def main() -> int:
    """Print the tables."""
    if not SAMPLES.is_dir():
        print(ABSENT)
        return 0
    started = time.monotonic()
    judge = attacks.Judge()
    samples = list(read_samples((*ATTACK_SETS, *BENIGN_SETS)))
    _print_families(list(attacks.families(judge, samples)))
    _print_disguised(list(attacks.disguised(judge, samples)))
    inspector = build_inspector()
    _print_personal(personal.rows(inspector))
    _print_secrets(secrets.measure(inspector))
    print(f"\n{time.monotonic() - started:.0f} s")
    return 0


def _print_families(families: Sequence[attacks.Family]) -> None:
    print("Attacks, each group left out of the model's training: recall of the model alone where 1 % and 0.1 % of")
    print("ordinary texts are alerted; alerted and denied by everything together under the baseline policy.\n")
    titles = ("family", "texts", "model 1 %", "model 0.1 %", "alerted", "denied")
    _print_table(titles, [_family_row(one) for one in families if one.is_attack])
    print("\nOrdinary texts, each set left out of the model's training.\n")
    ordinary = [one for one in families if not one.is_attack]
    _print_table((titles[0], titles[1], *titles[4:]), [_family_row(one) for one in ordinary])


def _family_row(one: attacks.Family) -> list[str]:
    model = [one.at_percent, one.at_permille]
    shares = [_percent(found, one.texts) for found in (*model, one.alerted, one.denied) if found is not None]
    return [one.name, str(one.texts), *shares]


def _print_disguised(found: Sequence[attacks.Disguised]) -> None:
    print("\nThe same attacks in disguise, with the shipped weights, under the baseline policy.\n")
    plain = found[0]
    rows = [
        [
            one.name,
            str(one.texts),
            _percent(one.alerted, one.texts),
            f"{100 * (one.alerted - plain.alerted) / one.texts:+.1f}",
        ]
        for one in found
    ]
    _print_table(("disguise", "texts", "alerted", "points"), rows)


def _print_personal(rows: Sequence[personal.Row]) -> None:
    print("\nPersonal data. A look-alike is a text that looks like it and holds none.\n")
    titles = ("set", "type", "spans", "recall", "F1", "look-alikes hit")
    _print_table(
        titles,
        [
            [
                row.data,
                row.type,
                str(row.spans),
                _percent(row.found, row.spans),
                f"{row.f1:.3f}",
                str(row.look_alikes_hit),
            ]
            for row in rows
        ],
    )


def _print_secrets(measured: secrets.Secrets) -> None:
    print("\nSecrets.\n")
    rows = [
        ["secrets found", f"{measured.found} of {measured.cases}", _percent(measured.found, measured.cases)],
        *(["left out: " + why, str(count), ""] for why, count in measured.empty.items()),
        ["look-alikes taken for one", f"{measured.look_alikes_hit} of {measured.look_alikes}",
         _percent(measured.look_alikes_hit, measured.look_alikes)],
        ["ordinary texts taken for one", f"{measured.ordinary_hit} of {measured.ordinary}",
         f"{measured.false_per_thousand:.2f} per 1,000"],
    ]  # fmt: skip
    _print_table(("what", "count", "share"), rows)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"


def _print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """As Markdown, aligned."""
    widths = [max(len(row[column]) for row in (titles, *rows)) for column in range(len(titles))]
    dashes = ["-" * width for width in widths]
    for row in (titles, dashes, *rows):
        print(f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
