"""The page of the experiments: the tables, and pictures drawn from the run. One file, nothing is loaded from elsewhere."""

from html import escape

import chart

STYLE = """
:root { color-scheme: light dark; --paper: #fdfdfb; --ink: #22262b; --soft: #687079; --line: #dcdfe3; --card: #f4f5f3;
  --python: #3a6ea5; --go: #b3592d; --c: #8a6d1f; --moon: #5b4b9a; --on: #fff; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181c; --ink: #e4e6e8; --soft: #9aa3ad; --line: #33383f; --card: #1e2126;
  --python: #6fa8dc; --go: #e08a58; --c: #cfae52; --moon: #a597e6; --on: #16181c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1080px; padding: 40px 24px 64px; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, "Segoe UI", "Helvetica Neue", sans-serif; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 8px; letter-spacing: -0.01em; }
h2 { font-size: 21px; margin: 56px 0 6px; padding-top: 20px; border-top: 1px solid var(--line); }
h3 { font-size: 17px; margin: 36px 0 2px; }
p { margin: 6px 0 14px; max-width: 74ch; }
.facts, small, .note { color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 12px 0; font-size: 15px; }
th, td { padding: 7px 14px 7px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); font-size: 13px; }
.value { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.ours { font-weight: 600; color: var(--moon); }
svg { display: block; width: 100%; height: auto; margin: 8px 0 4px; }
svg text { fill: var(--soft); font-size: 12px; }
svg .label { font-size: 12.5px; }
svg .name { fill: var(--ink); font-size: 13px; }
svg .number { fill: var(--on); font-size: 11px; font-weight: 600; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .axis { stroke: var(--soft); stroke-width: 1; }
svg line.mark { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 3; }
svg circle.mark { fill: var(--soft); }
svg .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg .area { opacity: 0.16; stroke: none; }
svg .go { --tone: var(--go); } svg .moon { --tone: var(--moon); }
svg .curve, svg .bar { stroke: var(--tone); }
svg .bar { stroke-width: 10; opacity: 0.28; }
svg .area, svg .dot { fill: var(--tone); }
.steps { display: grid; grid-template-columns: repeat(4, 1fr); gap: 12px; margin: 12px 0 8px; padding: 0; list-style: none; }
.steps li { background: var(--card); border-radius: 8px; padding: 10px 12px; display: flex; flex-direction: column; }
.steps .title { font-size: 13.5px; line-height: 1.35; min-height: 3.9em; }
.steps b { display: inline-block; min-width: 1.5em; height: 1.5em; border-radius: 1em; background: var(--soft); color: var(--on);
  font-size: 11px; line-height: 1.5em; text-align: center; margin-right: 4px; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; margin-top: auto; }
.side { display: flex; flex-direction: column; justify-content: flex-end; gap: 3px; min-height: var(--most); }
.side + .side { border-left: 1px solid var(--line); padding-left: 8px; }
.box { border-radius: 4px; color: var(--on); font-size: 11.5px; line-height: 1.25; padding: 4px 6px; overflow: hidden;
  display: flex; align-items: center; }
.python .box { background: var(--python); } .go .box { background: var(--go); } .moon .box { background: var(--moon); }
.box.c { background: var(--c); }
.sides .box.view { background: none; border: 1.5px dashed var(--soft); color: var(--soft); }
.under { display: flex; justify-content: space-between; border-top: 2px solid var(--soft); margin-top: 4px; padding-top: 3px;
  font-size: 11.5px; color: var(--soft); }
.under strong { color: var(--ink); font-variant-numeric: tabular-nums; }
pre { background: var(--card); border-radius: 8px; padding: 12px 16px; overflow-x: auto; font-size: 13.5px; line-height: 1.4; }
@media (max-width: 760px) { .steps { grid-template-columns: repeat(2, 1fr); } body { padding: 24px 14px 48px; } }
"""

PICTURES = [
    ("go", "new", "go", "Go library: add one to every byte", "Go library",
     "The study’s way: a message goes in, is copied, worked on, copied out into memory of C, copied once more, and unpacked."),
    ("moonmill", "new", "moon", "Moonmill: add one to every byte, a new array", "Moonmill",
     "The array is lent for the length of the run. The result is made once, by the workers, and handed over."),
    ("moonmill", "place", "moon", "Moonmill: add one to every byte, in place", "Moonmill",
     "With out=pixels the workers write into the array of the caller."),
]  # fmt: skip
UNIT = 34  # pixels of a box that holds the data once


def render(experiments, tables, machine):
    """The page's text."""
    titles = list(tables)
    size = experiments.size / (1 << 20)
    sections = [
        (titles[0], transfer(experiments)),
        (titles[1], round_trip(experiments)),
        (titles[2], f"<pre>{escape(experiments.entries)}</pre><p class='note'>The store at that moment, as Python shows it.</p>"),
        (titles[3], job(experiments)),
    ]
    body = "".join(f"<h2>{escape(title)}</h2>{table(tables[title])}{more}" for title, more in sections)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Moonmill: the four experiments</title><style>{STYLE}</style></head><body>
<h1>Moving an array in and out: the four experiments</h1>
<p>A study moved arrays between Python and a Go library: a c-shared library called through ctypes, arguments packed into strings of
bytes. Here each of its experiments is run again with such a library and with Moonmill, side by side on one machine.</p>
<p class="facts">{escape(machine)}. The array has {size:,.4g} MiB. Every transfer of A ran in a process of its own.</p>
{body}
</body></html>
"""


def table(rows):
    """One experiment's figures."""
    lines = "".join(
        f"<tr><td>{escape(row.what)}{f'<br><small>{escape(row.note)}</small>' if row.note else ''}</td>"
        f'<td class="value">{escape(row.study)}</td><td class="value">{escape(row.go)}</td>'
        f'<td class="value ours">{escape(row.ours)}</td><td class="value">{escape(row.ratio)}</td></tr>'
        for row in rows
    )
    head = "<th></th>" + "".join(
        f'<th class="value">{name}</th>' for name in ("the study", "Go library here", "Moonmill here", "times less")
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'


# ---- A ----


def transfer(experiments):
    """The pictures of memory: over time, and who holds what after each step."""
    runs = [(experiments.pictures.get((side, case)), *rest) for side, case, *rest in PICTURES]
    runs = [run for run in runs if run[0]]
    size = experiments.size
    highest = max((run["peak"] - run["base"]) / size for run, *_ in runs) * 1.04
    most = max(held_side(step, side) / size for run, *_ in runs for step in run["steps"] for side in ("python", "library"))
    legend = (
        "<p>A full box is memory that a side holds; its height is its size. A dashed box shows memory that another "
        "box holds. Below it stands what was resident when the step had ended, beside what the program had before it began.</p>"
    )
    return legend + "".join(picture(*run, size, highest, most) for run in runs)


def held_side(step, side):
    return sum(step["holders"].get(side, {}).values())


def picture(run, kind, title, library, about, size, highest, most):
    peak = (run["peak"] - run["base"]) / size
    steps = "".join(card(i + 1, step, run, kind, library, size, most) for i, step in enumerate(run["steps"]))
    return (
        f"<h3>{escape(title)}</h3><p>{escape(about)} At most <strong>{peak:.2f}×</strong> the data was resident.</p>"
        f'<div class="scroll">{chart.memory(run, size, highest, kind, title)}</div>'
        f'<ol class="steps">{steps}</ol>'
    )


def card(number, step, run, kind, library, size, most):
    """One step: the boxes of both sides, and what was measured."""
    boxes = {side: "".join(box(name, held, size) for name, held in step["holders"].get(side, {}).items())
             for side in ("python", "library")}  # fmt: skip
    measured = max(0, step["resident"] - run["base"]) / size
    return (
        f'<li style="--most: {most * (UNIT + 3) + 30:.0f}px"><div class="title"><b>{number}</b>{escape(step["step"])}</div>'
        f'<div class="sides"><div class="side python">{boxes["python"]}</div>'
        f'<div class="side {kind}">{boxes["library"]}</div></div>'
        f'<div class="under"><span>Python</span><strong>{measured:.2f}×</strong><span>{library}</span></div></li>'
    )


def box(name, held, size):
    if held == 0:
        return f'<div class="box view">{escape(name)}</div>'
    place = " c" if name.startswith("C’s") else ""
    return f'<div class="box{place}" style="height: {max(14, UNIT * held / size):.0f}px">{escape(name)}</div>'


# ---- B and D ----


def round_trip(experiments):
    """Each run as a dot, the mean as a bar."""
    size = experiments.size
    names = [
        (("go", size), "go", "Go library"),
        (("copy", size), "moon", "Moonmill, a copy"),
        (("shared", size), "moon", "Moonmill, shared"),
        (("shared", 1 << 20), "moon", "Moonmill, shared, 1 MiB"),
    ]
    rows = [(label, kind, experiments.times[side]) for side, kind, label in names if side in experiments.times]
    return f'<div class="scroll">{chart.trips(rows, "Times of round trips")}</div>'


def job(experiments):
    """What polling saw of both."""
    kinds = {"Go library": "go", "Moonmill": "moon"}
    seen = {name: (kinds[name], points) for name, points in experiments.seen.items() if points}
    return f'<div class="scroll">{chart.progress(seen, "Progress of a job")}</div>'
