"""JSON and YAML that strangers wrote: what is wrong with them is one kind of error each."""

from __future__ import annotations

import json
from json import JSONDecodeError
from typing import Any

from learnt.errors import MissingExtra


def of_json(text: str) -> Any:
    """Raises JSONDecodeError, also for what is nested too deep and for numbers of thousands of digits."""
    try:
        return json.loads(text)
    except JSONDecodeError:
        raise
    except RecursionError:
        raise JSONDecodeError("Nested too deep", text, 0) from None
    except ValueError as error:
        raise JSONDecodeError(str(error).split(";")[0], text, 0) from None


def of_yaml(text: str) -> Any:
    """Plain values only. Raises ValueError, with a sentence that names the line; MissingExtra without pyyaml."""
    try:
        import yaml
    except ImportError:
        raise MissingExtra("pyyaml", "train", "Reading YAML") from None
    try:
        return yaml.safe_load(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    except (yaml.YAMLError, TypeError, AttributeError) as error:
        raise ValueError(" ".join(str(error).split())) from None
