"""Looks through the tracked files for secrets, stray hosts, and paths of one machine."""

import re
import subprocess
import sys
from pathlib import Path

SECRETS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----",
    "a cloud key": r"\bAKIA[0-9A-Z]{16}\b",
    "a forge token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|glpat-[A-Za-z0-9_-]{20})\b",
    "a chat token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "a package index": r"(?m)^\s*--?(?:extra-)?(?:index|find)-(?:url|links)\b",
    "a path of one machine": r"(?<![\w.])/(?:work|home)/(?!huiyin\b)[a-z]\w*/",
}
URL = re.compile(r"\bhttps?://(?:[^\s/@\"'<>`]*@)?(\[[0-9a-f:]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)")
# Places that code and documents may speak of: our own machine, names kept for examples, and standards.
LOCAL = re.compile(
    r"(?:localhost|127(?:\.\d+){3}|10(?:\.\d+){3}|192\.168(?:\.\d+){2}|169\.254(?:\.\d+){2}"
    r"|0\.0\.0\.0|\[[0-9a-f:]+\]|[a-z0-9-]+)"
)  # a bare word is a service's name
DOCUMENTED = re.compile(
    r"(?:.*\.)?(?:example|test|invalid|localhost|local|internal|example\.zendesk\.com|example\.(?:com|net|org|cn))|"
    r"(?:192\.0\.2|198\.51\.100|203\.0\.113|93\.184\.216)\.\d+"
)
KNOWN = {
    "developer.mozilla.org", "developer.zendesk.com", "docs.astral.sh", "docs.citusdata.com",
    "docs.python.org", "docs.zammad.org", "github.com", "json-schema.org", "keepachangelog.com",
    "prometheus.io", "semver.org", "spec.openapis.org", "www.apache.org", "www.iana.org",
    "www.postgresql.org", "www.rfc-editor.org", "www.standardwebhooks.com", "www.w3.org",
}  # fmt: skip


def faults(name: str, text: str) -> list[str]:
    """What is wrong in one file, each with its line."""
    hits = [(hit.start(), what) for what, pattern in SECRETS.items() for hit in re.finditer(pattern, text)]
    for hit in URL.finditer(text):
        host = hit[1].lower().rstrip(".")
        if not (host in KNOWN or LOCAL.fullmatch(host) or DOCUMENTED.fullmatch(host)):
            hits.append((hit.start(), f"the host {host}; if it may stay, name it in .ci/scan.py"))
    return [f"{name}:{text.count(chr(10), 0, start) + 1}: {what}" for start, what in sorted(hits)]


def main() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=True).stdout
    names = [name for name in listed.split("\0") if name and name != ".ci/scan.py" and Path(name).is_file()]
    found = []
    for name in names:
        octets = Path(name).read_bytes()
        if b"\0" not in octets[:8000]:
            found += faults(name, octets.decode(errors="replace"))
    print(*found, sep="\n", end="\n" if found else "")
    if found:
        sys.exit(1)
    print(f"scan: {len(names)} files, no secret and no stray host")


if __name__ == "__main__":
    main()
