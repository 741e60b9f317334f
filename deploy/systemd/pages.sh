#!/bin/sh
# pages.sh BINARY DIR writes manual pages and completion for three shells into DIR. SOURCE_DATE_EPOCH dates the pages.
set -eu
binary=$1 out=$2

rm -rf "$out"
mkdir -p "$out"
"$binary" man --directory "$out/man1"
find "$out/man1" -name '*.1' -exec gzip -9 --no-name {} +
"$binary" completion bash > "$out/slowburn.bash"
"$binary" completion zsh > "$out/_slowburn"
"$binary" completion fish > "$out/slowburn.fish"
