"""Write the tables of `voicecoach personas render --table` into docs/voices.md, after lines were spoken."""

from __future__ import annotations

import re
from pathlib import Path

from voicecoach import prepare, render

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "voices.md"


def main() -> None:
    chosen = [(prepare.choose_persona(name)[0], True) for name in prepare.names("personas")]
    (plan,) = render.plans(prepare.spoken_folder(), Path(), chosen, [prepare.demo_trainee()])
    voices, levels, size = "\n".join(render.tables(plan)).split("\n\n")
    text = DOCUMENT.read_text("utf-8")
    for name, table in (("voices", voices), ("levels", f"{levels}\n\n{size}")):
        mark = f"<!-- {name} -->\n"
        text = re.sub(f"(?<={mark}).*?(?={mark})", lambda _, new=table: f"\n{new}\n\n", text, flags=re.S)
    DOCUMENT.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
