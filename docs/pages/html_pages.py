# SPDX-License-Identifier: MIT
"""html_pages.py - manual pages as HTML: mandoc lays them out, names become links."""

import html
import re
import shutil
import subprocess
import sys

STYLE = """\
:root { color-scheme: light dark; --ink: #1d2429; --paper: #fdfdfb; --dim: #5d6a72;
  --line: #d9dedc; --link: #0b5d8a; --code: #f1f3f0; }
@media (prefers-color-scheme: dark) { :root { --ink: #dfe5e3; --paper: #15191b;
  --dim: #94a2a8; --line: #333c40; --link: #7cc4ee; --code: #1e2427; } }
body { margin: 0 auto; padding: 1rem 1.25rem 4rem; max-width: 50rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.55 system-ui, sans-serif; }
nav { border-bottom: 1px solid var(--line); padding-bottom: .5rem; color: var(--dim); }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
h1 { font-size: 1.05rem; margin: 1.6rem 0 .3rem; letter-spacing: .04em; }
h2 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
h1 a.permalink, h2 a.permalink { color: inherit; }
pre, code, var, .Li { font: .86em/1.5 ui-monospace, monospace; }
pre { background: var(--code); padding: .7rem .9rem; overflow-x: auto; border-radius: 4px; }
.Bd-indent { margin-left: 1.2rem; }
.Fa, .Va, .Ar { font-style: italic; }
section.Sh > p, section.Sh > dl, section.Sh > div { margin-left: 0; }
dt { margin-top: .5rem; }
dd { margin-left: 1.6rem; }
table.head, table.foot, .head, .foot { display: none; }
"""


def write(folder, written):
    if not shutil.which("mandoc"):
        sys.exit("pages.py: mandoc is needed for HTML (Debian: apt-get install mandoc)")
    homes = {}  # a type's page is its header's
    for name, text in written:
        if text.startswith(".so "):
            homes[file_name(name)] = file_name(text.split()[1])
    known = {file_name(name) for name, _ in written}
    for name, text in written:
        if not text.startswith(".so "):
            page = laid_out(folder / name, name)
            (folder / file_name(name)).write_text(linked(page, known, homes), encoding="utf-8")
    (folder / "page.css").write_text(STYLE, encoding="utf-8")
    shutil.copyfile(folder / "weir.7.html", folder / "index.html")


def file_name(name):
    return name.split("/")[-1] + ".html"


def laid_out(path, name):
    body = subprocess.run(
        ["mandoc", "-T", "html", "-O", "fragment,man=%N.%S.html", str(path)],
        check=True, capture_output=True, text=True).stdout
    title = name.split("/")[-1]
    return (f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n'
            f'<link rel="stylesheet" href="page.css">\n'
            f'<nav><a href="index.html">weir</a> &rsaquo; {title}</nav>\n{body}</html>\n')


def linked(page, known, homes):
    """Types link to where they stand, also from prototypes and code."""
    def target(name):
        file = f"{name}.3.html"
        if file in homes:
            return f"{homes[file]}#{name}"
        return file if file in known else None

    def anchor(match):
        where = target(match[0])
        return f'<a href="{where}">{match[0]}</a>' if where else match[0]

    def names(match):
        return match[1] + re.sub(r"\bweir_\w+\b", anchor, match[2]) + match[3]

    page = re.sub(r'(<(?:var class="F[ta]"|code class="Fa")[^>]*>)(.*?)(</(?:var|code)>)', names,
                  page, flags=re.S)
    page = re.sub(r"(<pre[^>]*>)(.*?)(</pre>)", names, page, flags=re.S)
    page = re.sub(r'<a class="In">weir/(\w+)\.(h|hpp)</a>', overview, page)
    page = re.sub(r'href="(weir_\w+)\.3\.html"',
                  lambda at: f'href="{html.escape(target(at[1]) or at[0])}"', page)
    return re.sub(r'<h2 class="Ss" id="[^"]*">(.*?)</h2>', heading, page, flags=re.S)


def heading(match):
    """A heading of several types has an anchor for each."""
    words = re.sub(r"<.*?>", "", match[1])
    types = re.findall(r"weir_\w+", words)
    if not types:
        return match[0]
    names = ", ".join(f'<a class="permalink" id="{name}" href="#{name}">{name}</a>'
                      for name in types)
    return f'<h2 class="Ss">{names}</h2>'


def overview(match):
    name = match[1].replace("_", "-")
    page = name if match[2] == "h" else "cpp" if name == "weir" else f"cpp-{name}"
    return f'<a class="In" href="weir-{page}.7.html">weir/{match[1]}.{match[2]}</a>'
