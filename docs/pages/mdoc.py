# SPDX-License-Identifier: MIT
"""mdoc.py - headers as manual pages: a page a function, an overview a header."""

import re
import textwrap

OPENING, CLOSING = "([", ".,;:?!)]"
WORD = re.compile(r"^([(\[]*)(.*?)([.,;:?!)\]]*)$", re.S)


def escaped(text):
    text = text.replace("\\", "\\e").replace("──▶", "-->").replace("▶", ">")
    return text.replace("─", "-").replace("│", "|").replace("◀", "<").replace("▲", "^")


def argument(text):
    """Text as one argument of a macro."""
    text = escaped(text).replace('"', '""')
    if len(text) > 1 and text.endswith(tuple(CLOSING)):
        text += "\\&"
    return f'"{text}"' if re.search(r'[\s"]', text) or text in OPENING + CLOSING else text


def lines(text):
    """Plain words as lines of a page that are not too long."""
    rows = textwrap.wrap(escaped(text), 78, break_long_words=False, break_on_hyphens=False)
    return ["\\&" + row if row.startswith((".", "'")) else row for row in rows]


class Writer:
    """Makes pages of headers that have no problems."""

    def __init__(self, headers, cxx_headers, version, date):
        self.headers, self.cxx_headers = headers, cxx_headers
        self.version, self.date = version, date
        self.functions = {item.function: header for header in headers
                          for item in header.functions}
        self.types = {name: header for header in headers
                      for item in header.items for name in item.types}

    def pages(self):
        """(file below man/, text) of each."""
        yield "man7/weir.7", self.index()
        for header in self.headers:
            overview = self.overview_name(header)
            yield f"man7/{overview}.7", self.overview(header)
            for item in header.functions:
                yield f"man3/{item.function}.3", self.function(header, item)
            for item in header.items:
                for name in item.types:
                    if name not in self.functions:
                        yield f"man3/{name}.3", f".so man7/{overview}.7\n"

        for header in self.cxx_headers:
            yield f"man7/{self.overview_name(header)}.7", self.cxx(header)

    @staticmethod
    def overview_name(header):
        name, _, language = header.name.partition(".")
        if language == "hpp":
            return "weir-cpp" if name == "weir" else f"weir-cpp-{name}"
        return "weir-" + name.replace("_", "-")

    def opening(self, name, section):
        return [f".Dd {self.date}", f".Dt {name.upper()} {section}", f".Os weir {self.version}",
                ".Sh NAME"]

    # ------------------------------------------------------------------- pages
    def function(self, header, item):
        card = item.card
        out = self.opening(item.function, 3)
        out += [f".Nm {item.function}", ".Nd " + self.plain(card.summary),
                ".Sh SYNOPSIS", f".In weir/{header.name}", *self.prototype(item),
                ".Sh DESCRIPTION", *self.blocks("\n".join(card.text), item)]
        for key, title in (("Blocks", "BLOCKING"), ("Owns", "OWNERSHIP"),
                           ("Returns", "RETURN VALUES"), ("Threads", "THREADS")):
            if key in card.parts:
                words = " ".join(" ".join(card.parts[key]).split())
                out += [f".Sh {title}", *self.words(words[0].upper() + words[1:], item)]
                if not words.endswith((".", "!", "?")):
                    out[-1] = self.full_stop(out[-1])
        out += [".Sh SEE ALSO", *self.see_also(header, item.function)]
        return "\n".join(out) + "\n"

    def overview(self, header):
        name = self.overview_name(header)
        out = self.opening(name, 7)
        out += [f".Nm {name}", ".Nd " + self.plain(header.title),
                ".Sh SYNOPSIS", f".In weir/{header.name}",
                ".Sh DESCRIPTION"]
        out += self.blocks(header.essay or header.title[0].upper() + header.title[1:] + ".")
        others = [item for item in header.items if not item.function]
        if others:
            out.append(".Sh DECLARATIONS")
            for item in others:
                out += self.other(item)
        if header.functions:
            out.append(".Sh FUNCTIONS")
            out += self.list_of((item.function, 3, item.card.summary)
                                for item in header.functions)
        out += [".Sh SEE ALSO", *self.see_also(header, None)]
        return "\n".join(out) + "\n"

    def cxx(self, header):
        name = self.overview_name(header)
        out = self.opening(name, 7)
        out += [f".Nm {name}", ".Nd " + self.plain(header.title) + " (C++)",
                ".Sh SYNOPSIS", f".In weir/{header.name}", ".Sh DESCRIPTION"]
        out += self.blocks(header.essay or "All of it is in namespace weir.")
        if header.code:
            out += [".Sh DECLARATIONS", ".Bd -literal", *self.literal(header.code), ".Ed"]
        if name == "weir-cpp":
            out.append(".Sh HEADERS")
            out += self.list_of((self.overview_name(other), 7, other.title)
                                for other in self.cxx_headers if other is not header)
        out += [".Sh SEE ALSO", ".Xr weir 7" if name == "weir-cpp" else ".Xr weir-cpp 7"]
        return "\n".join(out) + "\n"

    def index(self):
        out = self.opening("weir", 7)
        out += [".Nm weir", ".Nd producers, a bounded queue, workers", ".Sh SYNOPSIS",
                ".In weir/pool.h", ".Pp", ".Dl cc program.c $(pkg-config --cflags --libs weir)\\&",
                ".Sh DESCRIPTION",
                "Producers feed a bounded, blocking queue, and workers consume it.",
                "A task may fail, hang, crash or end its thread: the workers live on,",
                "memory stays bounded, and every accepted task ends in exactly one outcome.",
                ".Pp", "Each header has an overview, and each function a page of its own."]
        out += self.list_of((self.overview_name(header), 7, header.title)
                            for header in self.headers)
        out += [".Sh SEE ALSO", ".Xr weir 1 ,", ".Xr weir-cpp 7"]
        return "\n".join(out) + "\n"

    def list_of(self, entries):
        out = [".Bl -tag -width Ds"]
        for name, section, summary in entries:
            out += [f".It Xr {name} {section}", *self.words(summary)]
        return out + [".El"]

    def other(self, item):
        """A type, a constant, or words that stand alone."""
        out = []
        title = ", ".join(item.types)
        if title:
            out += [f".Ss {title}"]
        elif item.comment:
            out += [".Pp"]
        if item.comment:
            out += self.blocks(item.comment)
        if item.code:
            out += [".Bd -literal", *self.literal(item.code), ".Ed"]
        return out

    def see_also(self, header, own):
        names = [(item.function, 3) for item in header.functions if item.function != own]
        pages = [(self.overview_name(header), 7)] if own else [("weir", 7)]
        names = sorted(names) if own else []
        names += pages
        return [f".Xr {name} {section}" + (" ," if at + 1 < len(names) else "")
                for at, (name, section) in enumerate(names)]

    # ------------------------------------------------------------------- words
    def prototype(self, item):
        head, _, rest = item.declaration.partition(f"{item.function}(")
        out = [f".Ft {argument(head.strip())}", f".Fo {item.function}"]
        depth, parameter = 0, ""
        for letter in rest.rstrip(") ") + ",":
            depth += (letter == "(") - (letter == ")")
            if letter == "," and depth == 0:
                out.append(f'.Fa "{escaped(parameter.strip())}"')
                parameter = ""
            else:
                parameter += letter
        return [*out, ".Fc"]

    def blocks(self, text, item=None):
        """Paragraphs, lists and what is set in, one after the other."""
        out = []
        for number, block in enumerate(self.cut(text)):
            kind, rows = block
            if kind == "literal":
                out += [".Bd -literal -offset indent", *self.literal("\n".join(rows)), ".Ed"]
            elif kind == "list":
                out.append(".Bl -dash")
                for row in rows:
                    out += [".It", *self.words(row, item)]
                out.append(".El")
            else:
                out += ([".Pp"] if number else []) + self.words(" ".join(rows), item)
        return out

    @staticmethod
    def cut(text):
        block, kind = [], None
        for row in [*text.split("\n"), ""]:
            now = ("list" if row.startswith("  - ") or (kind == "list" and row.startswith("    "))
                   else "literal" if row.startswith("  ")
                   else "text" if row else kind if kind == "literal" else None)
            if now != kind and block:
                while block and not block[-1].strip():
                    block.pop()
                yield kind, block
                block = []
            kind = now
            if now == "list" and not row.startswith("  - "):
                block[-1] += " " + row.strip()
            elif now == "list":
                block.append(row[4:])
            elif now:
                block.append(row)
        if block and any(row.strip() for row in block):
            yield kind, [row for row in block]

    @staticmethod
    def literal(code):
        rows = [escaped(row).replace("-", "\\-") for row in code.rstrip("\n").split("\n")]
        return ["\\&" + row if row.startswith((".", "'")) else row for row in rows]

    def words(self, text, item=None):
        """A paragraph: names become links, what is in backticks code."""
        out, line = [], []

        def flush():
            out.extend(lines(" ".join(line)))
            line.clear()

        for word in self.tokens(text):
            macro = self.macro(word, item)
            if macro:
                flush()
                out.append(macro)
            else:
                line.append(word)
                if word.endswith((".", "?", "!")) and not word.endswith(("e.g.", "i.e.", "...")):
                    flush()
        flush()
        return out

    @staticmethod
    def tokens(text):
        """Words, but what stands in backticks stays together."""
        return re.findall(r"[^\s`]*`[^`]+`[^\s`]*|\S+", text)

    def macro(self, word, item):
        before, middle, after = WORD.match(word).groups()
        call = re.match(r"^(weir_\w+)\(", middle + after)
        if call:
            name, (middle, after) = call[1], self.split_call(middle + after)
        else:
            name = middle
        tail = "".join(" " + mark for mark in after)
        own = item.function if item else None
        if name == own:
            core = f"Fn {name}"
        elif name in self.functions or name in self.types:
            core = f"Xr {name} 3"
        elif re.fullmatch(r"[a-z_]+\(", middle) and after.startswith(")"):
            core, tail = f"Fn {middle[:-1]}", tail[2:]
        elif re.fullmatch(r"WEIR_[A-Z_0-9]+", middle):
            core = f"Dv {middle}"
        elif re.fullmatch(r"`[^`]+`", middle):
            core = f"Va {argument(middle[1:-1])}"
        elif re.fullmatch(r"\*[a-z]\w*|[a-z]+(_[a-z]+)+", middle):
            core = f"Va {middle}"
        else:
            return None
        return f".Pf {before} {core}{tail}" if before else f".{core}{tail}"

    @staticmethod
    def split_call(word):
        """A call's closing bracket goes with it, marks behind it do not."""
        end = word.rindex(")") + 1 if ")" in word else len(word)
        opened = word[:end]
        while opened.count(")") > opened.count("("):
            opened = opened[:opened.rindex(")")]
        return opened, word[len(opened):]

    @staticmethod
    def plain(text):
        return escaped(" ".join(text.split())).rstrip(".")

    @staticmethod
    def full_stop(row):
        return row + " ." if row.startswith(".") else row + "."
