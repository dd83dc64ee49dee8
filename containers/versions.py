"""What an image holds, as JSON on standard output: Debian packages and Python distributions with their versions."""

import json
import subprocess
from importlib import metadata


def debian_packages() -> dict[str, str]:
    listing = subprocess.run(
        ["/usr/bin/dpkg-query", "--show", "--showformat", "${Package} ${Version}\n"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return dict(line.split(" ", 1) for line in listing.splitlines())


def python_distributions() -> dict[str, str]:
    """The first on the path wins, as it does for `import`."""
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        found.setdefault(distribution.name.lower(), distribution.version)
    return found


if __name__ == "__main__":
    print(json.dumps({"dpkg": debian_packages(), "python": python_distributions()}, indent=1, sort_keys=True))
