"""Words from a language model, optional: an OpenAI-compatible URL (Ollama, llama.cpp, vLLM) re-words authored lines.

The engine has chosen the line, the anger and what happens; none of that is asked for. Only the authored line, the
customer's name and the anger are sent, never what the trainee said. Whatever is late, broken or breaks a guard
(persona/guards.py) is not used: the authored line is said.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from voicecoach.errors import BadInput
from voicecoach.nouns import Reaction
from voicecoach.persona import Persona
from voicecoach.persona.guards import may_be_reworded, why_not
from voicecoach.world import http

TIMEOUT_S = 2.0
MAX_BYTES = 64 * 1024
MAX_FAILURES = 3
"""After so many answers in a row that were late or broken, nobody waits for it any more in this call."""

_RULES = (
    "You re-word one line of an angry customer on the telephone. Keep the meaning, the facts, the numbers and the "
    "anger. First person, spoken English, at most 25 words, one or two sentences. The customer never apologises, never "
    "offers anything, never helps, never thanks. Answer with the re-worded line only."
)


class Reworder:
    """Re-words lines through POST {url}/chat/completions. `notices` are sentences for the screen."""

    def __init__(self, url: str, model: str, key: str = "", timeout_s: float = TIMEOUT_S) -> None:
        if not http.is_address(url):
            raise BadInput(f"'{url[:80]}' is not an http(s) address.", "For Ollama: --reword http://localhost:11434/v1")
        self.name = f"{model} at {urlsplit(url).hostname}"
        self.notices: list[str] = []
        self._url, self._model, self._key, self._timeout_s = url.rstrip("/"), model, key, timeout_s
        self._failures = 0

    def __call__(self, persona: Persona, reaction: Reaction) -> Reaction:
        """The reaction with its words said in another way, or as it is. Never raises, never takes much over the time-out."""
        if self._failures >= MAX_FAILURES or not may_be_reworded(reaction):
            return reaction
        authored = reaction.reply.text
        said = self._ask(persona, authored, reaction.reply.level)
        if said is None:
            self._failures += 1
            if self._failures == MAX_FAILURES:
                self.notices.append(f"{self.name} does not answer in time; the customer speaks as written.")
            return reaction
        self._failures = 0
        said = " ".join(said.split()).strip(' "“”')
        if why_not(authored, said, persona.facts):
            return reaction
        return replace(reaction, reply=replace(reaction.reply, text=said))

    def _ask(self, persona: Persona, authored: str, level: int) -> str | None:
        """The model's words, or None. In a thread of its own, because a server can also be slow drop by drop."""
        found: list[str] = []

        def fetch() -> None:
            try:
                found.append(self._fetch(persona.name, authored, level))
            except Exception:  # noqa: BLE001 - whatever a server does, the call goes on with the authored line
                return

        thread = threading.Thread(target=fetch, name="voicecoach-reword", daemon=True)
        thread.start()
        thread.join(self._timeout_s)
        return found[0] if found else None

    def _fetch(self, name: str, authored: str, level: int) -> str:
        body = {
            "model": self._model,
            "temperature": 0.7,
            "max_tokens": 60,
            "messages": [
                {"role": "system", "content": _RULES},
                {"role": "user", "content": f"Customer: {name}. Anger {level} of 5. Line: {authored}"},
            ],
        }
        data = http.post(f"{self._url}/chat/completions", body, self._key, self._timeout_s, MAX_BYTES)
        told: Any = json.loads(data)
        said = told["choices"][0]["message"]["content"]
        if not isinstance(said, str):
            raise ValueError("no text")
        return said[:1000]


def from_options(url: str, model: str) -> Reworder:
    """The re-worder that the options name; the key, if one is needed, is in OPENAI_API_KEY."""
    return Reworder(url, model, os.environ.get("OPENAI_API_KEY", ""))
