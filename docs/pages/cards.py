# SPDX-License-Identifier: MIT
"""cards.py - reads the public headers: their essays, types and functions' cards.

A card is the comment before a function: what it does, then what is to be known,
each under its word and in this order:

    Blocks:  Owns:  Returns:  Threads:

What is missing or cannot be right is a problem, told with file and line.
"""

import re

KEYS = ["Blocks", "Owns", "Returns", "Threads"]
KEY_LIKE = re.compile(r"^([A-Z][a-z]+):\s+(?=\S)")
# What people write by mistake; any word is one that stands as a key does.
NO_KEYS = {"Block", "Blocking", "Own", "Owner", "Ownership", "Return", "Thread", "Threading"}
KEY_WIDTH = 9
NAME = re.compile(r"\b(weir_\w+)\s*\(")
STATUS = re.compile(r"\bWEIR_[A-Z_0-9]+\b")


class Card:
    """What a comment says, cut into what it does and the parts under keys."""

    def __init__(self, comment, line):
        self.line = line
        self.text, self.parts, self.wrong = [], {}, []
        key, last = None, -1
        for row in comment.split("\n"):
            at = KEY_LIKE.match(row)
            if at and at[1] in KEYS:
                key = at[1]
                if key in self.parts:
                    self.wrong.append(f"'{key}:' stands there twice")
                elif KEYS.index(key) < last:
                    self.wrong.append(f"'{key}:' is out of order: {': '.join(KEYS)}:")
                last = KEYS.index(key)
                self.parts[key] = [row[at.end():]]
            elif at and (key or at.end() == KEY_WIDTH or at[1] in NO_KEYS):
                self.wrong.append(f"'{at[1]}:' is no key of a card; these are: "
                                  + ", ".join(KEYS))
            elif key:
                if row and not row.startswith("  "):
                    self.wrong.append(f"text after '{key}:' is not set in: {row.strip()}")
                self.parts[key].append(row.strip())
            else:
                self.text.append(row)
        while self.text and not self.text[-1]:
            self.text.pop()
        if not self.text:
            self.wrong.append("it does not say what the function does")

    @property
    def summary(self):
        """The first sentence, to stand behind a name."""
        first = " ".join(" ".join(self.text).split())
        sentence = re.split(r"(?<=[^.][.;:])\s", first, maxsplit=1)[0].rstrip(".;:")
        if re.match(r"[A-Z][a-z]", sentence) and not sentence.startswith("Poison"):
            sentence = sentence[0].lower() + sentence[1:]
        return sentence.replace("`", "")


class Item:
    """A piece of a header: a comment, and the code that stands right below it."""

    def __init__(self, comment, code, line):
        self.comment, self.code, self.line = comment, code, line
        is_function = code.startswith(("WEIR_API", "static inline"))
        named = NAME.search(code) if is_function else None
        self.function = named[1] if named else None
        self.card = Card(comment or "", line) if is_function else None

    @property
    def declaration(self):
        """A function's, in one line, without what is for compilers."""
        head = self.code.split("\n{")[0]
        head = re.sub(r"\bWEIR_(API|MUST_USE|NO_RETURN)\b|\bstatic inline\b"
                      r"|WEIR_PRINTF\([^)]*\)|;", " ", head)
        return re.sub(r"\s+", " ", head).strip()

    @property
    def types(self):
        """The names that this declares, other than a function's."""
        code = re.sub(r"/\*.*?\*/", "", self.code, flags=re.S)
        found = re.findall(r"^}\s*(weir_\w+);|^typedef [^({]*?\b(weir_\w+);"
                           r"|^typedef [\w\s*]*?\b(weir_\w+)\(", code, flags=re.M)
        return [name for names in found for name in names if name]


class Header:
    def __init__(self, path, text):
        self.path, self.name = path, path.name
        self.items = []
        pieces = list(self.cut(text))
        self.title, self.essay = self.opening(pieces)
        for comment, code, line in pieces[1:]:
            if code or comment:
                self.items.append(Item(comment, code, line))

    @property
    def functions(self):
        return [item for item in self.items if item.function]

    @staticmethod
    def opening(pieces):
        """What follows the name of the file, and the paragraphs below it."""
        first, _, rest = pieces[0][0].partition("\n\n")
        title = " ".join(first.split())
        return title.partition(" - ")[2].rstrip("."), rest

    @staticmethod
    def cut(text):
        """The comments at the left margin, each with the code below it."""
        lines, at = text.split("\n"), 0
        comment, start = None, 0
        while at < len(lines):
            line = lines[at]
            if line.startswith("/* SPDX"):
                at += 1
            elif line.startswith("/*"):
                if comment is not None:
                    yield comment, "", start
                begin = at
                while "*/" not in lines[at]:
                    at += 1
                comment, start = Header.words(lines[begin:at + 1]), begin + 1
                at += 1
                if at < len(lines) and (not lines[at] or Header.is_frame(lines[at])):
                    yield comment, "", start
                    comment = None
            elif not line.strip() or Header.is_frame(line):
                while line.endswith("\\"):
                    at += 1
                    line = lines[at]
                at += 1
            else:
                code, begin = [], at
                while at < len(lines) and lines[at].strip() \
                        and not (code and lines[at].startswith(("WEIR_API", "/*"))):
                    code.append(lines[at])
                    at += 1
                yield comment, "\n".join(code), begin + 1
                comment = None
        if comment is not None:
            yield comment, "", start

    @staticmethod
    def is_frame(line):
        return re.match(r"#\s*(include|if|ifndef|ifdef|endif|else|elif)\b"
                        r"|#define WEIR_\w+_HP?P?$|WEIR_(BEGIN|END)_DECLS", line)

    @staticmethod
    def words(lines):
        text = "\n".join(lines)
        text = re.sub(r"^/\*[ ]?|[ ]*\*/$", "", text)
        rows = [re.sub(r"^ \*[ ]?| {3}(?=\S)", "", row, count=1) for row in text.split("\n")]
        return "\n".join(row.rstrip() for row in rows).strip("\n")


def read(folder):
    """The headers of C below `folder`, by name."""
    return [Header(path, path.read_text(encoding="utf-8"))
            for path in sorted(folder.glob("*.h"))]


def constants(headers):
    """All WEIR_ names that the headers define."""
    text = "\n".join(header.path.read_text(encoding="utf-8") for header in headers)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return set(STATUS.findall(text)) | {"WEIR_"}


def problems(headers):
    """Every problem as file:line: what; none if the cards are in order."""
    known = constants(headers)
    functions = {item.function for header in headers for item in header.functions}
    types = {name for header in headers for item in header.items for name in item.types}
    for header in headers:
        if not header.title:
            yield f"{header.path}:2: the first comment must be 'weir/{header.name} - WHAT'"
        for item in header.items:
            where = f"{header.path}:{item.line}"
            if item.card:
                yield from (f"{where}: {item.function}: {wrong}"
                            for wrong in missing(item, header))
            text = item.comment or ""
            for name in STATUS.findall(text):
                if name not in known and not name.endswith("_"):
                    yield f"{where}: {name} is not defined by any header"
            for name in re.findall(r"\bweir_\w+\b(?!\.\w|/)", text):
                if name not in functions and name not in types and not name.endswith("_"):
                    yield f"{where}: {name} is neither a function nor a type"


def missing(item, header):
    if item.comment is None:
        yield "it has no card: a comment right above it"
        return
    yield from item.card.wrong
    if not re.search(r"\b[Tt]hread", item.comment) \
            and "Unless a card says otherwise" not in header.essay:
        yield "'Threads:' is missing: from which threads it may be called"
    if re.match(r"weir_status\b", item.declaration) \
            and "Returns" not in item.card.parts:
        yield "'Returns:' is missing: which statuses, and when"
