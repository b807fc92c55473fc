#!/bin/sh
# SPDX-License-Identifier: MIT
# try.sh CONSUMER WORK-DIR PREFIX CC: builds a consumer outside the source tree and runs it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)/$1
work=$2 prefix=$3
export CC="$4"
rm -rf "$work"
mkdir -p "$work"
if [ -f "$here/CMakeLists.txt" ]; then
  cmake -S "$here" -B "$work" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release
  cmake --build "$work"
else
  PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name ouro.pc)")
  export PKG_CONFIG_PATH
  make -C "$here" CC="$CC" OUT="$work"
fi
"$work/consumer"
