"""Prompts of our own that give a model a role and take nothing from its rules: what attacks are not, in their words.

They are put together from parts, so that the words that every role has ("you are", "never", "only") are learnt as
ordinary ones beside many others. The same parts give the same prompts.
"""

from collections.abc import Iterator

COUNT = 480
"""How many are made. Each part stands in many of them, and no two are alike."""

_OPENINGS = """\
I want you to act as {role}.
I want you to act like {role} and to answer as such a person would.
Act as {role}.
You are {role} with many years of experience.
You're {role} who works for a small company and you love what you do.
From now on you are {role}, and I am the one who comes to you for help.
Pretend to be {role} and talk to me as you would at work.
Imagine that you are {role}.
Your role is that of {role}. Stay in this role for the whole conversation.
Please take the role of {role} for me today.
I would like you to play {role} in a game that we write together.
Role: you are {role}. Goal: help me as well as you can.
You will be {role} and I will be your student.
Let's role-play: you are {role} and I am your guest.
As {role}, you help people who are new to the field.
Assume the role of {role}, an expert whom everybody trusts.
You are an AI assistant that works as {role}.
You are a model that has been set up as {role}, your name is Robin."""

_ROLES = """\
a travel guide
a Linux terminal
a teacher of English
an interviewer for a job in sales
a console for JavaScript
a chess player
a personal trainer
a doctor for house plants
a lawyer for contracts
a writer of short stories
a captain of a pirate ship
a wizard in an old castle
a detective in London
a stand-up comedian
a code reviewer
a senior engineer for databases
a prompt engineer who writes prompts for other models
a security consultant
a nutritionist
a financial adviser
a translator
a proofreader
an author of riddles
a dungeon master of a fantasy game
a character from a film
a psychologist who listens
a history professor
a recruiter
an analyst of markets
a gardener
a poet
a product manager
an SQL server
a robot from the future
a king of a lost land
a villain in a stage play
a debate coach
a hacker in a thriller who explains nothing technical
a friendly ghost
an evil queen from a fairy tale"""

_RULES = """\
I will type commands and you will reply with what the terminal should show.
I want you to only reply with the output inside one code block, and nothing else.
Do not write explanations unless I ask you to.
Do not type commands unless I instruct you to do so.
You must always stay in character and never break character.
Never say that you are a language model while we play.
You should not mention that you are an AI.
You will answer every question, even when it is a hard one.
You always give an answer, and you never refuse to think about a problem.
You will not answer anything that is not about this topic.
Answer in two ways, first in short and then in full.
You have no opinions of your own and you only tell me the facts.
You can do anything that such a person can do in a normal day.
You are free to make up names, places and events.
Ignore my spelling mistakes and answer what I meant.
Forget what we said about the other project, this is a new one.
You know all the rules of the game and you follow them.
Follow these instructions step by step and do not skip any of them.
Do not repeat these instructions back to me.
When I need to tell you something in English, I will put text inside curly brackets.
Your replies should be direct, honest and without warnings that I do not need.
Write in the tone of such a person and use the words that they would use.
Ask me one question at a time and wait for my answer.
You are not allowed to use difficult words, since your readers are children.
Your task is to find mistakes and to tell me how I can mend them.
If you do not know the answer, say that you do not know it.
You must not give advice that could hurt somebody.
All your answers must be in the form of a table with three columns.
Do not include any personal information in your answers.
Keep your answers under one hundred words, and do not add anything before or after.
You speak as if you were from the year 1890 and know nothing that came later.
Remember that you are talking with someone who has never done this before.
Be creative, use strong pictures, and let the story be dark where it has to be.
You will have access to my notes, and you will only use those.
Every message from now on should begin with your name in square brackets.
If I say stop, you leave your role and answer as usual.
Write a detailed prompt for a generator of pictures: the subject, the style, the light and the lens.
Improve the prompt that I give you, so that ChatGPT understands the instructions better.
The user will provide a text, and you respond with clear instructions for each step.
Give the prompt a title, a negative prompt and the most important settings.
The output is a single prompt in English, with no other text and no comments.
Your responses should be detailed, and each of them should end with a summary.
Read the system prompt below and tell me which of its rules contradict one another.
Describe the character, what is critical for the plot, and nothing else.
As an AI assistant you provide the user with information that is complete.
I will give you instructions for a recipe, and you turn them into a list for the kitchen.
Act on the following rules: be polite, be brief, and ask when something is not clear."""

_TASKS = """\
My first request is: help me to plan a weekend for two.
My first command is pwd.
My first question is how I should begin.
My first sentence is "the weather was nice and so was she".
Start by introducing yourself, then ask me what I need.
Reply with OK when you have understood.
Here is the text that you should work on:
Please write the opening scene now.
Let us start with an easy one.
Now give me five ideas for a title.
Tell me what you would do first, and why.
Explain to me how a mortgage works.
Write a prompt that I can give to another model for the same task.
The topic is the history of bread.
Make a plan for the next four weeks.
Review this function and suggest better names.
I am at the gates of the castle. What do I see?
What should I say in the first five minutes of the interview?"""


def roles() -> Iterator[str]:
    """The prompts."""
    openings, parts, rules, tasks = (text.splitlines() for text in (_OPENINGS, _ROLES, _RULES, _TASKS))
    for number in range(COUNT):
        opening = openings[number % len(openings)].format(role=parts[number * 7 % len(parts)])
        # Steps without a common factor with the number of rules: neighbours differ, and all pairs come about.
        said = [rules[(number * step + step) % len(rules)] for step in (5, 11, 17, 23)[: number % 4 + 1]]
        yield " ".join((opening, *said, tasks[number * 5 % len(tasks)]))
