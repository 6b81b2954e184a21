"""The processes that notebooks run in: how one is started, and how all are stopped.

A kernel is started by this Python alone, whatever kernels the user has installed; it listens on a
socket file that only the user can open, not on a port; its numerical libraries use one thread each,
because several notebooks run side by side.
"""

import os
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, ClassVar

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from crmlib.language import EVERY

ROOT = Path(__file__).resolve().parents[2]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# A socket's path may hold 103 bytes on macOS, 107 on Linux; ports are added to the folder's.
LONGEST_FOLDER = 80


class Kernel(AsyncKernelManager):
    """One kernel, known to `stop_all` as long as it runs."""

    _running: ClassVar[dict[int, "Kernel"]] = {}
    _guard = threading.Lock()
    _stopping = threading.Event()

    def __init__(self, *args: Any, **settings: Any):
        super().__init__(*args, **settings)
        self._folder: Path | None = None
        if os.name == "posix":
            self._folder = _socket_folder()
            self.transport = "ipc"
            self.connection_file = str(self._folder / "k.json")

    @property
    def kernel_spec(self) -> KernelSpec:
        """This Python's own kernel: one installed elsewhere under its name is not asked."""
        # The place where a kernel forked from a preloaded server would be named instead.
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="Python 3 (ipykernel)",
            language="python",
            # What these notebooks show is published, so it is told in every language of the client.
            env=ONE_THREAD | {EVERY: "1"},
        )

    async def _async_start_kernel(self, **settings: Any) -> None:
        if self._stopping.is_set():
            raise RuntimeError("stopping: no further kernel is started")
        # The project's folder, so that a file in the caller's folder never shadows a module.
        await super()._async_start_kernel(**{"cwd": str(ROOT)} | settings)
        with self._guard:
            self._running[self.pid] = self
        if self._stopping.is_set():
            _kill(self.pid)

    start_kernel = _async_start_kernel

    async def _async_interrupt_kernel(self) -> None:
        # Asked for just before a kernel is told to end, which it then does in the middle of its
        # own leave-taking, with a complaint. A cell that must stop is stopped by `stop_all`.
        return

    interrupt_kernel = _async_interrupt_kernel

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        await super()._async_cleanup_resources(restart=restart)
        with self._guard:
            for pid in [pid for pid, kernel in self._running.items() if kernel is self]:
                del self._running[pid]
        if self._folder and not restart:
            shutil.rmtree(self._folder, ignore_errors=True)

    cleanup_resources = _async_cleanup_resources

    @property
    def pid(self) -> int:
        """The process's number."""
        return getattr(self.provisioner, "pid", None) or 0

    @classmethod
    def stop_all(cls) -> None:
        """Every kernel is ended at once, and none is started any more."""
        cls._stopping.set()
        with cls._guard:
            for pid in list(cls._running):
                _kill(pid)

    @classmethod
    def stopping(cls) -> bool:
        """Whether all kernels have been told to end."""
        return cls._stopping.is_set()

    @classmethod
    def allow(cls) -> None:
        """Kernels may be started (again)."""
        cls._stopping.clear()


def _socket_folder() -> Path:
    """A folder of the user's own, its path short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="crm-")).resolve()
    if len(os.fsencode(folder)) <= LONGEST_FOLDER:
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix="crm-", dir="/tmp")).resolve()


def _kill(pid: int) -> None:
    """The process and what it started, ended without asking: its cell's work is void anyway."""
    if not pid:
        return
    try:
        if os.name == "posix":
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)
    except (ProcessLookupError, PermissionError):
        pass
