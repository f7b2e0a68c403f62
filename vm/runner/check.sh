#!/usr/bin/env bash
# The runner's C: formatted as .clang-format says, without a warning of the compiler, no function over 60 lines, and
# no circle between its files. A file stands above those whose headers it includes; what it uses it must include.
set -uo pipefail
cd "$(dirname "$0")/../.."
fault=0
if ! command -v clang-format >/dev/null; then
  echo 'clang-format is not installed. On Debian: apt-get install clang-format'
  exit 2
fi
clang-format --dry-run -Werror vm/runner/*.[ch] vm/testing/*.c vm/build/kernel/*.[ch] || fault=1
for file in vm/runner/*.c vm/testing/*.c; do
  gcc -std=gnu11 -fsyntax-only -ffreestanding -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wmissing-prototypes \
    -Wredundant-decls -Wnested-externs -Wstrict-prototypes -Wwrite-strings -Werror "$file" || fault=1
done
awk '/^\{/ { first = FNR } /^\}/ { if (first && FNR - first > 61) { print FILENAME ":" first ": a function of " \
  FNR - first - 1 " lines, at most 60"; bad = 1 } first = 0 } END { exit bad }' vm/runner/*.[ch] vm/testing/*.c || fault=1
if ! circle=$(grep -H '^#include "' vm/runner/*.[ch] | sed -E 's|^.*/(\w+)\.[ch]:#include "(\w+)\.h".*|\1 \2|' |
  awk '$1 != $2' | tsort 2>&1 >/dev/null); then
  echo "a circle between files of vm/runner:"
  echo "$circle"
  fault=1
fi
exit "$fault"
