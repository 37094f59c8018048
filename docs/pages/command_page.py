# SPDX-License-Identifier: MIT
"""command_page.py - weir(1) from what `weir run --help` prints."""

import re

from mdoc import argument, escaped, lines

OPTION = re.compile(r"^ {2}(?=[ -])((?:-\w, +)? *--?[\w-]+\S*(?: [A-Z]\S*)?)(?: +(.*))?$")


def page(help_text, version, date):
    usage, *rest = help_text.rstrip("\n").split("\n\n")
    out = [f".Dd {date}", ".Dt WEIR 1", f".Os weir {version}", ".Sh NAME",
           ".Nm weir", ".Nd run a command for each record, so many at once",
           ".Sh SYNOPSIS", *synopsis(usage), ".Sh DESCRIPTION"]
    first = True
    for block in rest:
        rows = block.split("\n")
        heading = re.fullmatch(r"(\w[\w ]*):", rows[0])
        if heading:
            out += [f".Ss {heading[1]}", *options(rows[1:])]
            continue
        status = block.partition("Exit status:")
        out += ([] if first else [".Pp"]) + sentences(status[0])
        first = False
        if status[1]:
            out += [".Sh EXIT STATUS", *exit_status(status[2])]
    return "\n".join([*out, ".Sh SEE ALSO", ".Xr weir 7"]) + "\n"


def synopsis(usage):
    words = usage.removeprefix("usage:").split()
    out = [f".Nm {words[0]}"]
    for word in words[1:]:
        optional = word.startswith("[")
        bare = word.strip("[]")
        dots = bare.endswith("...")
        bare = bare.removesuffix("...")
        kind = ("Fl \\-" if bare == "--" else f"Ar {bare}" if bare.isupper() or bare == "options"
                else f"Cm {bare}")
        out.append((".Op " if optional else ".") + kind + (" ..." if dots else ""))
    return out


def options(rows):
    """What begins with a dash is an option; the rest goes on about it."""
    out, words = [".Bl -tag -width Ds"], []
    for row in rows:
        at = OPTION.match(row)
        if at:
            out += sentences(" ".join(words))
            out.append(item(at[1].strip()))
            words = [at[2] or ""]
        else:
            words.append(row.strip())
    return [*out, *sentences(" ".join(words)), ".El"]


def item(option):
    flags, parts = option.split(", "), []
    for flag in flags:
        name, _, value = flag.strip().partition(" ")
        name, mark, choices = name.partition("[=")
        part = f"Fl {escaped(name[1:])}"
        if mark:
            part += " Ns Oo =" + argument(choices.rstrip("]")) + " Oc"
        if value:
            part += " Ar " + argument(value.strip())
        parts.append(part)
    return ".It " + " , ".join(parts)


def exit_status(text):
    out = [".Bl -tag -width Ds"]
    for part in " ".join(text.split()).rstrip(".").split("; "):
        number, words = re.match(r"(\d+(?: \+ n)?) (.*)", part).groups()
        out += [f".It {number}", escaped(words[0].upper() + words[1:]) + "."]
    return [*out, ".El"]


def sentences(text):
    text = " ".join(text.split())
    rows = re.split(r"(?<=[.;:]) (?=[A-Z{])", text) if text else []
    return [line for row in rows for line in lines(row)]
