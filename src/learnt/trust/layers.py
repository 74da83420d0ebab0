"""What do its layers look for?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

from learnt.contracts import Channel, Evidence, Finding, Tools
from learnt.stats.wording import percent

_MOSTLY = 0.5
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


class Layers:
    """Some channels of each stage: a picture made to excite one, beside the pieces of training examples that do.

    Grade: always fine, for nothing is judged.
    """

    name: ClassVar[str] = "layers"
    fast: ClassVar[bool] = True
    draws: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:
        """One finding, its rows the channels, stage by stage."""
        channels = tools.layers() if tools.layers is not None else ()
        if not channels:
            why = "What its layers look for was not examined: that is shown where pictures are trained on."
            return [Finding(self.name, why, "not examined", source=evidence.source, target=evidence.target)]
        several = len({channel.input for channel in channels}) > 1
        return [
            Finding(
                question=self.name,
                sentence=_sentence(channels),
                grade="fine",
                source="file",
                rows=[_row(channel, several) for channel in channels],
                picture="layers",
                act="Look at the last stage: it should show the thing itself, not a mark, a border or a background "
                "beside it.",
                target=evidence.target,
            )
        ]


def _sentence(channels: Sequence[Channel]) -> str:
    """How far the first and the last stage see, of the first input."""
    first, last = channels[0], [one for one in channels if one.input == channels[0].input][-1]
    if first.stage == last.stage:
        return f"It looks at pieces {percent(first.field)} of a picture wide."
    return (
        f"It sees in {last.stages} stages: the first knows pieces {percent(first.field)} of a picture wide, such as "
        f"edges and colours, the last puts them together to pieces {percent(last.field)} wide."
    )


def _row(channel: Channel, several: bool) -> dict[str, Any]:
    of = f" of {channel.input}" if several else ""
    wide = "whole pictures" if channel.field >= 1 else f"pieces {percent(channel.field)} of a picture wide"
    named = f"{_ORDINALS[channel.stage].capitalize()} stage" if channel.stage < 8 else f"Stage {channel.stage + 1}"
    return {
        "kind": f"{named}{of}: {wide}",
        "name": f"channel {channel.number + 1}",
        "imagined": channel.imagined,
        "pieces": [one.pictures[0] for one in channel.pieces],
        "said": _mostly([one.truth for one in channel.pieces if one.truth]),
    }


def _mostly(truths: Sequence[str]) -> str:
    """The label of most pieces, where there is one."""
    if not truths:
        return ""
    label, count = Counter(truths).most_common(1)[0]
    return f"mostly {label} ({count} of {len(truths)})" if count > _MOSTLY * len(truths) else "of several labels"
