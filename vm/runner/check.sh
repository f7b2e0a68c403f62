#!/usr/bin/env bash
# The runner's C: formatted as .clang-format says, and without a warning of the compiler.
set -uo pipefail
cd "$(dirname "$0")/../.."
fault=0
if ! command -v clang-format >/dev/null; then
  echo 'clang-format is not installed. On Debian: apt-get install clang-format'
  exit 2
fi
clang-format --dry-run -Werror vm/runner/*.[ch] vm/testing/*.c || fault=1
for file in vm/runner/*.c; do
  gcc -fsyntax-only -ffreestanding -Wall -Wextra -Wconversion -Wshadow -Wno-sign-conversion -Werror "$file" || fault=1
done
exit "$fault"
