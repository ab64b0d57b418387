"""Tables of Markdown."""

Line = list[str]
"""The cells of a row."""


def table(head: Line, rows: list[Line]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ["---"] * len(head), *rows))


def verdict(inside: bool) -> str:
    return "inside" if inside else "**OUTSIDE**"
