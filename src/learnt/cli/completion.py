"""`learnt completion SHELL`: a script that completes commands, options and what is known of their values.

It is made from the options themselves; where it knows nothing the shell completes names of files.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from learnt import recipes, registry
from learnt.demo import DEMOS


@dataclass(frozen=True)
class Offered:
    """What can be typed behind a command."""

    about: str
    options: Mapping[str, str]
    """Option -> what it is for."""
    valued: frozenset[str]
    """Options that a value follows."""
    values: Mapping[str, Sequence[str]]
    """Option -> values that are known; "" for what stands without an option."""


def script(shell: str, parsers: Mapping[str, argparse.ArgumentParser]) -> str:
    """The script for one of `SHELLS`."""
    return "\n".join(SHELLS[shell]({name: _offered(name, parser) for name, parser in parsers.items()})) + "\n"


def _offered(command: str, parser: argparse.ArgumentParser) -> Offered:
    options: dict[str, str] = {}
    values: dict[str, Sequence[str]] = {"": list(DEMOS)} if command == "demo" else {}
    valued = set()
    known = {
        "--ask": ["fast", "all", *registry.names("trust")],
        "--task": registry.names("tasks"),
        "--size": list(recipes.WIDER),
    }
    for action in parser._actions:
        names = [name for name in action.option_strings if name.startswith("--")]
        options |= dict.fromkeys(names, (action.help or "").replace("%%", "%"))
        for name in names or [""]:
            if name and action.nargs != 0:
                valued.add(name)
            if action.choices is not None:
                values[name] = [str(choice) for choice in action.choices]
            elif name in known:
                values[name] = known[name]
    return Offered(parser.description or "", options, frozenset(valued), values)


def _bash(offered: Mapping[str, Offered]) -> Iterator[str]:
    yield "_learnt() {"
    yield '    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" said=""'
    yield '    if [ "$COMP_CWORD" -eq 1 ]; then'
    yield f"        said={shlex.quote(' '.join([*offered, '--help', '--version']))}"
    yield "    else"
    yield from _cases(offered, "${COMP_WORDS[1]}", "$before", "$word")
    yield "    fi"
    yield '    COMPREPLY=($(compgen -W "$said" -- "$word"))'
    yield "}"
    yield "complete -o bashdefault -o default -F _learnt learnt"


def _zsh(offered: Mapping[str, Offered]) -> Iterator[str]:
    yield "#compdef learnt"
    yield "_learnt() {"
    yield '    local word="$words[CURRENT]" before="$words[CURRENT-1]" said=""'
    yield "    if (( CURRENT == 2 )); then"
    yield f"        said={shlex.quote(' '.join([*offered, '--help', '--version']))}"
    yield "    else"
    yield from _cases(offered, "$words[2]", "$before", "$word")
    yield "    fi"
    yield '    if [[ -n "$said" ]]; then compadd -- ${=said}; else _files; fi'
    yield "}"
    yield "compdef _learnt learnt"


def _cases(offered: Mapping[str, Offered], command: str, before: str, word: str) -> Iterator[str]:
    """What bash and zsh write alike: `said` by what stands there already."""
    yield f'        case "{command} {before}" in'
    for name, found in offered.items():
        for option, values in found.values.items():
            if option:
                yield f'            "{name} {option}") said={shlex.quote(" ".join(values))} ;;'
        if free := [f'"{name} {option}"' for option in sorted(found.valued - set(found.values))]:
            yield f"            {'|'.join(free)}) ;;"
    yield f'            *) case "{command} {word}" in'
    for name, found in offered.items():
        yield f'                "{name} -"*) said={shlex.quote(" ".join(found.options))} ;;'
        if "" in found.values:
            yield f'                "{name} "*) said={shlex.quote(" ".join(found.values[""]))} ;;'
    yield "            esac ;;"
    yield "        esac"


def _fish(offered: Mapping[str, Offered]) -> Iterator[str]:
    for name, found in offered.items():
        yield f"complete -c learnt -n __fish_use_subcommand -f -a {name} -d {_fished(found.about)}"
    for name, found in offered.items():
        here = f"complete -c learnt -n '__fish_seen_subcommand_from {name}'"
        if "" in found.values:
            yield f"{here} -f -a {_fished(' '.join(found.values['']))}"
        for option, about in found.options.items():
            if option in found.values:
                follows = f" -x -a {_fished(' '.join(found.values[option]))}"
            else:
                follows = " -r" if option in found.valued else ""
            yield f"{here} -l {option[2:]}{follows} -d {_fished(about)}"


def _fished(text: str) -> str:
    """Quoted as fish has it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


SHELLS: Mapping[str, Callable[[Mapping[str, Offered]], Iterator[str]]] = {"bash": _bash, "fish": _fish, "zsh": _zsh}
