#!/bin/sh
# pages.sh BINARY DIR writes manual pages and completion for three shells into DIR. Run in a checkout. SOURCE_DATE_EPOCH dates the pages.
set -eu
binary=$1 out=$2

rm -rf "$out"
mkdir -p "$out"
version=$("$binary" --version | cut -d ' ' -f 3)
go test -count=1 -run '^TestMan$' ./cmd/slowburn -args -man "$(realpath "$out")/man1" -man-version "$version" >/dev/null
find "$out/man1" -name '*.1' -exec gzip -9 --no-name {} +
"$binary" completion bash > "$out/slowburn.bash"
"$binary" completion zsh > "$out/_slowburn"
"$binary" completion fish > "$out/slowburn.fish"
