"""``python -m server.assets``: build the console's scripts and styles into server/static/vendor."""

import sys

from server.assets.build_files import OUTPUT, BuildError, build


def main() -> int:
    """Build; returns the exit status."""
    try:
        built = build()
    except BuildError as error:
        print(f"server.assets: {error}", file=sys.stderr)  # noqa: T201
        return 1
    for name, file in sorted(built.items()):
        size = (OUTPUT / file).stat().st_size
        print(f"{name:12} {file:28} {size / 1024:7.1f} KB")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
