# SPDX-License-Identifier: MIT
"""pages.py - manual pages, and the same as HTML, from the cards in the headers.

    pages.py check            are all cards there and in order?
    pages.py man FOLDER       write FOLDER/man3 and FOLDER/man7
    pages.py html FOLDER      write FOLDER/*.html (needs mandoc)
"""

import argparse
import datetime
import os
import pathlib
import subprocess
import sys

import cards
import command_page
import cxx
import html_pages
import mdoc

ROOT = pathlib.Path(__file__).resolve().parents[2]


def date():
    """Today's, or SOURCE_DATE_EPOCH's, so that builds can be repeated."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    day = (datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc)
           if seconds else datetime.datetime.now(datetime.timezone.utc))
    return f"{day:%B} {day.day}, {day.year}"


def checked(include):
    headers = cards.read(include)
    if not headers:
        sys.exit(f"pages.py: there are no headers in {include}")
    problems = list(cards.problems(headers))
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        sys.exit(f"pages.py: {len(problems)} to mend; CONTRIBUTING.md says what a card is")
    return headers


def version(include):
    text = (include / "version.h").read_text(encoding="utf-8")
    return text.partition('WEIR_VERSION_TEXT')[2].split('"')[1]


def write_man(headers, include, folder, options):
    writer = mdoc.Writer(headers, cxx.read(include), version(include), date())
    written = list(writer.pages())
    if options.command:
        text = subprocess.run([options.command, "run", "--help"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        written.append(("man1/weir.1", command_page.page(text, version(include), date())))
    for name, text in written:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return written


def main():
    parser = argparse.ArgumentParser(description="pages from the cards in the headers")
    parser.add_argument("what", choices=["check", "man", "html"])
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("--include", type=pathlib.Path, default=ROOT / "include/weir",
                        help="the folder with the headers")
    parser.add_argument("--command", help="the weir that tells its options by run --help")
    options = parser.parse_args()
    headers = checked(options.include)
    if options.what == "check":
        functions = sum(len(header.functions) for header in headers)
        print(f"{functions} functions in {len(headers)} headers, each with its card")
        return
    if options.folder is None:
        parser.error(f"{options.what} needs a FOLDER to write to")
    written = write_man(headers, options.include, options.folder, options)
    if options.what == "html":
        html_pages.write(options.folder, written)
    print(f"{options.folder}: {len(written)} pages")


if __name__ == "__main__":
    main()
