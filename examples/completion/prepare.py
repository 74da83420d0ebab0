"""AESLC-master.zip -> a folder mails/train of one .txt a mail, and mails/dev. python prepare.py ZIP"""

import sys
from pathlib import Path
from zipfile import ZipFile

with ZipFile(sys.argv[1]) as archive:
    for name in archive.namelist():
        if name.endswith(".subject"):
            body = archive.read(name).decode("utf-8", "replace").split("@subject")[0]
            lines = [line.strip() for line in body.splitlines() if line.strip()]
            path = Path("mails", Path(name).parent.name, f"{Path(name).stem}.txt")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines), encoding="utf-8")
