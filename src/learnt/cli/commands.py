"""What each command does with its options: a call to the engine below, and what is said of the result."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from learnt import printed
from learnt.errors import ArtifactError, RequestError

LISTED = 10
"""Problems that are said."""

Command = Callable[[argparse.Namespace], Mapping[str, Any]]
"""Parsed options in, the document that `--json` prints out."""


def train(args: argparse.Namespace) -> Mapping[str, Any]:
    from learnt import report, training

    run = training.train(
        args.data,
        target=args.target,
        task=args.task,
        inputs=args.inputs,
        drop=args.drop,
        group=args.group,
        time=args.time,
        sensitive=args.sensitive,
        weight=args.weight,
        reweigh=args.reweigh,
        views=args.views,
        horizons=args.horizons,
        test=args.test,
        unlabelled=args.unlabelled,
        pretrained=args.pretrained,
        coverage=args.coverage,
        decide=args.decide,
        prevalence=args.prevalence,
        positive=args.positive,
        ask=args.ask,
        out=args.out,
        budget=args.budget,
        size=args.size,
        subwords=args.subwords,
        background=args.background,
        seed=args.seed,
        recipe=args.recipe,
        resume=args.resume,
        say=args.say,
    )
    args.say(report.summary(run.document))
    return run.document


def predict(args: argparse.Namespace) -> Mapping[str, Any]:
    from learnt import captions, model

    opened = model.load(args.model)
    if expected := _expected(args):
        opened = opened.expecting(**expected)
    if options := _writing(args):
        opened = opened.writing(**options)
    if args.live:
        return _live(args, opened)
    _refuse_pcm(args)
    captioned = bool(args.data and args.out) and captions.wanted(opened, args.data, args.out)
    if args.data is None or (args.least is not None and not captioned):
        what = "--least is for --live and captions." if args.data else "What is to be predicted?"
        raise RequestError(f"{what} Write: learnt predict {args.model} DATA, or learnt predict {args.model} --live")
    if captioned:
        return _captions(args, opened)
    _refuse_text(args)
    data, problems = _told(args), list[str]()
    if args.out:
        count = model.predict_file(opened, data, args.out, problems, args.top)
        args.say(f"{count} predictions written to {args.out}{_listed(problems)}")
        return {"model": args.model, "out": args.out, "rows": count, "problems": problems}
    rows = list(model.predictions(opened, data, args.top))
    args.say(printed.table(rows))
    return {"model": args.model, "predictions": rows}


def _captions(args: argparse.Namespace, opened: Any) -> Mapping[str, Any]:
    """Captions of one recording; on a terminal how far it is heard."""
    from learnt import captions

    if args.top:
        raise RequestError(
            f"Captions take no such option. Write: learnt predict {args.model} {args.data} --out {args.out}"
        )
    shown = not args.json and sys.stderr.isatty()

    def heard(seconds: float, of: float | None) -> None:
        print(f"\r{printed.heard(seconds, of)}", end="", file=sys.stderr, flush=True)

    least = captions.LEAST if args.least is None else args.least
    count, lost = captions.write(opened, args.data, args.out, least, heard if shown else None)
    if shown:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    args.say(f"{count:,} captions written to {args.out}" + (f"; {lost}" if lost else ""))
    return {"model": args.model, "out": args.out, "captions": count, "problems": [lost] if lost else []}


def _expected(args: argparse.Namespace) -> dict[str, list[str]]:
    """What is expected to be said, line by line of the files that were named."""
    from learnt.data import streams

    named = {"phrases": args.phrases, "words": args.words, "texts": args.like}
    return {
        kind: [line for _, line in streams.lines(streams.existing(path, kind))]
        for kind, path in named.items()
        if path is not None
    }


def _writing(args: argparse.Namespace) -> dict[str, Any]:
    """How texts are to be chosen, as far as it was said."""
    names = ("beam", "temperature", "top_p", "seed", "no_repeat")
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


def _live(args: argparse.Namespace, opened: Any) -> Mapping[str, Any]:
    """A line of JSON for each line that comes, or for what is said in a sound, as soon as it comes."""
    from learnt import live
    from learnt.artifact.spotting import Spotting, listens
    from learnt.contracts import Follows
    from learnt.data import streams
    from learnt.report.document import plain

    if args.json or args.out or args.top or (_writing(args) and not listens(opened)):
        raise RequestError(
            f"--live prints lines of JSON and takes no other option. Write: learnt predict {args.model} --live"
        )

    def told(rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:
            print(json.dumps(plain(row), ensure_ascii=False, allow_nan=False), flush=True)

    if listens(opened):
        if any(isinstance(task, Follows) for task, _ in opened.tasks().values()):
            if args.least is not None:
                raise RequestError("--least is for labels; every word that is heard is written down. Leave it out.")
            listening = opened.listening()
            told(live.dictated(listening, streams.sound(args.data, args.pcm, listening.rate)))
            return {}
        spotting = Spotting(opened, args.least)
        told(live.spotted(spotting, streams.sound(args.data, args.pcm, spotting.rate)))
        return {}
    _refuse_pcm(args)
    with streams.typed(args.data) as lines:
        told(live.answers(opened, lines, live.LEAST if args.least is None else args.least))
    return {}


def _refuse_pcm(args: argparse.Namespace) -> None:
    if args.pcm is not None:
        raise RequestError(
            f"--pcm is for a file that listens, with --live. Write: learnt predict {args.model} --live --pcm {args.pcm}"
            if not args.live
            else f"--pcm is how sound comes in, and the file reads none. Write: learnt predict {args.model} --live"
        )


def _refuse_text(args: argparse.Namespace) -> None:
    """Raises RequestError where words stand in the place of a file."""
    given = args.data if isinstance(args.data, str) else ""
    is_path = Path(given).suffix or any(mark in given for mark in "/\\*?") or Path(given).exists()
    if " " in given and not is_path:
        raise RequestError(
            f"There is no file {given!r}. Texts themselves are lines: echo TEXT | learnt predict {args.model} --live"
        )


def explain(args: argparse.Namespace) -> Mapping[str, Any]:
    from learnt import model

    opened = model.load(args.model)
    data, problems = _told(args), list[str]()
    if args.out and Path(args.out).suffix.lower() == ".png":
        return _mapped(args, opened, data, problems)
    if args.out:
        count = model.explain_file(opened, data, args.out, args.about, problems)
        args.say(f"{count} explanations written to {args.out}{_listed(problems)}")
        return {"model": args.model, "out": args.out, "rows": count, "problems": problems}
    rows = list(model.explanations(opened, data, args.about))
    args.say(printed.reasons(rows))
    return {"model": args.model, "explanations": rows}


def _mapped(args: argparse.Namespace, opened: Any, data: Any, problems: list[str]) -> Mapping[str, Any]:
    """A heat map of each picture, and what the first of them show."""
    from learnt import model

    rows: list[dict[str, Any]] = []
    for row in model.explain_pictures(opened, data, args.out, args.about, problems):
        rows.append({name: cell for name, cell in row.items() if name not in ("reasons", "several")})
        if len(rows) <= LISTED:
            args.say(f"{row['map']}  {model.said_of(row)}")
    left = f"{len(rows) - LISTED:,} more maps, to {rows[-1]['map']}. " if len(rows) > LISTED else ""
    args.say(f"{left}Orange speaks for that answer, blue against it.{_listed(problems)}")
    return {"model": args.model, "out": args.out, "maps": rows, "problems": problems}


def _told(args: argparse.Namespace) -> Any:
    """The data as they were asked for; what a folder leaves out, and how a table is written, is said."""
    from learnt.data import sources

    held = sources.media(args.data)
    for line in sources.said(held or args.data):
        args.say(line)
    return held or args.data


def _listed(problems: Sequence[str]) -> str:
    """What could not be read or only in part, after the line that says what was written."""
    if not problems:
        return ""
    return "\n".join([f"; {len(problems):,} of them could not be read, or not to the end:", *problems[:LISTED]])


def audit(args: argparse.Namespace) -> Mapping[str, Any]:
    from learnt import report, training

    run = training.audit(
        args.model,
        args.data,
        target=args.target or None,
        ask=args.ask,
        weight=args.weight,
        out=args.out,
        templates=args.templates,
    )
    for note in run.document.get("notes", ()):
        args.say(note)
    if problems := [f"{one['where']}: {one['why']}" for one in run.document["problems"]]:
        args.say(f"{len(problems):,} things in the data could not be read, or not as they are:")
        args.say("\n".join([f"  {one}" for one in problems[:LISTED]] + ["  ..."] * (len(problems) > LISTED)))
    args.say(report.summary(run.document))
    if args.out:
        args.say(f"Rows written to {args.out}")
    return run.document


def recalibrate(args: argparse.Namespace) -> Mapping[str, Any]:
    from learnt import training

    document = training.recalibrate(
        args.model,
        args.data,
        target=args.target or None,
        prevalence=args.prevalence,
        decide=args.decide,
        positive=args.positive,
        weight=args.weight,
        out=args.out,
    )
    args.say("\n".join([*document["notes"], f"Written to {args.out}"]))
    return document


def show(args: argparse.Namespace) -> Mapping[str, Any]:
    from learnt import model

    opened = model.load(args.model)
    args.say(opened.card(Path(args.model).stem) if args.card else opened.show())
    return opened.manifest


def verify(args: argparse.Namespace) -> Mapping[str, Any]:
    from learnt import model

    checks = model.load(args.model).verify()
    for check in checks:
        beside = f": {check.given}, expected {check.expected}" if check.expected else f": {check.given}"
        beside = "" if check.ok and check.expected else beside
        args.say(f"{'ok ' if check.ok else 'BAD'} {check.what}{beside}")
    wrong = sum(not check.ok for check in checks)
    if wrong:
        raise ArtifactError(
            f"{args.model} does not say here what it said where it was made: {wrong} of {len(checks)} checks failed."
        )
    args.say(f"{args.model} says here what it said where it was made.")
    return {"model": args.model, "checks": [asdict(check) for check in checks]}


def walk(args: argparse.Namespace) -> Mapping[str, Any]:
    from learnt import training

    text = training.walk(args.data, args.target)
    args.say(text)
    return {"walk": text}


def demo(args: argparse.Namespace) -> Mapping[str, Any]:
    from learnt import demo

    return demo.run(args.name, out=args.out, say=args.say)


def completion(args: argparse.Namespace) -> Mapping[str, Any]:
    from learnt.cli import completion, options

    script = completion.script(args.shell, options.parsers()[1])
    args.say(script)
    return {"shell": args.shell, "script": script}
