#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks the formatting of every C file under version control; --fix rewrites them.
set -eu
cd "$(dirname "$0")/../.."
mode="--dry-run --Werror"
[ "${1:-}" != --fix ] || mode=-i
# shellcheck disable=SC2086
git ls-files -z -- '*.c' '*.h' | xargs -0 -r clang-format $mode
