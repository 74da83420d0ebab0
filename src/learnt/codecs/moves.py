"""How far a column of new rows is from the column that was learnt from, of which only settings are left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from learnt.codecs.bins import mean_encoding
from learnt.contracts import Moved
from learnt.stats.differences import chi_squared, fisher, kolmogorov
from learnt.stats.wording import percent


def number_moved(
    name: str, values: NDArray[np.float64], edges: NDArray[np.float64], means: NDArray[np.float64], rows: int
) -> Moved:
    """Values [n] against `rows` values of which `edges` and the mean encoding are known (`codecs.bins`).

    The mean encoding is the distribution function averaged bin by bin, so the largest difference of two of them is at
    most the distance of Kolmogorov and Smirnov. Beside it stand the shares that are missing, below and above.
    """
    n, before = len(values), float(means[-1])
    present = values[~np.isnan(values)]
    there = rows - round(before * rows)
    chances = {"missing": fisher(n - len(present), n, rows - there, rows)}
    sizes = {"missing": abs(1 - len(present) / max(n, 1) - before)}
    said = {"missing": f"{percent(1 - len(present) / max(n, 1))} missing, {percent(before)} before"}
    if len(edges) and len(present) and there:
        below, above = int((present < edges[0]).sum()), int((present > edges[-1]).sum())
        chances |= {"below": fisher(below, len(present), 0, there), "above": fisher(above, len(present), 0, there)}
        sizes |= {"below": below / len(present), "above": above / len(present)}
        said |= {
            "below": f"{percent(below / len(present))} below the least value before, {edges[0]:g}",
            "above": f"{percent(above / len(present))} above the greatest value before, {edges[-1]:g}",
        }
    if len(edges) > 1 and len(present) and there:
        usual = means[:-1] * rows / there
        distance = float(np.abs(mean_encoding(present, edges)[:-1] - usual).max())
        average = edges[0] + float((usual * np.diff(edges)).sum())
        chances["all"], sizes["all"] = kolmogorov(distance, len(present), there), distance
        said["all"] = f"{present[np.isfinite(present)].mean():.4g} on average, {average:.4g} before"
    return _likeliest(name, chances, sizes, said)


def words_moved(name: str, texts: Sequence[str], words: Sequence[str], counts: Sequence[int]) -> Moved:
    """Texts [n] against `counts` of missing texts, of those that are no word, and of each of `words`."""
    n, rows, found = len(texts), sum(counts), Counter(texts)
    listed = [found[word] for word in words]
    now = np.array([found[""], n - found[""] - sum(listed), *listed], np.float64)
    before = np.asarray(counts, np.float64)
    share, usual = now / max(n, 1), before / max(rows, 1)
    places = {"missing": 0, "rare or never seen": 1}
    if words:
        most = int(np.argmax(np.abs(share - usual)[2:]))
        places[repr(words[most])] = most + 2
    chances = {what: fisher(int(now[at]), n, int(before[at]), rows) for what, at in list(places.items())[:2]}
    sizes = {what: float(abs(share[at] - usual[at])) for what, at in places.items()}
    if words:
        chances[repr(words[most])] = chi_squared(now, before)
        sizes[repr(words[most])] = 0.5 * float(np.abs(share - usual).sum())
    said = {what: f"{percent(share[at])} {what}, {percent(usual[at])} before" for what, at in places.items()}
    return _likeliest(name, chances, sizes, said)


def _likeliest(name: str, chances: dict[str, float], sizes: dict[str, float], said: dict[str, str]) -> Moved:
    """The difference that is least likely luck; its chance pays for all that were looked at (Bonferroni)."""
    what = min(chances, key=lambda one: (chances[one], -sizes[one]))
    return Moved(name, min(1.0, len(chances) * chances[what]), sizes[what], said[what])
