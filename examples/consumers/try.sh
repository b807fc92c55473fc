#!/bin/sh
# SPDX-License-Identifier: MIT
# try.sh CONSUMER WORK-DIR PREFIX COMPILER VERSION: builds a consumer outside the source tree and runs it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)/$1
work=$2 prefix=$3 compiler=$4 version=$5
command -v "$compiler" >/dev/null || { echo "skipped: no $compiler here"; exit 77; }
rm -rf "$work"
mkdir -p "$work"
if [ -f "$here/CMakeLists.txt" ]; then
  CC="$compiler" cmake -S "$here" -B "$work" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release
  cmake --build "$work"
else
  PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name ouro.pc)")
  export PKG_CONFIG_PATH
  make -C "$here" CC="$compiler" CXX="$compiler" OUT="$work"
fi
said=$("$work/consumer")
echo "$said"
[ "$said" = "ouro $version: 1 unreachable object" ]
