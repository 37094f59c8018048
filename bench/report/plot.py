# SPDX-License-Identifier: MIT
"""plot.py - plots as SVG that a browser shows in the reader's colours.

bars: groups of bars, one for each contender, as weir-bench --svg draws them.
lines: how a figure grows with something that doubles, a line for each contender.
A mark is (median, least, most); whiskers go from the least to the most.
"""

import math
from xml.sax.saxutils import escape

WIDTH = 860
LEFT, RIGHT = 170, 780  # of the bars: names before, figures behind
BAR, GROUP, HEAD, FOOT = 18, 30, 66, 40
HEIGHT = 300  # of the lines
FAR_APART = 20  # beyond this a linear scale hides the least

# Of c0, c1, ...: by day and by night.
COLOURS = [("#2368d8", "#5c9dff"), ("#7c8792", "#98a4af"), ("#a9bccb", "#4d6273"),
           ("#0f8a7a", "#3fc7b3"), ("#d9730d", "#ffa94d"), ("#9a4fc4", "#c792ea"),
           ("#b03a4f", "#f0788c")]


def colours(night):
    return "\n".join(f"    .c{i} {{ fill: {both[night]} }} "
                     f".s{i} {{ stroke: {both[night]} }}"
                     for i, both in enumerate(COLOURS))


STYLE = f"""<style>
  text {{ font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif;
    fill: #1d2329 }}
  .page {{ fill: #ffffff }}
  .title {{ font-size: 16px; font-weight: 600 }}
  .group {{ font-weight: 600 }}
  .faint {{ fill: #5b6670; font-size: 12px }}
  .over {{ fill: #5b6670; font-size: 12px; stroke: #ffffff; stroke-width: 4;
    paint-order: stroke }}
  .grid {{ stroke: #d9dee3; stroke-width: 1 }}
  .asked {{ stroke: #1d2329; stroke-width: 1.2; stroke-dasharray: 5 4 }}
  .whisker {{ stroke: #1d2329; stroke-width: 1.2; fill: none }}
  .line {{ stroke-width: 2; fill: none }}
  .reach {{ stroke-width: 1; fill: none; opacity: .6 }}
{colours(0)}
  @media (prefers-color-scheme: dark) {{
    text {{ fill: #e6e9ec }} .page {{ fill: #12161a }}
    .faint {{ fill: #9aa5af }} .over {{ fill: #9aa5af; stroke: #12161a }}
    .grid {{ stroke: #2c343b }}
    .whisker, .asked {{ stroke: #e6e9ec }}
{colours(1)}
  }}
</style>
"""


class Scale:
    """From a value to a place between two places."""

    def __init__(self, values, start, end, most=None):
        self.most = most or max(values)
        least = min(value for value in values if value > 0)
        self.log = not most and self.most > least * FAR_APART
        self.least = 10 ** math.floor(math.log10(least)) if self.log else 0
        self.start, self.end = start, end

    def at(self, value):
        share = value / self.most
        if self.log:
            share = (math.log(max(value, self.least) / self.least)
                     / math.log(self.most / self.least))
        return self.start + share * (self.end - self.start)

    def marks(self):
        if not self.log:
            step = step_of(self.most)
            return [i * step for i in range(int(self.most / step + 1e-9) + 1)]
        fine = self.most < 1000 * self.least
        values, value = [], self.least
        while value <= self.most:
            values += [m * value for m in ((1, 2, 5) if fine else (1,))
                       if m * value <= self.most]
            value *= 10
        return values


def step_of(most):
    power = 10 ** math.floor(math.log10(most / 6))
    steps = most / 6 / power
    return power * (1 if steps < 1.5 else 2 if steps < 3.5 else 5 if steps < 7.5 else 10)


def figure(value):
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


class Page:
    def __init__(self):
        self.parts = []

    def text(self, x, y, what, kind="", anchor="start"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" '
                          f'text-anchor="{anchor}">{escape(what)}</text>')

    def line(self, x1, y1, x2, y2, kind):
        self.parts.append(f'<path class="{kind}" d="M{x1:.1f} {y1:.1f}'
                          f'L{x2:.1f} {y2:.1f}"/>')

    def add(self, what):
        self.parts.append(what)

    def head(self, title, shows, scale):
        self.text(24, 26, title, "title")
        self.text(24, 46, shows + ("; logarithmic scale" if scale.log else ""), "faint")

    def write(self, path, height):
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
                       f'height="{height:.0f}" viewBox="0 0 {WIDTH} {height:.0f}">\n'
                       f'{STYLE}<rect class="page" width="{WIDTH}" '
                       f'height="{height:.0f}"/>\n')
            file.write("\n".join(self.parts) + "\n</svg>\n")


def kind_of(who, order):
    """Of a colour: weir is blue, the textbook grey; others by their place in
    `order`."""
    if who.startswith("weir"):
        return 0
    if who in ("textbook", "bare"):
        return 1
    return 3 + order.index(who) % 4 if who in order else 2


def bars(path, title, shows, groups, asked=None):
    """groups: [(name, [(who, (median, least, most), doubtful)])]; `asked`: a line at
    that value of each group's name, on a scale of percents."""
    page = Page()
    values = [value for _, rows in groups for _, mark, _ in rows for value in mark]
    scale = Scale(values, LEFT, RIGHT, most=max(max(values), 100) if asked else None)
    page.head(title, shows, scale)
    bottom = HEAD + sum(GROUP + BAR * len(rows) for _, rows in groups)
    for value in scale.marks():
        x = scale.at(value)
        page.line(x, HEAD, x, bottom, "grid")
        page.text(x, bottom + 16, f"{value:g}", "faint", "middle")
    y = HEAD
    for name, rows in groups:
        page.text(24, y + 22, name, "group")
        y += GROUP
        if asked and name in asked:
            x = scale.at(asked[name])
            page.line(x, y - 4, x, y + BAR * len(rows), "asked")
        for who, (median, least, most), doubtful in rows:
            end = scale.at(median)
            page.text(LEFT - 8, y + 14, who, anchor="end")
            page.add(f'<rect class="c{kind_of(who, [])}" x="{LEFT}" y="{y + 3}" '
                     f'width="{max(end - LEFT, 1):.1f}" height="{BAR - 5}" rx="2"/>')
            page.line(scale.at(least), y + 9.5, scale.at(most), y + 9.5, "whisker")
            page.text(max(end, scale.at(most)) + 6, y + 14,
                      figure(median) + (" ?" if doubtful else ""), "over")
            y += BAR
    page.write(path, bottom + FOOT)


def apart(places, least=15):
    """The same places, moved so that no two are nearer than that."""
    moved, last = {}, -math.inf
    for key, y in sorted(places.items(), key=lambda item: item[1]):
        last = max(y, last + least)
        moved[key] = last
    return moved


def lines(path, title, shows, xs, series):
    """xs: what doubles, in order; series: {who: {x: (median, least, most)}}."""
    page = Page()
    left, right, top, bottom = 70, WIDTH - 170, HEAD, HEAD + HEIGHT
    scale = Scale([value for marks in series.values() for mark in marks.values()
                   for value in mark], bottom, top)
    page.head(title, shows, scale)
    place = {x: left + 20 + i * (right - left - 40) / max(len(xs) - 1, 1)
             for i, x in enumerate(xs)}
    for value in scale.marks():
        y = scale.at(value)
        page.line(left, y, right, y, "grid")
        page.text(left - 8, y + 4, f"{value:g}", "faint", "end")
    for x in xs:
        page.text(place[x], bottom + 18, f"{x:,}", "faint", "middle")
    order = [who for who in series if not who.startswith("weir") and who != "textbook"]
    names = {}
    for who, marks in series.items():
        kind = kind_of(who, order)
        known = [x for x in xs if x in marks]
        points = [(place[x], scale.at(marks[x][0])) for x in known]
        page.add(f'<path class="line s{kind}" d="M'
                 + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + '"/>')
        for x, (px, py) in zip(known, points):
            _, least, most = marks[x]
            page.line(px, scale.at(least), px, scale.at(most), f"reach s{kind}")
            page.add(f'<circle class="c{kind}" cx="{px:.1f}" cy="{py:.1f}" r="3.5"/>')
        names[who] = points[-1][1]
    for who, y in apart(names).items():
        page.text(right + 8, y + 4, who, f"c{kind_of(who, order)}")
    page.write(path, bottom + FOOT)
