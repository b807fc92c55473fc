#!/bin/sh
# SPDX-License-Identifier: MIT
# Names every C file under version control that clang-format would change; --fix changes them.
set -eu
cd "$(dirname "$0")/../.."
[ "${1:-}" != --fix ] || exec sh -c "git ls-files -z -- '*.c' '*.h' | xargs -0 clang-format -i"
# shellcheck disable=SC2016 # the inner shell's
bad=$(git ls-files -z -- '*.c' '*.h' | xargs -0 -P 2 -n 16 sh -c \
  'for file; do clang-format "$file" | cmp -s - "$file" || echo "$file"; done' sh)
[ -z "$bad" ] || { printf '%s\n' "$bad" "to format them: $0 --fix"; exit 1; }
