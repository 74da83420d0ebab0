"""Does it keep silent when nothing is said?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from learnt.contracts import Evidence, Finding, Grade, Tools
from learnt.stats.intervals import poisson, wilson
from learnt.stats.wording import percent, percents

OFTEN, TOO_OFTEN = 1.0, 10.0
"""False alarms an hour that are worth a look, and that nobody bears."""
TOLD = 0.9


class Alarms:
    """False alarms an hour on a stream of sound, and how much of what is said is told.

    The stream is made: recordings that nothing was learnt from are said among noise, tones, pieces of recordings and
    those in which nothing is said. Grades: bad when surely above 10 an hour, watch when maybe above 1 an hour or when
    less than 90 % is told, else fine.
    """

    name: ClassVar[str] = "alarms"
    fast: ClassVar[bool] = True
    overhears: ClassVar[bool] = True

    def ask(self, evidence: Evidence, tools: Tools) -> Sequence[Finding]:
        """One finding."""
        heard = None if tools.listen is None else tools.listen()
        if heard is None or not heard.said:
            why = "it does not listen to streams" if heard is None else "no recording is there to be said"
            return [
                Finding(
                    question=self.name,
                    sentence=f"How often it tells what was not said was not examined: {why}.",
                    grade="not examined",
                    source=evidence.source,
                    target=evidence.target,
                )
            ]
        low, high = (end / heard.hours for end in poisson(heard.alarms))
        rate, told = heard.alarms / heard.hours, heard.told / heard.said
        grade: Grade = "bad" if low > TOO_OFTEN else "watch" if high > OFTEN or told < TOLD else "fine"
        alike = percents(*wilson(heard.told, heard.said))
        return [
            Finding(
                question=self.name,
                sentence=(
                    f"In {heard.hours:.2f} hours of sound in which {heard.said:,} recordings are said it tells "
                    f"{heard.told:,} of them, {percent(told)} ({alike}), and {heard.alarms:,} things that were not "
                    f"said: {rate:.2g} an hour ({low:.2g} to {high:.2g})."
                ),
                grade=grade,
                harm={"fine": 0.0, "watch": min(0.5, 0.1 + (1 - told) / 2), "bad": 0.8}[grade],
                value=rate,
                interval=(low, high),
                n=heard.said,
                source=evidence.source,
                unit="number",
                measure="false alarms an hour",
                act=""
                if grade == "fine"
                else "Give recordings in which nothing is said the label that --background names, and train again; or "
                "ask for more certainty: learnt predict MODEL --live --least .99",
                target=evidence.target,
            )
        ]
