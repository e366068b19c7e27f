"""Drawing the chart of a server's days: data in, a PNG out.

``python -m services.charts`` draws one from JSON on its standard input, so that matplotlib has its time, its memory
(76 MB) and its locks in a process that ends afterwards.
"""

import asyncio
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

DRAWING_S_MAX = 60.0  # matplotlib looks for all fonts of the machine the first time
_ROOT = Path(__file__).parent.parent

# One card with a ground of its own: readable in Discord's dark and light theme alike.
_GROUND, _PANEL, _TEXT, _FAINT, _GRID = "#1e1f22", "#2b2d31", "#f2f3f5", "#b5bac1", "#43454b"
# Told apart by the colour-blind too: https://jfly.uni-koeln.de/color/
_IMAGES, _MEDIAN, _LATE, _FAILURES = "#56b4e9", "#f0e442", "#e69f00", "#cc79a7"
_SIZE_IN, _DOTS_PER_INCH = (10.0, 7.0), 110
_LABELS_MAX = 10
_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Everything that is drawn, with all words in the reader's language. ``days`` are short labels; ``images``,
    ``median_s`` and ``late_s`` (seconds, None for a day without any) have one entry a day. ``nothing`` stands where
    there is nothing to draw.
    """

    title: str
    days: Sequence[str]
    images_title: str
    images: Sequence[int]
    waits_title: str
    median_label: str
    median_s: Sequence[float | None]
    late_label: str
    late_s: Sequence[float | None]
    failures_title: str
    failures: Sequence[tuple[str, int]]
    nothing: str


class Artist:
    """Draws one chart at a time, each in a process of its own."""

    def __init__(self) -> None:
        self._one = asyncio.Lock()

    async def draw(self, chart: Chart) -> bytes:
        """The chart as PNG.

        Raises:
            ChartError: it was not drawn.
        """
        async with self._one:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "services.charts"),
                cwd=_ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                async with asyncio.timeout(DRAWING_S_MAX):
                    png, complaint = await process.communicate(json.dumps(asdict(chart)).encode("ascii"))
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        if process.returncode:
            raise ChartError(f"exit status {process.returncode}: {complaint.decode(errors='replace')[-2000:]}")
        return png


class ChartError(Exception):
    """The process that draws has failed."""


def draw(chart: Chart) -> bytes:
    """The chart as PNG."""
    # Here, because importing it takes half a second and 50 MB, which only the process that draws should pay.
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.18, h_pad=0.14)
    canvas: Any = Figure(figsize=_SIZE_IN, dpi=_DOTS_PER_INCH, facecolor=_GROUND, layout=layout)
    canvas.suptitle(chart.title, color=_TEXT, fontsize=15, fontweight="bold", x=0.018, ha="left")
    axes: dict[str, Any] = canvas.subplot_mosaic("II;WF", width_ratios=[3, 2])
    for each, title in (("I", chart.images_title), ("W", chart.waits_title), ("F", chart.failures_title)):
        _dress(axes[each], title)
    _draw_images(axes["I"], chart)
    _draw_waits(axes["W"], chart)
    _draw_failures(axes["F"], chart)
    png = io.BytesIO()
    canvas.savefig(png, format="png")
    return png.getvalue()


def _dress(axes: Any, title: str) -> None:
    axes.set_facecolor(_PANEL)
    axes.set_title(title, color=_TEXT, fontsize=12, loc="left")
    axes.tick_params(colors=_FAINT, labelsize=10, length=0)
    axes.grid(visible=True, axis="y", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_images(axes: Any, chart: Chart) -> None:
    axes.bar(range(len(chart.days)), chart.images, color=_IMAGES, width=0.8)
    _label_days(axes, chart.days)
    if not any(chart.images):
        _say(axes, chart.nothing)
        return
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.set_ylim(bottom=0)


def _draw_waits(axes: Any, chart: Chart) -> None:
    _label_days(axes, chart.days)
    known = [wait_s for wait_s in chart.late_s if wait_s is not None]
    if not known:
        _say(axes, chart.nothing)
        return
    is_short = max(known) < 2 * _MINUTE_S
    unit, unit_s = ("s", 1.0) if is_short else ("min", _MINUTE_S)
    for waits, label, colour, marker in (
        (chart.late_s, chart.late_label, _LATE, "^"),
        (chart.median_s, chart.median_label, _MEDIAN, "o"),
    ):
        heights = [float("nan") if wait_s is None else wait_s / unit_s for wait_s in waits]
        size = 6 if len(waits) <= _LABELS_MAX else 3
        axes.plot(range(len(waits)), heights, color=colour, marker=marker, markersize=size, linewidth=1.8, label=label)
    axes.set_ylim(0, 1.4 * max(known) / unit_s)  # room for the legend
    axes.yaxis.set_major_formatter(f"{{x:g}} {unit}")
    axes.legend(loc="upper left", ncols=2, frameon=False, labelcolor=_TEXT, fontsize=10)


def _draw_failures(axes: Any, chart: Chart) -> None:
    axes.grid(visible=False)
    axes.set_xticks([])
    if not chart.failures:
        _say(axes, chart.nothing)
        return
    labels, numbers = zip(*chart.failures, strict=True)
    size = 10 if len(labels) <= 7 else 8
    bars = axes.barh(range(len(labels)), numbers, color=_FAILURES, height=0.4)
    axes.bar_label(bars, color=_TEXT, fontsize=size, padding=4)
    for place, label in enumerate(labels):
        axes.text(0.01 * max(numbers), place - 0.25, label, color=_TEXT, fontsize=size, va="bottom")
    axes.set_yticks([])
    axes.set_ylim(max(len(labels), 4) - 0.4, -0.9)
    axes.set_xlim(0, 1.15 * max(numbers))


def _label_days(axes: Any, days: Sequence[str]) -> None:
    """Not all where there are many, but always today."""
    step = -(-len(days) // _LABELS_MAX)
    places = range(len(days) - 1, -1, -step)
    axes.set_xticks(places, [days[place] for place in places])
    axes.set_xlim(-0.6, len(days) - 0.4)


def _say(axes: Any, text: str) -> None:
    axes.set_yticks([])
    axes.text(0.5, 0.5, text, color=_FAINT, fontsize=12, ha="center", va="center", transform=axes.transAxes)


def main() -> None:
    """JSON in, PNG out."""
    said = cast(dict[str, Any], json.load(sys.stdin))
    sys.stdout.buffer.write(draw(Chart(**said)))


if __name__ == "__main__":
    main()
