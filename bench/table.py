"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; all columns but the first stand to the right.

    Raises:
        ValueError: a row has more or fewer cells than the heading.
    """
    rule = [":--", *["--:"] * (len(heading) - 1)]
    lines = []
    for cells in (heading, rule, *rows):
        if len(cells) != len(heading):
            raise ValueError(f"wanted {len(heading)} cells, got {len(cells)}: {cells}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
