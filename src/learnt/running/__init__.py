"""A training from begin to file, one file a stage. Each stage holds what the stages before it left, and adds to it."""

from learnt.running.beginning import Begun, begin
from learnt.running.exporting import Exported, export
from learnt.running.fitting import Fitted, fit
from learnt.running.folding import Folded, fold
from learnt.running.preparing import Prepared, prepare

__all__ = ["Begun", "Exported", "Fitted", "Folded", "Prepared", "begin", "export", "fit", "fold", "prepare"]
