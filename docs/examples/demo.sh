#!/bin/sh
# SPDX-License-Identifier: MIT
# demo.sh BUILD - what weir does, on this machine's real files.
set -eu
build=$1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

echo
echo "1. The checksum of every file below /usr/include, four at a time, beside xargs."
echo "   find /usr/include -type f -print0 | weir run -0 -j 4 --summary -- sha256sum"
echo
find /usr/include -type f -print0 >"$out/files"
"$build/bin/weir" run -0 -j 4 --summary -- sha256sum <"$out/files" >"$out/weir"
xargs -0 sha256sum <"$out/files" >"$out/xargs"
for who in weir xargs; do
    LC_ALL=C sort "$out/$who" >"$out/$who.sorted"
done
if ! cmp "$out/weir.sorted" "$out/xargs.sorted"; then
    echo "   the two DIFFER"
    exit 1
fi
echo
echo "   equal: $(wc -l <"$out/weir") lines from weir run, the same from xargs"

echo
echo "2. The experiments that weir grew from, at 1/20 of their time, scaled up again."
echo
"$build/examples/seeds" 20

echo
echo "3. Ten million tiny tasks from a lazy producer, through a queue of 1024."
echo
"$build/examples/ten_million" 10000000 | sed 's/^/  /'
echo
