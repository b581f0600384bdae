"""Bars of the measured figures, as SVG without a library."""

import pathlib
from xml.sax.saxutils import escape

WIDTH, BAR, LEFT, RIGHT = 720, 18, 230, 90
OWN, OTHER = "#1f5fa8", "#b3541e"

# A chart is a title and, for each bar, its name and its height.
Chart = tuple[str, list[tuple[str, float]]]


def charts_of(section: str, results: list[dict]) -> list[Chart]:
    """What of a section's results is worth a look."""
    charts: list[Chart] = []
    for result in results:
        lines = result["lines"]
        if section == "model":
            for batch in sorted({line["batch"] for line in lines}):
                charts.append((f"{result['model']}, images/s, batch {batch}",
                               [(line["engine"], line["images_per_second"]) for line in lines if line["batch"] == batch]))
        elif section == "latency":
            charts.append((f"{result['model']}, milliseconds for one, median",
                           [(line["engine"], line["p50_ms"]) for line in lines]))
        elif section == "jobs":
            charts.append((f"{result['folder']} with {result['model']}, images/s", [(line["engine"], line["images_per_second"]) for line in lines]))
            charts.append((f"{result['folder']}, peak memory in MiB", [(line["engine"], line["peak_mib"]) for line in lines]))
        elif section == "prepare":
            charts.append((f"{result['folder']}, prepared images/s", [(line["engine"], line["images_per_second"]) for line in lines]))
        elif section == "start":
            charts.append(("seconds from process start", [(line["what"], line["seconds"]) for line in lines]))
        elif section == "kernels":
            shares = [(line["name"], 100 * line["share"]) for line in lines if "share" in line and "GB/s" not in line["name"]]
            charts.append(("share of the probe in percent", shares) if shares else
                          ("microseconds a resize", [(line["name"], line["microseconds"]) for line in lines]))
    return charts


def draw(charts: list[Chart], path: pathlib.Path) -> None:
    lines, y = [], 10
    for title, bars in charts:
        y += 24
        lines.append(f'<text x="10" y="{y}" font-weight="bold">{escape(title)}</text>')
        y += 8
        largest = max((value for _, value in bars), default=0) or 1
        for name, value in bars:
            length = (WIDTH - LEFT - RIGHT) * value / largest
            colour = OWN if name.startswith(("vecframe", "one vector", "import", "fp32", "bf16", "int8", "resize", "prepare")) else OTHER
            lines.append(f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>')
            lines.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 4}" fill="{colour}"/>')
            lines.append(f'<text x="{LEFT + length + 6:.1f}" y="{y + 13}">{value:.4g}</text>')
            y += BAR
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 20}" font-family="sans-serif" font-size="12">'
            '<rect width="100%" height="100%" fill="white"/>')
    path.write_text("\n".join([head, *lines, "</svg>"]) + "\n")
