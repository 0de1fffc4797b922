"""Charts of the experiments as SVG: resident memory over time, times of round trips, progress of a job.

Colours are classes of the page's style sheet, so that a chart is readable in light and dark.
"""

import math
from html import escape

WIDTH, HEIGHT = 1032, 290
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 30, 46


def nice_step(span, most):
    """A step of 1, 2 or 5 times a power of ten that cuts a span into at most so many parts."""
    least = span / most
    power = 10 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * 0.999)


def number(value):
    return f"{value:.10g}"


def duration(power):
    """So many powers of ten of a second, as text: "10 µs"."""
    unit, start = ("s", 0) if power >= 0 else ("ms", -3) if power >= -3 else ("µs", -6)
    return f"{number(10 ** (power - start))} {unit}"


class Chart:
    """An area with labelled axes; x and y are values, not pixels."""

    def __init__(self, title, x_label, y_label, x_end, y_end, height=HEIGHT):
        self.title, self.height = title, height
        self.x_end, self.y_end = x_end or 1, y_end or 1
        self.parts = []
        self._axis_x(x_label)
        self._axis_y(y_label)

    def x(self, value):
        return LEFT + (WIDTH - LEFT - RIGHT) * value / self.x_end

    def y(self, value):
        return self.height - BOTTOM - (self.height - TOP - BOTTOM) * value / self.y_end

    def text(self, x, y, text, kind="tick", anchor="middle"):
        self.parts.append(
            f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
        )

    def line(self, x1, y1, x2, y2, kind="grid"):
        self.parts.append(f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')

    def _axis_x(self, label):
        step = nice_step(self.x_end, 8)
        for i in range(int(self.x_end / step + 1e-9) + 1):
            self.text(self.x(i * step), self.height - BOTTOM + 16, number(i * step))
        self.text((LEFT + WIDTH - RIGHT) / 2, self.height - 8, label, "label")

    def _axis_y(self, label):
        step = nice_step(self.y_end, 5)
        for i in range(int(self.y_end / step + 1e-9) + 1):
            self.line(LEFT, self.y(i * step), WIDTH - RIGHT, self.y(i * step), "axis" if i == 0 else "grid")
            self.text(LEFT - 8, self.y(i * step) + 4, number(i * step), anchor="end")
        middle = (TOP + self.height - BOTTOM) / 2
        turned = f'transform="translate(14 {middle:.1f}) rotate(-90)"'
        self.parts.append(f'<text class="label" text-anchor="middle" {turned}>{escape(label)}</text>')

    def curve(self, points, kind, filled=False):
        """A line through points; filled down to the axis."""
        if not points:
            return
        path = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        if filled:
            ends = f"{self.x(points[-1][0]):.1f},{self.y(0):.1f} {self.x(points[0][0]):.1f},{self.y(0):.1f}"
            self.parts.append(f'<polygon class="area {kind}" points="{path} {ends}"/>')
        self.parts.append(f'<polyline class="curve {kind}" points="{path}"/>')

    def svg(self):
        return (
            f'<svg viewBox="0 0 {WIDTH} {self.height}" role="img" aria-label="{escape(self.title)}">'
            f"<title>{escape(self.title)}</title>{''.join(self.parts)}</svg>"
        )


def _marks(chart, places):
    """Numbered marks at the end of each step; those that would lie over each other are moved apart."""
    least, gap = LEFT, 17
    spots = []
    for i, place in enumerate(places):
        spots.append(max(chart.x(place), least if i == 0 else spots[-1] + gap))
    for i in range(len(spots) - 1, -1, -1):
        limit = WIDTH - RIGHT if i == len(spots) - 1 else spots[i + 1] - gap
        spots[i] = min(spots[i], limit)
    for i, (place, spot) in enumerate(zip(places, spots)):
        chart.line(spot, TOP - 4, chart.x(place), TOP + 8, "mark")
        chart.line(chart.x(place), TOP + 8, chart.x(place), chart.height - BOTTOM, "mark")
        chart.parts.append(f'<circle class="mark" cx="{spot:.1f}" cy="{TOP - 12}" r="8"/>')
        chart.text(spot, TOP - 8, str(i + 1), "number")


def memory(run, size, highest, kind, title):
    """Resident memory of a run over time, in multiples of the data."""
    end = run["end"] - run["began"]
    chart = Chart(
        title, "seconds since the start of the program’s work", "resident memory, × the data", end, highest
    )
    chart.curve(
        [(at - run["began"], max(0, (held - run["base"]) / size)) for at, held in run["samples"]], kind, True
    )
    _marks(chart, [step["at"] - run["began"] for step in run["steps"]])
    return chart.svg()


def trips(rows, title):
    """Times of single runs on a scale of powers of ten. `rows`: (label, kind, seconds of each run)."""
    low = math.floor(math.log10(min(min(seconds) for _, _, seconds in rows)))
    high = math.ceil(math.log10(max(max(seconds) for _, _, seconds in rows)))
    left, row = 200, 36
    height = TOP + row * len(rows) + BOTTOM
    bottom = height - BOTTOM

    def x(seconds):
        return left + (WIDTH - left - 70) * (math.log10(seconds) - low) / max(1, high - low)

    chart = Chart.__new__(Chart)
    chart.title, chart.height, chart.parts = title, height, []
    for power in range(low, high + 1):
        chart.line(x(10**power), TOP - 10, x(10**power), bottom)
        chart.text(x(10**power), bottom + 16, duration(power))
    chart.text(
        (left + WIDTH - 70) / 2, height - 8, "time of a round trip; each line is ten times the last", "label"
    )
    for i, (label, kind, seconds) in enumerate(rows):
        y = TOP + row * i + row / 2 - 6
        mean = sum(seconds) / len(seconds)
        chart.text(left - 12, y + 4, label, "name", "end")
        chart.line(left, y, x(mean), y, f"bar {kind}")
        chart.parts += [
            f'<circle class="dot {kind}" cx="{x(value):.1f}" cy="{y:.1f}" r="4"/>' for value in seconds
        ]
    return chart.svg()


def progress(seen, title):
    """What polling saw: (seconds, fraction) of each side by name and kind."""
    end = max((points[-1][0] for _, points in seen.values() if points), default=1)
    chart = Chart(title, "seconds since the call", "share of the input that is done", end, 1, 240)
    for i, (name, (kind, points)) in enumerate(seen.items()):
        chart.curve([(at, min(1.0, max(0.0, share))) for at, share in points], kind)
        chart.parts.append(f'<circle class="dot {kind}" cx="{LEFT + 18 + 150 * i}" cy="{TOP - 12}" r="5"/>')
        chart.text(LEFT + 28 + 150 * i, TOP - 8, name, "name", "start")
    return chart.svg()
