"""From a session folder to its debrief: the record alone decides, so the same record gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from voicecoach import bundles, judge, kept, persona, prepare, record
from voicecoach.errors import BadInput, DiskError
from voicecoach.judge.procedures import parse_procedure
from voicecoach.nouns import SAMPLE_RATE_HZ, Samples
from voicecoach.report.facts import gather
from voicecoach.report.page import as_html
from voicecoach.report.takes import Takes
from voicecoach.report.tell import Report, tell
from voicecoach.report.trainer import desk_of, marks_of
from voicecoach.world import audiofiles


def report_on(session: record.Record, rules: judge.Rules | None = None) -> Report:
    """Tell a session as read, under the rules of today (`rules`, if at hand); what cannot be used is said and left out."""
    problems = list(dict.fromkeys((*session.problems, *bundles.against_manifest(session.folder))))
    customer = procedure = None
    if session.persona:
        try:
            customer = persona.parse_persona(session.persona, "persona.yaml")
        except BadInput as error:
            problems.append(f"The persona beside the record cannot be used; its live judgements stand. {error.what}")
    if session.procedure:
        try:
            procedure = parse_procedure(session.procedure, "procedure.yaml")
        except BadInput as error:
            problems.append(f"The procedure beside the record cannot be used and is not scored. {error.what}")
    rules = rules or prepare.rules()
    report = tell(
        session.events, name=session.folder.name, persona=customer, procedure=procedure, rules=rules, problems=problems,
        marked=marks_of(session.trainer),
    )  # fmt: skip
    assignment, started = session.first("assignment"), session.first("started")
    desk = desk_of(report, session.trainer, assignment.data if assignment else None, started.data if started else None)
    return replace(report, desk=desk, duration_s=_length_s(session, report.duration_s))


def _length_s(session: record.Record, told_s: float) -> float:
    """How long a session is shown to be: as told by its events; where its end is lost, as long as its sound at least."""
    return told_s if session.first("ended") else max(told_s, record.audio_samples(session) / SAMPLE_RATE_HZ)


def debrief_of(session: record.Record) -> tuple[Report, str]:
    """The report and its page; the sound is encoded while the call is judged."""
    with ThreadPoolExecutor(1) as beside:
        sound = beside.submit(_sound_of, session)
        report = report_on(session)
        return report, as_html(report, *sound.result())


def page_of(session: record.Record, report: Report) -> str:
    """The debrief as one HTML file, with the recording in it."""
    return as_html(report, *_sound_of(session))


def _sound_of(session: record.Record) -> tuple[Sequence[Sequence[float]] | None, str | None, Sequence[Takes]]:
    """The outline of the recording, the recording itself, and other takes of its turns, as the page wants them."""
    n = record.audio_samples(session)
    told = round(_length_s(session, gather(session.events).duration_s) * SAMPLE_RATE_HZ)  # it is drawn over all of that
    outline = audiofiles.envelope_of(_first(record.audio_blocks(session), told), told) if n else None
    from voicecoach.takes import takes_of

    return outline, audiofiles.data_uri_of(record.audio_blocks(session), n), takes_of(session.folder, sound=True)


def _first(blocks: Iterable[Samples], n: int) -> Iterator[Samples]:
    """The first `n` samples of blocks [shape=(m, 2)]."""
    for block in blocks:
        if n <= 0:
            return
        yield block[:n]
        n -= len(block)


def write_page(html: str, path: Path, again: str = "voicecoach report SESSION --html FILE") -> Path:
    """Write a page whole or not at all, into `path` or, if that is a folder, there as `record.PAGE`; raises DiskError.

    `again` is the command that writes it to another place.
    """
    if path.is_dir():
        path /= record.PAGE
    if path.exists() and not path.is_file():  # a device or a pipe, which a file would replace
        raise BadInput(f"{path} is not a file.", f"Choose another place with: {again}")
    try:
        kept.replace(path, html)
    except OSError as error:
        raise DiskError(
            f"The page could not be written to {path} ({error.strerror or error}).",
            f"What was recorded is safe. Choose another place with: {again}",
        ) from error
    return path
