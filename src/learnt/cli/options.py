"""Commands and options. A mistake in them is a RequestError that ends with a line to write."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence

from learnt import __version__
from learnt.cli import commands, values
from learnt.cli.commands import Command
from learnt.cli.examples import EXAMPLES
from learnt.cli.parser import Help, Parser
from learnt.errors import RequestError, unknown

DATA = (
    "a CSV, TSV, JSON, JSONL, TMX, Parquet, Arrow or Excel file, a .txt, a folder or .zip of tables, pictures or "
    "texts, a pattern such as '2024-*.csv', 'sqlite:///FILE?table=T', 'duckdb:///FILE?query=SELECT ...', "
    "'postgresql://HOST/BASE?table=T'; - reads standard input"
)
READ = ("data", "test", "unlabelled")
"""The arguments that name examples."""


def parsers() -> tuple[Parser, dict[str, Parser]]:
    common = Parser(add_help=False)
    common.add_argument(
        "--json", action="store_true", help="print one JSON document; everything else goes to standard error"
    )
    common.add_argument("--debug", action="store_true", help="show the traceback of an error, and what libraries print")
    parser = Parser(
        prog="learnt",
        allow_abbrev=False,
        description="Learns from labelled examples, says how far it can be trusted, "
        "and hands it over as one .onnx file.",
        epilog="Start with: learnt demo tumour",
    )
    parser.add_argument("--version", action="version", version=f"learnt {__version__}")
    places = parser.add_subparsers(metavar="COMMAND", dest="command", required=True, parser_class=Parser)
    made: dict[str, Parser] = {}

    def add(work: Command, purpose: str) -> Parser:
        examples = EXAMPLES[work.__name__]
        made[work.__name__] = one = places.add_parser(
            work.__name__,
            help=purpose,
            description=purpose[0].upper() + purpose[1:] + ".",
            epilog="\n  ".join(["examples:", *examples]),
            formatter_class=Help,
            parents=[common],
            allow_abbrev=False,
        )
        one.example = examples[0]
        one.set_defaults(work=work)
        return one

    _training_commands(add)
    _file_commands(add)
    return parser, made


def _training_commands(add: Callable[[Command, str], Parser]) -> None:
    one = add(
        commands.train,
        "learn from labelled examples and write one .onnx file",
    )
    one.add_argument(
        "data",
        metavar="DATA",
        nargs="+",
        help=f"{DATA}; several files are tables of the same columns, or parallel texts, as train.en train.de",
    )
    one.add_argument(
        "--target",
        metavar="COL",
        nargs="+",
        action="extend",
        help="the column or columns to learn; A,B is one target of two columns; folders of pictures may say it",
    )
    what = one.add_argument_group("what is what (guessed, and each guess is printed)")
    what.add_argument("--task", metavar="TASK", help="how to learn the target")
    _columns(what, "--inputs", "learn from these columns only; A:text reads A as text")
    _columns(what, "--drop", "do not learn from these columns", default=[])
    what.add_argument("--group", metavar="COL", help="rows with the same value here stay on one side of every split")
    what.add_argument("--time", metavar="COL", help="learn from the past, be measured on the future")
    _columns(what, "--sensitive", "no inputs; their groups are compared: does it treat them alike?", default=[])
    what.add_argument("--weight", metavar="COL", help="how much each row counts")
    what.add_argument(
        "--reweigh", metavar="COL", help="learn as if each label were as frequent in every group of this column"
    )
    _columns(what, "--views", "pictures that share an encoder (default all columns of pictures; none: each its own)")
    what.add_argument(
        "--horizons",
        metavar="A,B",
        type=values.numbers,
        help="foretell the risk of an event by these times, in the unit of its durations",
    )
    what.add_argument(
        "--background",
        metavar="LABEL",
        help="the label of sounds in which nothing is said, even if there are none: the file then listens to streams",
    )
    what.add_argument("--test", metavar="DATA", nargs="+", help="measure on these examples instead of a tenth of DATA")
    what.add_argument(
        "--unlabelled", metavar="DATA", help="examples without labels: learnt from too, where that proves better"
    )
    _drawing(one)
    _reading(one)
    how = one.add_argument_group("how")
    how.add_argument(
        "--coverage",
        metavar="SHARE",
        type=values.share,
        help="how often the plausible answers hold the truth (default .9)",
    )
    _deciding(how)
    how.add_argument(
        "--ask",
        metavar="fast|all|NAME,...",
        default="fast",
        help="the questions of trust to answer (default fast)",
    )
    how.add_argument("--out", metavar="DIR", help="the folder to write (default runs/NAME)")
    how.add_argument("--budget", metavar="TIME", help="at most this long, the whole command: 90s, 3m, 1h")
    how.add_argument(
        "--size", metavar="SIZE", help="small, medium or large, or the side of pictures in pixels (default small)"
    )
    how.add_argument(
        "--subwords",
        metavar="COUNT",
        type=values.whole,
        help="pieces of words for texts that are written (default by how much text there is; 0: bytes) or written down "
        "from sound (default none)",
    )
    how.add_argument(
        "--pretrained",
        metavar="PATH",
        help="weights that pictures or texts start from: the folder of a run, a .safetensors or .pt file, a folder of "
        "transformers, or hub:NAME, which is fetched",
    )
    how.add_argument(
        "--seed", metavar="N", type=values.whole, help="another seed, another split and network (default 0)"
    )
    how.add_argument("--recipe", metavar="FILE", help="the recipe.yaml of an earlier run, to make it again")
    how.add_argument("--resume", action="store_true", help="go on with an interrupted run in --out")

    one = add(
        commands.audit,
        "ask the questions of trust of a model on other examples",
    )
    _drawing(one)
    _reading(one)
    one.add_argument("model", metavar="MODEL|RUN", help="an .onnx file or the folder of a run")
    one.add_argument(
        "data", metavar="DATA", nargs="*", help=f"{DATA}; without it the evidence that the run kept is asked"
    )
    one.add_argument(
        "--target",
        metavar="COL",
        nargs="+",
        action="extend",
        default=[],
        help="the column or columns with the truth; needed where they are called otherwise than in training",
    )
    one.add_argument("--ask", metavar="fast|all|NAME,...", default="all", help="the questions to answer (default all)")
    one.add_argument("--weight", metavar="COL", help="how much each row counts")
    one.add_argument(
        "--templates",
        metavar="FILE",
        help="texts with slots and what is to come of them, as JSON or YAML; needs no DATA",
    )
    one.add_argument("--out", metavar="FILE", help="write the rows of the one question that --ask names here")

    one = add(
        commands.recalibrate,
        "choose the constants of a model anew on rows of another site, without torch",
    )
    _drawing(one)
    _reading(one)
    one.add_argument("model", metavar="MODEL|RUN", help="an .onnx file or the folder of a run")
    one.add_argument("data", metavar="DATA", nargs="+", help=DATA)
    one.add_argument("--weight", metavar="COL", help="how much each row counts")
    one.add_argument(
        "--target", metavar="COL", nargs="+", action="extend", default=[], help="the column or columns with the truth"
    )
    _deciding(one)
    one.add_argument("--out", metavar="FILE", required=True, help="the .onnx file to write")

    one = add(
        commands.walk,
        "follow one example through every step, aloud",
    )
    _drawing(one)
    _reading(one)
    one.add_argument("data", metavar="DATA", nargs="+", help="what you would train on")
    one.add_argument(
        "--target", metavar="COL", nargs="+", action="extend", default=[], help="the column or columns to learn"
    )

    one = add(commands.demo, "show it at work; without a name: which demonstrations there are")
    one.add_argument("name", metavar="NAME", nargs="?", help="tumour (ten seconds, a finished file) or table (trains)")
    one.add_argument("--out", metavar="DIR", default="runs/demo", help="the folder to write (default runs/demo)")


def _columns(one: argparse._ActionsContainer, option: str, about: str, default: list[str] | None = None) -> None:
    one.add_argument(option, metavar="A,B", type=values.columns, action="extend", default=default, help=about)


def _drawing(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--rows",
        metavar="N|all",
        type=values.rows,
        help="take at most so many rows, drawn by chance (default 1,000,000)",
    )


def _reading(one: argparse.ArgumentParser) -> None:
    how = one.add_argument_group("how separated cells are written (found out, and what is unusual is printed)")
    how.add_argument(
        "--header", choices=("first", "none"), help="whether the first line names the columns; none: 1, 2 ..."
    )
    how.add_argument("--encoding", metavar="NAME", help="such as utf-8, utf-16, cp1252, cp949")
    how.add_argument("--delimiter", metavar="CHAR", help="what stands between cells; tab, too")
    how.add_argument("--decimal", metavar="MARK", help="the decimal mark, , or .")


def _deciding(one: argparse._ActionsContainer) -> None:
    one.add_argument(
        "--decide",
        metavar="POLICY",
        help="what to do when: 'recall>=.9', 'precision>=.95', 'alerts<=100/day', 'cost=fn:100,fp:1', "
        "'block precision>=.95, review recall>=.99' (default argmax; of a file its own)",
    )
    one.add_argument(
        "--prevalence",
        metavar="P",
        help="how frequent the positive label is where the file will be used; LABEL:P,... for several",
    )
    one.add_argument("--positive", metavar="LABEL", help="the label that policies are about (default the rarer of two)")


def _file_commands(add: Callable[[Command, str], Parser]) -> None:
    one = add(
        commands.predict,
        "predict with a file: answer, probability, what is plausible, how unfamiliar",
    )
    _reading(one)
    one.add_argument("model", metavar="MODEL", help="an .onnx file")
    one.add_argument(
        "data", metavar="DATA", nargs="?", help=f"{DATA}; with --live lines are read, or a sound is heard, from there"
    )
    one.add_argument(
        "--out",
        metavar="FILE",
        help="write all rows here; the suffix chooses the format; .srt, .vtt: captions of one recording or video",
    )
    one.add_argument(
        "--live",
        action="store_true",
        help="answer each line as it comes, a text as far as it is written; or say what is heard: JSON lines",
    )
    one.add_argument(
        "--least",
        metavar="SHARE",
        type=values.share,
        help="with --live and captions: say nothing less likely (default .5; for sounds as the file chose by data)",
    )
    one.add_argument(
        "--pcm",
        metavar="FORMAT",
        help="with --live: raw samples on standard input, kind:rate:channels (default s16le:16000:1)",
    )
    one.add_argument(
        "--top", metavar="N", type=values.count, default=0, help="the N best answers, each with its probability"
    )
    said = one.add_argument_group("what is expected to be said in a sound, by files that write it down; a line each")
    said.add_argument("--phrases", metavar="FILE", help="hear these phrases more easily")
    said.add_argument("--words", metavar="FILE", help="hear no words but these")
    said.add_argument("--like", metavar="FILE", help="hear what is like these texts")
    how = one.add_argument_group("how texts are written (by default the most probable token after each other)")
    how.add_argument(
        "--beam", metavar="N", type=values.whole, help="search the most probable text, N kept open; in sound, too"
    )
    how.add_argument(
        "--temperature", metavar="T", type=values.number, help="draw tokens: below 1 the likely ones more often"
    )
    how.add_argument("--top-p", metavar="SHARE", type=values.number, help="draw from the fewest tokens with this share")
    how.add_argument("--seed", metavar="N", type=values.whole, help="draw another text (default 0)")
    how.add_argument("--no-repeat", metavar="N", type=values.whole, help="say no N tokens in a row twice")

    one = add(
        commands.explain,
        "say why: the reasons of each prediction, the strongest first",
    )
    _reading(one)
    one.add_argument("model", metavar="MODEL", help="an .onnx file")
    one.add_argument("data", metavar="DATA", help=DATA)
    one.add_argument(
        "--about", metavar="LABEL", help="the reasons for this answer, or of this target (default: for what was said)"
    )
    one.add_argument(
        "--out", metavar="FILE", help="write all rows here; the suffix chooses the format; .png: heat maps"
    )

    one = add(
        commands.show,
        "print what a file is, what was measured, and what it must not be used for",
    )
    one.add_argument("model", metavar="MODEL", help="an .onnx file")
    one.add_argument("--card", action="store_true", help="as a model card in Markdown, for a model hub's README.md")

    one = add(
        commands.verify,
        "check that a file is sound and says on this machine what it said where it was made",
    )
    one.add_argument("model", metavar="MODEL", help="an .onnx file")

    one = add(commands.completion, "print the script that completes commands and options in your shell")
    one.add_argument("shell", metavar="bash|zsh|fish", choices=("bash", "zsh", "fish"), help="which shell")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Raises RequestError, with a near name for a mistyped command or option."""
    parser, made = parsers()
    if argv and not argv[0].startswith("-") and argv[0] not in made:
        raise unknown("command", argv[0], made)
    one = made[argv[0]] if argv and argv[0] in made else parser
    options = [name for action in one._actions for name in action.option_strings]
    for word in argv:
        name = word.split("=")[0]
        if re.match("--?[a-zA-Z]", word) and name not in options:
            raise unknown("option", name, options)
    args, rest = parser.parse_known_args(argv)
    if rest:
        one.error(f"{rest[0]!r} is one argument too many")
    _refuse_swapped(args)
    for name in READ:
        given = getattr(args, name, None)
        if isinstance(given, list):
            setattr(args, name, given if len(given) > 1 else next(iter(given), None))
    _told(args)
    return args


def _refuse_swapped(args: argparse.Namespace) -> None:
    data = getattr(args, "data", None)
    last = str(data[-1] if isinstance(data, list) and data else data)
    if getattr(args, "model", None) and last.endswith(".onnx"):
        raise RequestError(f"The model stands first. Write: learnt {args.command} {last} {args.model}")


def _told(args: argparse.Namespace) -> None:
    """Sources, with what was said of how they are written."""
    said = {name: getattr(args, name, None) for name in ("encoding", "delimiter", "header", "decimal")}
    rows = getattr(args, "rows", None)
    if rows is None and all(value is None for value in said.values()):
        return
    from learnt.data.dialects import WORDS, Dialect
    from learnt.data.sources import Source

    header = None if said["header"] is None else said["header"] == "first"
    cut = WORDS.get(said["delimiter"] or "", said["delimiter"])
    dialect = Dialect(encoding=said["encoding"], delimiter=cut, header=header, decimal=said["decimal"])
    for name in READ:
        if getattr(args, name, None) is not None:
            setattr(args, name, Source(getattr(args, name), dialect, rows))
