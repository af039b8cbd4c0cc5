"""The registry of classifiers' wires. A new one is one file and one line here."""

from gptgate.core.beside import ClassifierKind
from gptgate.upstream.classifiers.guard_model import GuardModel
from gptgate.upstream.classifiers.moderation import Moderation
from gptgate.upstream.classifiers.presidio import Presidio
from gptgate.upstream.classifiers.webhook import Webhook
from gptgate.upstream.classifiers.wire import Wire

WIRES: dict[ClassifierKind, Wire] = {
    ClassifierKind.MODERATION: Moderation(),
    ClassifierKind.GUARD_MODEL: GuardModel(),
    ClassifierKind.WEBHOOK: Webhook(),
    ClassifierKind.PRESIDIO: Presidio(),
}
