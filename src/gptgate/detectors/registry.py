"""Which detectors there are. A new one is a file in `library` and a line here."""

from collections.abc import Mapping

from gptgate.core.finding import Origin
from gptgate.detectors import canary, codes, echo, encodings, known, letters, markup
from gptgate.detectors.library import (
    ai_secrets,
    api_secrets,
    birth,
    business_secrets,
    cloud_secrets,
    code_secrets,
    control_tokens,
    cookies,
    credentials,
    email,
    exfil,
    iban,
    identity_papers,
    ids_americas,
    ids_asia_africa_oceania,
    ids_east_europe,
    ids_eurasia,
    ids_west_europe,
    indirect,
    messaging_secrets,
    named_secrets,
    network,
    payment_card,
    payment_secrets,
    phone,
    poisoned_tools,
    private_key,
    program_secrets,
    prompt_attacks,
    street,
    unsafe,
    web_token,
)
from gptgate.detectors.model import detector as attack_model
from gptgate.detectors.pattern import EVERY_ORIGIN, Detector
from gptgate.detectors.signals import signal_kinds
from gptgate.detectors.view import View
from gptgate.detectors.whole import WholeDetector

DETECTORS: Mapping[str, Detector] = {
    "email": email.DETECTOR,
    "payment_card": payment_card.DETECTOR,
    "iban": iban.DETECTOR,
    "ids_americas": ids_americas.DETECTOR,
    "ids_west_europe": ids_west_europe.DETECTOR,
    "ids_east_europe": ids_east_europe.DETECTOR,
    "ids_eurasia": ids_eurasia.DETECTOR,
    "ids_asia_africa_oceania": ids_asia_africa_oceania.DETECTOR,
    "identity_papers": identity_papers.DETECTOR,
    "birth": birth.DETECTOR,
    "street": street.DETECTOR,
    "phone": phone.DETECTOR,
    "network": network.DETECTOR,
    "api_secrets": api_secrets.DETECTOR,
    "ai_secrets": ai_secrets.DETECTOR,
    "cloud_secrets": cloud_secrets.DETECTOR,
    "code_secrets": code_secrets.DETECTOR,
    "payment_secrets": payment_secrets.DETECTOR,
    "messaging_secrets": messaging_secrets.DETECTOR,
    "business_secrets": business_secrets.DETECTOR,
    "named_secrets": named_secrets.DETECTOR,
    "web_token": web_token.DETECTOR,
    "credentials": credentials.DETECTOR,
    "cookies": cookies.DETECTOR,
    "program_secrets": program_secrets.DETECTOR,
    "private_key": private_key.DETECTOR,
    "prompt_attacks": prompt_attacks.DETECTOR,
    "control_tokens": control_tokens.DETECTOR,
    "indirect": indirect.DETECTOR,
    "poisoned_tools": poisoned_tools.DETECTOR,
    "exfil": exfil.DETECTOR,
    "unsafe": unsafe.DETECTOR,
}

WHOLE_DETECTORS: Mapping[str, WholeDetector] = {
    "attack_model": attack_model.DETECTOR,
}

VIEWS: Mapping[str, View] = {
    view.name: view
    for view in (
        encodings.PERCENT,
        encodings.ENTITIES,
        encodings.MAIL,
        encodings.ESCAPES,
        encodings.LINE_ENDS,
        encodings.COLOURS,
        markup.MARKUP,
        encodings.BASE64,
        encodings.HEX,
        codes.CODES,
        letters.HOMOGLYPHS,
        letters.SPACING,
        letters.LEET,
        letters.REVERSED,
        letters.ROT13,
    )
}
"""Other readings of a text, in the order in which they are tried."""

_DECLARED: tuple[Mapping[str, str], ...] = (
    *(detector.kinds for detector in DETECTORS.values()),
    *(detector.kinds for detector in WHOLE_DETECTORS.values()),
    known.KINDS,
    canary.KINDS,
    echo.KINDS,
    signal_kinds(VIEWS),
)

ANSWERING = frozenset({Origin.ASSISTANT, Origin.TOOL_CALL, Origin.OTHER})
"""Whose words an answer can hold."""

_LOOKING: tuple[tuple[Mapping[str, str], frozenset[Origin]], ...] = (
    *((detector.kinds, frozenset(detector.origins)) for detector in DETECTORS.values()),
    *((detector.kinds, frozenset(detector.origins)) for detector in WHOLE_DETECTORS.values()),
    (known.KINDS, EVERY_ORIGIN),
    (canary.KINDS, EVERY_ORIGIN),
    (echo.KINDS, ANSWERING),
)

REPORTED_IN: Mapping[str, frozenset[Origin]] = {
    kind: frozenset().union(*(origins for kinds, origins in _LOOKING if kind in kinds))
    for declared, _ in _LOOKING
    for kind in declared
}
"""In whose words detectors look for a kind."""

KINDS: Mapping[str, str] = {kind: line for kinds in _DECLARED for kind, line in kinds.items()}
"""Every kind that a finding of these detectors can have, with one line that says what it is."""
