#!/bin/sh
# SPDX-License-Identifier: MIT
# check.sh INTO COMPILER [FLAGS] - the test framework Check, built from Debian's
# or Ubuntu's source package for another C library or machine, as
# INTO/lib/libcheck.a, INTO/include and INTO/lib/pkgconfig.  The package is asked
# of the mirrors that apt knows, and nothing of the system's own lists changes.
set -eu
into=$1
compiler=$2
flags=${3-}
[ ! -f "$into/lib/pkgconfig/check.pc" ] || exit 0
source=$(dirname "$into")/source
die() { printf 'portability: %s\n' "$*" >&2; exit 1; }

fetch() {
    apt=$(dirname "$into")/apt
    rm -rf "$apt"
    mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial" "$source.new"
    for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ ! -f "$list" ] || sed -n 's/^deb /deb-src /p' "$list" \
            >"$apt/parts/$(basename "$list" .list).list"
    done
    for list in /etc/apt/sources.list.d/*.sources; do
        [ ! -f "$list" ] || sed 's/^Types:.*/Types: deb-src/' "$list" \
            >"$apt/parts/$(basename "$list")"
    done
    set -- -q -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$apt/parts" \
        -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache"
    # A list of somebody else's may have no sources: only ours is asked for.
    apt-get "$@" update >"$apt/log" 2>&1 || true
    (cd "$source.new" && apt-get "$@" source --download-only check) >>"$apt/log" 2>&1 \
        || { tail -n 20 "$apt/log" >&2; die "apt-get has no source package check"; }
    tar -C "$source.new" --strip-components=1 -xzf "$source.new"/check_*.orig.tar.gz
    rm -rf "$source"
    mv "$source.new" "$source"
}

mkdir -p "$into/lib/pkgconfig" "$into/include"
into=$(cd "$into" && pwd)
source=$(dirname "$into")/source
[ -f "$source/CMakeLists.txt" ] || fetch
log=$into/log
{ cmake -S "$source" -B "$into/build" -G Ninja -DCMAKE_SYSTEM_NAME=Linux \
    -DCMAKE_C_COMPILER="$compiler" -DCMAKE_C_FLAGS="$flags" -DBUILD_TESTING=OFF \
    -DCHECK_ENABLE_TESTS=OFF -DHAVE_SUBUNIT=0 \
    && cmake --build "$into/build" --target check -j 2; } >"$log" 2>&1 \
    || { tail -n 20 "$log" >&2; die "Check does not build with $compiler $flags"; }
cp "$into/build/src/libcheck.a" "$into/lib/"
cp "$into/build/src/check.h" "$into/build/check_stdint.h" "$into/include/"
cat >"$into/lib/pkgconfig/check.pc" <<PC
prefix=$into
Name: check
Description: unit tests in C
Version: 0.15
Libs: -L\${prefix}/lib -lcheck -pthread -lm
Cflags: -I\${prefix}/include -pthread
PC
