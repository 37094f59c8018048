#!/bin/sh
# SPDX-License-Identifier: MIT
# amalgamate.sh ROOT INTO - writes all of lib/ and include/ as INTO/weir.c and
# INTO/weir.h.  Rooms come in the order of lib/LAYERS, so that each finds above
# it what it includes; statics are unique across lib/ (the test `names`).
set -eu
root=$1
into=$2
mkdir -p "$into"
version=$(awk '/define WEIR_VERSION_TEXT/ { gsub(/"/, "", $3); print $3 }' \
    "$root/include/weir/version.h")

head_of() { # NAME WHAT
    printf '/* SPDX-License-Identifier: MIT */\n/* %s - %s\n *\n' "$1" "$2"
    printf ' * weir %s in two files.  Made from the sources: mend those.\n *\n' "$version"
    sed -e 's/^/ * /' -e 's/ *$//' "$root/LICENSE"
    printf ' */\n'
}

# Files one after the other, without their guards, licence lines and includes of
# each other; `follow` puts an include of <weir/...> in its place, once.
join() { # FOLLOW FILE...
    follow=$1
    shift
    for file; do printf '%s\n' "$file"; done | awk -v root="$root" -v follow="$follow" '
        function emit(file, line, name, at) {
            if (file in seen)
                return
            seen[file] = 1
            printf "\n/* ------ %s */\n", substr(file, length(root) + 2)
            while ((at = (getline line < file)) > 0) {
                if (line ~ /^\/\* SPDX-License-Identifier/)
                    continue
                if (line ~ /^#(ifndef|define) WEIR_([A-Z_]*_)?H$/ ||
                    line ~ /^#endif \/\* WEIR_([A-Z_]*_)?H \*\/$/)
                    continue
                if (line ~ /^#include <weir[\/.]/) {
                    name = line
                    gsub(/^#include <|>.*$/, "", name)
                    if (follow)
                        emit(root "/include/" name)
                    continue
                }
                if (line ~ /^#include /)
                    continue
                print line
            }
            if (at < 0) {
                printf "amalgamate: cannot read %s\n", file > "/dev/stderr"
                exit 1
            }
            close(file)
        }
        { emit($0) }' | cat -s
}

# The headers of the system, once, before anything of ours.
system_includes() { # FILE...
    awk '/^#include </ && !/<weir[\/.]/ && !seen[$2]++ { print $1, $2 }' "$@" | sort
}

# What the build needs is asked before anything of the system is included.
platform=base/platform

rooms() {
    grep '^[a-z]' "$root/lib/LAYERS" | tr -s ' ' '\n' | grep -vx "$platform" | while read -r room; do
        for file in "$root/lib/$room.h" "$root/lib/$room.c"; do
            if [ -f "$file" ]; then printf '%s\n' "$file"; fi
        done
    done
}

{
    head_of weir.h "producers, a bounded queue, workers, outcomes."
    printf '#ifndef WEIR_H\n#define WEIR_H\n\n'
    # shellcheck disable=SC2046
    system_includes "$root"/include/weir/*.h
    join 1 "$root/include/weir.h"
    printf '\n#endif /* WEIR_H */\n'
} >"$into/weir.h"

{
    head_of weir.c "compile it with a C11 compiler; see weir.h."
    printf '#ifndef _GNU_SOURCE\n# define _GNU_SOURCE\n#endif\n'
    # Of this file alone, unless what includes it has decided.
    printf '#ifndef _FILE_OFFSET_BITS\n# define _FILE_OFFSET_BITS 64\n#endif\n'
    printf '\n/* ------ lib/%s.h */\n' "$platform"
    sed 1d "$root/lib/$platform.h"
    printf '\n'
    # shellcheck disable=SC2046
    system_includes $(rooms)
    printf '\n#include "weir.h"\n'
    # What is not public stays inside, in a shared library of yours too.
    printf '\n#if defined(__GNUC__)\n# pragma GCC visibility push(hidden)\n#endif\n'
    # shellcheck disable=SC2046
    join '' $(rooms)
    printf '\n#if defined(__GNUC__)\n# pragma GCC visibility pop\n#endif\n'
} >"$into/weir.c"
