"""Made-up card payments, for whoever has none at hand. No real person, card or shop is in them.

history.csv: two months; all frauds, and one in ten of the honest payments, as such tables are often kept.
today.csv: the payments of a later week, all of them, with what turned out.
branch.csv: another branch, which sells other things to other people.
"""

from __future__ import annotations

import csv
from datetime import date, timedelta

import numpy as np


def payments(rows: int, days: int, start: date, seed: int, shift: float = 0.0, factor: float = 1.0) -> list[dict]:
    """`shift` makes fraud rarer or more frequent, `factor` the amounts larger."""
    random = np.random.default_rng(seed)
    day = np.sort(random.integers(0, days, rows))
    amount = random.lognormal(3.2, 1.1, rows) * factor
    hour = random.integers(0, 24, rows)
    country = random.choice(["DE", "FR", "KR", "US", "BR"], rows, p=[0.5, 0.2, 0.1, 0.15, 0.05])
    age = random.integers(1, 120, rows)
    new_shop = random.random(rows) < 0.3
    odds = -10.5 + shift + 2.0 * (np.log(amount / factor) - 3.2) + 4.0 * (hour < 5) + 3.0 * new_shop
    odds += 2.5 * np.isin(country, ["BR", "US"]) + 4.0 * (age < 6)
    fraud = random.random(rows) < 1 / (1 + np.exp(-odds))
    return [
        {
            "id": f"{seed}-{row}",
            "day": (start + timedelta(days=int(day[row]))).isoformat(),
            "amount": f"{amount[row]:.2f}",
            "hour": int(hour[row]),
            "country": country[row],
            "card_age": int(age[row]),
            "new_shop": "yes" if new_shop[row] else "no",
            "fraud": "yes" if fraud[row] else "no",
        }
        for row in range(rows)
    ]


def write(name: str, rows: list[dict]) -> None:
    with open(name, "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def main() -> None:
    every = payments(60_000, 60, date(2025, 1, 1), seed=1)
    kept = np.random.default_rng(2).random(len(every)) < 0.1
    write("history.csv", [row for row, keep in zip(every, kept, strict=True) if keep or row["fraud"] == "yes"])
    write("today.csv", payments(7_000, 7, date(2025, 3, 2), seed=3))
    write("branch.csv", payments(3_000, 7, date(2025, 3, 2), seed=4, shift=1.5, factor=4.0))
    share = sum(row["fraud"] == "yes" for row in every) / len(every)
    print(f"history.csv, today.csv and branch.csv are written. Before the thinning {100 * share:.2f} % were fraud.")


if __name__ == "__main__":
    main()
