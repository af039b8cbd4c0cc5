"""What people call the things that detectors find, for a kind of finding that is looked for and does not exist.

A kind's name is chosen to be exact, and others have usual names for the same: a card is a credit card to most, and to
compare letters leads from it to an identity card.
"""

from collections.abc import Collection

from gptgate.config.problem import did_you_mean

USUAL = {
    "bank_account": "pii.iban",
    "birth_date": "pii.date_of_birth",
    "birthday": "pii.date_of_birth",
    "card": "pii.payment_card",
    "card_number": "pii.payment_card",
    "cc": "pii.payment_card",
    "credit_card": "pii.payment_card",
    "creditcard": "pii.payment_card",
    "debit_card": "pii.payment_card",
    "dob": "pii.date_of_birth",
    "driver_license": "pii.driving_licence",
    "drivers_license": "pii.driving_licence",
    "driving_license": "pii.driving_licence",
    "e_mail": "pii.email",
    "ip": "pii.ip_address",
    "jailbreak": "attack.*",
    "mac": "pii.mac_address",
    "mail": "pii.email",
    "mobile": "pii.phone",
    "pan": "pii.payment_card",
    "prompt_injection": "attack.*",
    "injection": "attack.*",
    "social_security_number": "pii.us_ssn",
    "swift": "pii.bank_code",
    "telephone": "pii.phone",
}
"""What the last part of a kind is often called → the kind, or kinds, that it is here."""
NAMES = frozenset({"name", "names", "person", "person_name", "location", "organization", "organisation"})
"""What has no form that a detector could know."""
CLASSIFIED = "names, places and organisations are found by a classifier of kind presidio: external.NAME.person"
CALLED = {"secrets": "secret", "attacks": "attack", "injection": "attack", "jailbreak": "attack"}
"""Usual names of categories."""


def near_kind(text: str, known: Collection[str]) -> str:
    """A hint at the kind that is meant; empty where none is near.

    `known` holds prefixes such as ``attack.*`` where they may stand too.
    """
    category, _, name = text.rpartition(".")
    named = CALLED.get(category, category)
    usual = USUAL.get(name, "")
    if usual in known and named in ("", usual.partition(".")[0]):
        return f'did you mean "{usual}"?'
    if name in NAMES and named in ("", "pii"):
        return CLASSIFIED
    of_category = [kind for kind in known if kind.startswith(f"{named}.")]
    longer = [kind for kind in of_category if f"{named}.{name}".startswith(f"{kind}_")]
    if longer:
        return f'did you mean "{max(longer, key=len)}"?'
    return did_you_mean(f"{named}.{name}" if named else name, sorted(of_category) or sorted(known))
