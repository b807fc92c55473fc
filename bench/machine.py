# SPDX-License-Identifier: MIT
"""Facts about the machine that a number depends on."""

import os
import platform
from pathlib import Path


def read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return "unknown"


def cpu_model() -> str:
    lines = [line for line in read("/proc/cpuinfo").splitlines() if line.startswith("model name")]
    return (
        " ".join(dict.fromkeys(line.partition(":")[2].strip() for line in lines))
        or platform.machine()
    )


def memory_gib() -> float:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)


def system() -> str:
    names = dict(line.split("=", 1) for line in read("/etc/os-release").splitlines() if "=" in line)
    return names.get("PRETTY_NAME", platform.system()).strip('"')


def facts() -> dict[str, object]:
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": memory_gib(),
        "kernel": platform.release(),
        "system": system(),
        "libc": " ".join(platform.libc_ver()),
        "thp": read("/sys/kernel/mm/transparent_hugepage/enabled"),
        "thp_defrag": read("/sys/kernel/mm/transparent_hugepage/defrag"),
        "priority": os.nice(0),
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def raise_priority() -> None:
    """So that other programs on the machine cost less cache and fewer preemptions; needs root."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -20)
    except PermissionError:
        pass
