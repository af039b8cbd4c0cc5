"""Marks that pretend to be a chat's own structure: control tokens of models, false ends, false system messages."""

from gptgate.detectors.pattern import ANY, UNTRUSTED, Detector, Pattern
from gptgate.detectors.phrase import patterns, phrases

_TEMPLATE = (
    (60, r"<\|(?:im_start|im_end|im_sep|endoftext|endofprompt|system|user|assistant|end|eot_id|eom_id)\|>"),
    (60, r"<\|(?:(?:start|end)_header_id|(?:begin|end)_of_text|fim_prefix|fim_suffix|channel|message|call)\|>"),
    (60, r"<(?:start|end)_of_turn>"),
    (60, r"<\|(?:User|Assistant|begin[\x80-\xf4]{3}of[\x80-\xf4]{3}sentence)\|>"),
    (60, r"\[/?INST\]|<</?SYS>>|\[/?(?:SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS)\]"),
    (60, r"(?:\[/?system\][ ]?){2}|\[(?:system|assistant|user)\]\(#[a-z_]{1,20}\)"),
    (60, r"\[[\x80-\xf4]{0,8}[ ]?(?:JAILBREAK|DAN|GPT|CHATGPT|CLASSIC|ANTIGPT|UNFILTERED)(?: MODE)?[ ]?\]"),
)
"""Exact case, and nothing is asked of what stands around them."""

_DELIMITER = (
    (60, r"</?(?:system|user|assistant)[ _-](?:prompt|instructions?|message|input)>|<end[ _-]of[ _-]session>"),
    (
        60,
        r"(?:-|=|#|\*){3,24}[ ]?(?:END|BEGIN|START)(?: OF)?(?: THE)? (?:SYSTEM|USER|NEW|HIDDEN) ?"
        r"(?:PROMPT|MESSAGE|INPUT|INSTRUCTIONS?|QUERY|TEXT)",
    ),
    (60, "\n[ ]?\n(?:Human|User|Assistant|System): ?\n{0,2}(?:Ignore|Disregard|Forget|You are now|New instructions?)"),
    (60, "[\"'`]{3}[ \n]{0,3}(?:Ignore|Disregard|Forget|New instructions?:|System:|END OF)"),
)

_FAKE = (
    (50, "(?:CORE|NEW|FOLLOW|PRIORITY|OVERRIDE|HIDDEN|URGENT) INSTRUCTIONS?"),
    (60, r"\[?(?:ADMIN|SYSTEM|ROOT) (?:REQUEST|NOTE|MESSAGE|OVERRIDE|COMMAND|PROMPT|INSTRUCTION)(?:::?|\])"),
    (
        60,
        r"(?:\[|\()(?:System|SYSTEM|Developer|Admin) ?(?:Message|Note|Notice|Update|Override|Instruction)s?(?:\]|\)|:)",
    ),
)
"""Exact case, at the beginning of a word or with a bracket."""

_CLAIMS = phrases(
    60,
    {
        "done": "completed?|done|finished|successful|accomplished|answered|over",
        "is": "is|was|are|(has|have) (already )?been",
    },
    "(answer|output|response|result|status): (the )?(task|job|request|query|step)s? (<is> )?(successfully )?<done>",
    "(the )?(user|original|previous|above|initial)('s)? (task|request|instruction|question)s? <is> "
    "((already|now|fully) )?<done>",
    "(system|user|human|developer) (prompt|instruction|message|input)s? (ends?|ended|is over|stops?) here",
)
"""In any case."""

DETECTOR = Detector(
    name="control_tokens",
    version=1,
    kinds={
        "attack.template": "A control token of a model's chat template.",
        "attack.delimiter": "A mark that pretends that a prompt or a message ends or begins here.",
        "attack.fake_result": "A false system message, or a claim that the task is done.",
    },
    patterns=(
        *(Pattern("attack.template", body, points, left=ANY, right=ANY) for points, body in _TEMPLATE),
        *(Pattern("attack.delimiter", body, points, left=ANY, right=ANY) for points, body in _DELIMITER),
        *(Pattern("attack.fake_result", body, points, right=ANY) for points, body in _FAKE),
        *patterns("attack.fake_result", _CLAIMS),
    ),
    origins=UNTRUSTED,
)
