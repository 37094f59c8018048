#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""page.py [--check] - puts what stands in the programs of this folder between
the marks ">> N" and "<<" into ../../coming-from.md, wherever it says
<!-- docs/examples/coming/FILE N -->; with --check it only says what differs."""

import pathlib
import re
import sys
import textwrap

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PAGE = ROOT / "docs" / "coming-from.md"
LANGUAGES = {".c": "c", ".java": "java", ".py": "python"}
BLOCK = re.compile(r"<!-- (docs/examples/coming/\S+) (\d+) -->\n```\w*\n(.*?)```\n",
                   re.DOTALL)


def parts(file):
    """What stands between the marks: number -> text."""
    found, number, lines = {}, None, []
    for line in (ROOT / file).read_text().splitlines():
        mark = re.match(r"\s*(?:/\*|//|#) (>> (\d+)|<<)(?: \*/)?$", line)
        if mark and mark[2]:
            if number:
                sys.exit(f"{file}: >> {mark[2]} within >> {number}")
            number, lines = mark[2], []
        elif mark:
            if not number:
                sys.exit(f"{file}: << without >>")
            text = textwrap.dedent("\n".join(lines))
            found.setdefault(number, []).append(text.strip("\n"))
            number = None
        elif number:
            lines.append(line)
    if number:
        sys.exit(f"{file}: >> {number} has no end")
    return {number: join(texts) for number, texts in found.items()}


def join(texts):
    """What a function does stands apart from it; what goes on does not."""
    whole = texts[0]
    for text in texts[1:]:
        whole += ("\n\n" if whole.endswith("}") else "\n") + text
    return whole


def fill(page):
    programs, shown, wrong = {}, set(), []

    def block(match):
        file, number, old = match[1], match[2], match[3]
        if file not in programs:
            programs[file] = parts(file)
        if number not in programs[file]:
            sys.exit(f"{file} has no >> {number}")
        shown.add((file, number))
        new = programs[file][number] + "\n"
        if new != old:
            wrong.append(f"{file} {number}")
        language = LANGUAGES[pathlib.Path(file).suffix]
        return f"<!-- {file} {number} -->\n```{language}\n{new}```\n"

    page = BLOCK.sub(block, page)
    for file in sorted(path for path in HERE.iterdir() if path.suffix in LANGUAGES):
        name = str(file.relative_to(ROOT))
        if file.name == "page.py":
            continue
        for number in parts(name):
            if (name, number) not in shown:
                sys.exit(f"{name} {number} is not shown in {PAGE.name}")
    return page, wrong


def main():
    page, wrong = fill(PAGE.read_text())
    if sys.argv[1:] == ["--check"]:
        if wrong:
            sys.exit(f"{PAGE.name} shows what is not in the programs: "
                     f"{', '.join(wrong)}; run docs/examples/coming/page.py")
    else:
        PAGE.write_text(page)


main()
