# SPDX-License-Identifier: MIT
"""One module per question; each has ask(settings) -> list[Answer]."""
