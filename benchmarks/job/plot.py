"""Draws what shard_simulation prints: memory of the driver and time a shard, over rows, as one SVG.

    build/release/benchmarks/shard_simulation --rows 100000000 > simulation.csv
    python benchmarks/job/plot.py simulation.csv simulation.svg
"""

import csv
import sys

WIDTH, HEIGHT, LEFT, TOP, GAP = 720, 220, 70, 30, 60
COLOURS = {"run": "#1f5fa8", "index": "#b3541e", "look up": "#3f7d3f"}


def panel(rows: list[dict[str, str]], top: int, title: str, value) -> list[str]:
    right = max(int(row["rows"]) for row in rows)
    highest = 1.15 * max(value(row) for row in rows)
    lines = [f'<text x="{LEFT}" y="{top - 8}">{title}</text>',
             f'<path d="M{LEFT} {top} V{top + HEIGHT} H{LEFT + WIDTH}" fill="none" stroke="#888"/>']
    for share in (0, 0.5, 1):
        y = top + HEIGHT * (1 - share)
        lines.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{highest * share:.3g}</text>')
        lines.append(f'<text x="{LEFT + WIDTH * share}" y="{top + HEIGHT + 16}" text-anchor="middle">{right * share:.3g}</text>')
    for number, (phase, colour) in enumerate(COLOURS.items()):
        points = [(LEFT + WIDTH * int(row["rows"]) / right, top + HEIGHT * (1 - value(row) / highest))
                  for row in rows if row["phase"] == phase]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        lines.append(f'<text x="{LEFT + WIDTH - 190 + 70 * number}" y="{top - 8}" fill="{colour}">{phase}</text>')
    return lines


def main() -> None:
    with open(sys.argv[1], newline="") as file:
        rows = list(csv.DictReader(file))
    total = TOP + 2 * (HEIGHT + GAP)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 30}" height="{total}" '
             'font-family="sans-serif" font-size="12">', '<rect width="100%" height="100%" fill="white"/>']
    lines += panel(rows, TOP, "resident MiB, over rows", lambda row: int(row["resident_bytes"]) / 2**20)
    lines += panel(rows, TOP + HEIGHT + GAP, "milliseconds a shard, over rows", lambda row: 1e3 * float(row["seconds_a_shard"]))
    with open(sys.argv[2], "w") as file:
        file.write("\n".join([*lines, "</svg>"]) + "\n")


if __name__ == "__main__":
    main()
