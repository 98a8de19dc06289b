"""A share of a processor, as Lambda gives it by memory: 1,769 MB are one vCPU ("Configure Lambda function memory")."""

import contextlib
import os
import uuid
from pathlib import Path

MB_OF_ONE_VCPU = 1769
# Lambda's own period is not published. With 20 ms a function of 128 MB runs 1.4 ms, then waits.
_PERIOD_MICROSECONDS = 20_000
_VERSION_1, _VERSION_2 = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")


class Share:
    """A control group with a quota. Needs the right to make one."""

    def __init__(self, memory_mb: int):
        self._quota = max(1_000, round(_PERIOD_MICROSECONDS * memory_mb / MB_OF_ONE_VCPU))

    @staticmethod
    def is_possible() -> bool:
        root = _root()
        return root is not None and os.access(root, os.W_OK)

    @contextlib.contextmanager
    def of(self, pid: int):
        """Puts a process under the quota."""
        group = _root() / f"endpoint-advisor-{uuid.uuid4().hex[:8]}"
        group.mkdir()
        try:
            if group.parent == _VERSION_1:
                (group / "cpu.cfs_period_us").write_text(str(_PERIOD_MICROSECONDS))
                (group / "cpu.cfs_quota_us").write_text(str(self._quota))
            else:
                (group / "cpu.max").write_text(f"{self._quota} {_PERIOD_MICROSECONDS}")
            (group / "cgroup.procs").write_text(str(pid))
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                (group.parent / "cgroup.procs").write_text(str(pid))
            group.rmdir()


def _root() -> Path | None:
    if (_VERSION_1 / "cpu.cfs_quota_us").exists() or (_VERSION_1 / "cgroup.procs").exists():
        return _VERSION_1
    controllers = _VERSION_2 / "cgroup.subtree_control"
    return _VERSION_2 if controllers.exists() and "cpu" in controllers.read_text().split() else None
