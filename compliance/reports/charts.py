"""Charts as SVG, drawn by hand: the same numbers give the same characters. Nothing knows Django."""

from typing import Final
from xml.sax.saxutils import escape

from compliance.reports.values import Chart

WIDTH: Final = 640
BAR: Final = 22
LINE_HEIGHT: Final = 180
LABEL: Final = 170
LABELS_MAX: Final = 8
BRAND: Final = "#155e52"
INK: Final = "#344054"
RULE: Final = "#e4e7ec"


def draw(chart: Chart) -> str:
    """The picture, or "" where there is nothing to draw."""
    if not chart.values:
        return ""
    body, height = _bars(chart) if chart.form == "bars" else _line(chart)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">{body}</svg>'
    )


def _bars(chart: Chart) -> tuple[str, int]:
    most = max(1, *chart.values)
    room = WIDTH - LABEL - 80
    parts = []
    for row, (label, value) in enumerate(zip(chart.labels, chart.values, strict=True)):
        top, width = row * BAR, _tenths(max(0, value) * room, most)
        parts.append(_text(LABEL - 8, top + 15, label, anchor="end"))
        parts.append(
            f'<rect x="{LABEL}" y="{top + 4}" width="{width}" height="{BAR - 8}" fill="{BRAND}"/>'
        )
        parts.append(_text(LABEL + float(width) + 6, top + 15, f"{value:,}"))
    return "".join(parts), BAR * len(chart.values)


def _line(chart: Chart) -> tuple[str, int]:
    most, left, bottom = max(1, *chart.values), 60, LINE_HEIGHT - 24
    room = WIDTH - left - 20
    steps = max(1, len(chart.values) - 1)
    points = [
        (_tenths(left * steps + i * room, steps), _tenths(bottom * most - v * (bottom - 12), most))
        for i, v in enumerate(chart.values)
    ]
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="2" fill="{BRAND}"/>' for x, y in points)
    path = " ".join(f"{x},{y}" for x, y in points)
    shown = range(0, len(points), -(-len(points) // LABELS_MAX))
    labels = "".join(
        _text(float(points[i][0]), LINE_HEIGHT - 6, chart.labels[i], anchor="middle") for i in shown
    )
    body = (
        f'<line x1="{left}" y1="{bottom}" x2="{WIDTH - 20}" y2="{bottom}" stroke="{RULE}"/>'
        f'<line x1="{left}" y1="12" x2="{WIDTH - 20}" y2="12" stroke="{RULE}"/>'
        f"{_text(left - 6, 16, f'{most:,}', anchor='end')}"
        f"{_text(left - 6, bottom + 4, '0', anchor='end')}"
        f'<polyline points="{path}" fill="none" stroke="{BRAND}" stroke-width="1.5"/>{dots}{labels}'
    )
    return body, LINE_HEIGHT


def _text(x: float, y: int, text: str, *, anchor: str = "start") -> str:
    shown = text if len(text) <= 16 else text[:15] + "…"  # noqa: PLR2004  what fits the margin
    return (
        f'<text x="{x:.1f}" y="{y}" font-size="11" fill="{INK}" text-anchor="{anchor}">'
        f"{escape(shown)}</text>"
    )


def _tenths(dividend: int, divisor: int) -> str:
    """A quotient to a tenth, without floating point."""
    whole = (dividend * 10 + divisor // 2) // divisor
    return f"{whole // 10}.{whole % 10}"
