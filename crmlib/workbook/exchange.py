"""One folder put in another's place in one step, and what an interrupted run left behind.

Linux and macOS exchange two folders in a single step; elsewhere it takes two, and `recovered`
completes or undoes what an interruption left between them.
"""

import ctypes
import os
import shutil
import sys
from pathlib import Path

STAGING = ".staging-"
OLD = ".old-"
_AT_FDCWD = -100
_EXCHANGE_LINUX = 2  # RENAME_EXCHANGE
_EXCHANGE_MACOS = 2  # RENAME_SWAP


def put(folder: Path, place: Path) -> None:
    """The folder stands at `place`; what stood there is gone. Never neither, never half."""
    settle(folder)
    if not place.exists():
        os.rename(folder, place)
    elif _exchanged(folder, place):
        shutil.rmtree(folder, ignore_errors=True)
    else:
        _in_two_steps(folder, place)
    _settle_one(place.parent)


def recovered(parent: Path) -> None:
    """No remains of interrupted runs: an old report without a successor is put back.

    Only for the holder of the client's lock, so that nothing here belongs to a run that lives.
    """
    for old in sorted(parent.glob(f"{OLD}*")):
        place = parent / old.name.removeprefix(OLD)
        if place.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.rename(old, place)
    for staging in parent.glob(f"{STAGING}*"):
        shutil.rmtree(staging, ignore_errors=True)


def settle(folder: Path) -> None:
    """Every file safely on disk, so that a loss of power cannot leave a report of empty files."""
    for path in folder.rglob("*"):
        if path.is_file():
            _settle_one(path)
    _settle_one(folder)


def _settle_one(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return  # a folder cannot be opened on Windows
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def _exchanged(one: Path, other: Path) -> bool:
    """Two folders exchanged in one step, where the system can."""
    here, there = os.fsencode(one), os.fsencode(other)
    try:
        system = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "linux":
            return system.renameat2(_AT_FDCWD, here, _AT_FDCWD, there, _EXCHANGE_LINUX) == 0
        if sys.platform == "darwin":
            return system.renamex_np(here, there, _EXCHANGE_MACOS) == 0
    except (OSError, TypeError, AttributeError):
        pass  # no such call: an older system library, or Windows
    return False


def _in_two_steps(folder: Path, place: Path) -> None:
    old = place.parent / f"{OLD}{place.name}"
    shutil.rmtree(old, ignore_errors=True)
    os.rename(place, old)
    try:
        os.rename(folder, place)
    except OSError:
        os.rename(old, place)
        raise
    shutil.rmtree(old, ignore_errors=True)
