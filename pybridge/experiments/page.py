"""The page of the experiments: tables, and pictures drawn from the run. One file that loads nothing else."""

import os
from html import escape

import chart

STYLE = os.path.join(os.path.dirname(__file__), "page.css")

PICTURES = [
    ("go", "new", "go", "Go library: add one to every byte", "Go library",
     "The study’s way: a message goes in, is copied, worked on, copied out into memory of C, copied "
     "once more, and unpacked."),
    ("moonmill", "new", "moon", "Moonmill: add one to every byte, a new array", "Moonmill",
     "The array is lent for the run. The result is made once, by the workers, and handed over."),
    ("moonmill", "place", "moon", "Moonmill: add one to every byte, in place", "Moonmill",
     "With out=pixels the workers write into the array of the caller."),
]  # fmt: skip
UNIT = 34  # pixels of a box that holds the data once


def render(experiments, tables, machine):
    """The page's text."""
    with open(STYLE, encoding="utf-8") as file:
        style = file.read()
    titles = list(tables)
    size = experiments.size / (1 << 20)
    sections = [
        (titles[0], transfer(experiments)),
        (titles[1], round_trip(experiments)),
        (
            titles[2],
            f"<pre>{escape(experiments.entries)}</pre><p class='note'>What repr(mm.store) showed.</p>",
        ),
        (titles[3], job(experiments)),
    ]
    body = "".join(f"<h2>{escape(title)}</h2>{table(tables[title])}{more}" for title, more in sections)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Moonmill: the four experiments</title><style>
{style}</style></head><body>
<h1>Moving an array in and out: the four experiments</h1>
<p>A study moved arrays between Python and a Go library: a c-shared library called through ctypes, arguments
packed into strings of bytes. Here each of its experiments is run again with such a library and with Moonmill,
side by side on one machine.</p>
<p class="facts">{escape(machine)}. The array has {size:,.4g} MiB. Each transfer of A had its own process.</p>
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
        f'<th class="value">{name}</th>'
        for name in ("the study", "Go library here", "Moonmill here", "times less")
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'


# ---- A ----


def transfer(experiments):
    """The pictures of memory: over time, and who holds what after each step."""
    runs = [(experiments.pictures.get((side, case)), *rest) for side, case, *rest in PICTURES]
    runs = [run for run in runs if run[0]]
    size = experiments.size
    highest = max((run["peak"] - run["base"]) / size for run, *_ in runs) * 1.04
    steps = [step for run, *_ in runs for step in run["steps"]]
    most = max(held_side(step, side) / size for step in steps for side in ("python", "library"))
    legend = (
        "<p>A full box is memory that a side holds; its height is its size. A dashed box shows memory that "
        "another box holds. The number is what was resident when the step had ended, beyond what the program "
        "had before it began.</p>"
    )
    return legend + "".join(picture(*run, size, highest, most) for run in runs)


def held_side(step, side):
    return sum(step["holders"].get(side, {}).values())


def picture(run, kind, title, library, about, size, highest, most):
    peak = f"At most <strong>{(run['peak'] - run['base']) / size:.2f}×</strong> the data was resident."
    steps = "".join(card(i + 1, step, run, kind, library, size, most) for i, step in enumerate(run["steps"]))
    return (
        f"<h3>{escape(title)}</h3><p>{escape(about)} {peak}</p>"
        f'<div class="scroll">{chart.memory(run, size, highest, kind, title)}</div>'
        f'<ol class="steps">{steps}</ol>'
    )


def card(number, step, run, kind, library, size, most):
    """One step: the boxes of both sides, and what was measured."""
    python, other = (
        "".join(box(name, held, size) for name, held in step["holders"].get(side, {}).items())
        for side in ("python", "library")
    )
    measured = f"{max(0, step['resident'] - run['base']) / size:.2f}×"
    return (
        f'<li style="--most: {most * (UNIT + 3) + 30:.0f}px">'
        f'<div class="title"><b>{number}</b>{escape(step["step"])}</div>'
        f'<div class="sides"><div class="side python">{python}</div>'
        f'<div class="side {kind}">{other}</div></div>'
        f'<div class="under"><span>Python</span><strong>{measured}</strong><span>{library}</span></div></li>'
    )


def box(name, held, size):
    if held == 0:
        return f'<div class="box view">{escape(name)}</div>'
    place = " c" if name.startswith("C’s") else ""
    height = max(14, UNIT * held / size)
    return f'<div class="box{place}" style="height: {height:.0f}px">{escape(name)}</div>'


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
    rows = [
        (label, kind, experiments.times[side]) for side, kind, label in names if side in experiments.times
    ]
    return f'<div class="scroll">{chart.trips(rows, "Times of round trips")}</div>'


def job(experiments):
    """What polling saw of both."""
    kinds = {"Go library": "go", "Moonmill": "moon"}
    seen = {name: (kinds[name], points) for name, points in experiments.seen.items() if points}
    note = (
        "The Go library’s progress is -1 before the work, 0 to 1 during it, and 2.0 when it is done. A job’s "
        "progress has a fraction, rows, bytes, a rate and an estimate; a job can be waited for, awaited, "
        "cancelled and asked for its error."
    )
    shown = chart.progress(seen, "Progress of a job")
    return f'<div class="scroll">{shown}</div><p class="note">{note}</p>'
