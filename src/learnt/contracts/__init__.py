"""The contracts between the parts: words, shapes and protocols. Knows no modality, no task and no question by name.

An example goes this way. Cells are `read` into raw arrays on the host, `prepare` turns raw tensors into network
tensors, an encoder turns those into features, `fuse` joins the inputs, a head says named outputs, `deploy` makes of
them what the file says, `decode` makes predictions, `judge` makes verdicts, and the questions of trust see only
evidence.
Everything from `prepare` to `deploy` is inside the file; `read` and `decode` are the only steps outside.
"""

from __future__ import annotations

from learnt.contracts.evidence import (
    Evidence,
    Finding,
    Grade,
    Lesson,
    Moved,
    Question,
    Reasons,
    Retrain,
    Tools,
    Unlabelled,
    Verdicts,
)
from learnt.contracts.modality import (
    Doubts,
    Encoder,
    Legible,
    Measurable,
    Modality,
    Occlude,
    Opens,
    Remembers,
    Shrinks,
    Varies,
)
from learnt.contracts.task import (
    Decides,
    Guessing,
    Paced,
    Part,
    Prediction,
    Refuses,
    Sifts,
    Stratified,
    Suggests,
    Task,
    Tempered,
    Timed,
    Unrolls,
)
from learnt.contracts.words import (
    Arrays,
    Cells,
    Column,
    Columns,
    Features,
    Parts,
    Piece,
    Raw,
    Settings,
    Shape,
    Spec,
    Tensors,
)

__all__ = [
    "Arrays",
    "Cells",
    "Column",
    "Columns",
    "Decides",
    "Doubts",
    "Encoder",
    "Evidence",
    "Features",
    "Finding",
    "Grade",
    "Guessing",
    "Legible",
    "Lesson",
    "Measurable",
    "Modality",
    "Moved",
    "Occlude",
    "Opens",
    "Paced",
    "Part",
    "Parts",
    "Piece",
    "Prediction",
    "Question",
    "Raw",
    "Reasons",
    "Refuses",
    "Remembers",
    "Retrain",
    "Settings",
    "Shape",
    "Shrinks",
    "Sifts",
    "Spec",
    "Stratified",
    "Suggests",
    "Task",
    "Tempered",
    "Tensors",
    "Timed",
    "Tools",
    "Unlabelled",
    "Unrolls",
    "Varies",
    "Verdicts",
]
