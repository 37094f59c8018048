# SPDX-License-Identifier: MIT
"""cxx.py - what a header of C++ declares for its users: no bodies, nothing private."""

import re

from cards import Header

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
SCOPE = re.compile(r"\b(class|struct|enum|union|namespace|extern)\b")
LABEL = re.compile(r"\b(public|protected|private):")


class CxxHeader:
    def __init__(self, path, text):
        self.path, self.name = path, path.name
        self.title, self.essay = Header.opening(list(Header.cut(text)))
        self.code = shown(text[text.index("namespace weir"):]) if "namespace weir" in text else ""


def shown(text):
    """The declarations of namespace weir, laid out as they were."""
    out, at = declarations(text, text.index("{") + 1)
    code = re.sub(r"// namespace \w+", "", out)
    code = re.sub(r"[ \t]+\n", "\n", code)
    return re.sub(r"\n{3,}", "\n\n", code).strip("\n")


def declarations(text, at):
    """What stands from `at` to the end of its scope, and where that is."""
    out, head, hidden = "", "", False
    while at < len(text):
        comment = COMMENT.match(text, at)
        label = LABEL.match(text, at)
        letter = text[at]
        if comment:
            head += comment[0]
            at = comment.end()
        elif label:
            out, head = (out if hidden else out + head), ""
            hidden = label[1] != "public"
            head = "" if hidden else label[0]
            at = label.end()
        elif letter == "}":
            return (out if hidden else out + head).rstrip(" \n") + "\n", at + 1
        elif letter == "{" and is_in_brackets(head):
            end = closing(text, at)
            head += text[at:end]
            at = end
        elif letter == "{":
            plain = COMMENT.sub("", head)
            if SCOPE.search(re.sub(r"<[^{}]*>", "", plain.split("(")[0])):
                inner, end = declarations(text, at + 1)
                is_hidden = "namespace detail" in plain
                piece = bases(inner, text) if is_hidden else head + "{" + inner + "}"
            else:
                end = closing(text, at)
                piece = without_body(head) + ";"
            at = end
            out += "" if hidden else piece
            head = ""
        else:
            head += letter
            at += 1
            if letter == ";":
                out += "" if hidden else head
                head = ""
    return out + head, at


def bases(inner, text):
    """Of what is hidden, the classes that users inherit members of."""
    rows, found = inner.split("\n"), []
    for name in dict.fromkeys(re.findall(r"public detail::(\w+)", text)):
        for at, row in enumerate(rows):
            if re.search(rf"\bclass {name}\b[^;]*$", row):
                first = at
                while rows[first - 1]:
                    first -= 1
                last = rows.index("};", at)
                found += ["", *rows[first:last + 1]]
    return "\n".join([*found, ""])


def is_in_brackets(head):
    head = COMMENT.sub("", head)
    return head.count("(") > head.count(")")


def closing(text, at):
    depth = 0
    while True:
        comment = COMMENT.match(text, at)
        if comment:
            at = comment.end()
            continue
        depth += (text[at] == "{") - (text[at] == "}")
        at += 1
        if depth == 0:
            return at


def without_body(head):
    """A constructor's head without what it initializes."""
    return re.sub(r"(\)(?:\s*noexcept)?)\s*:\s(?!:).*$", r"\1", head, flags=re.S).rstrip()


def read(folder):
    return [CxxHeader(path, path.read_text(encoding="utf-8"))
            for path in sorted(folder.glob("*.hpp"))]
