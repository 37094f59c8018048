#!/bin/sh
# SPDX-License-Identifier: MIT
# mutants.sh PARTS [--only GLOB] [--sample N] [--count N] - breaks a copy of the
# library with each patch of mutants/ in turn, and expects the explorer to find
# it.  PARTS is the file that the build wrote: compiler, flags, objects.
#
# A patch begins with a sentence that says what is broken.  Further lines of its
# head may be "Scenario: ..." (where it is looked for, else in all of the
# queue's), "Survives: ..." (it passes these tests: see survey.sh), "Needs:
# --store-buffer" (while every store lands at once nothing can tell: that is
# tried too) and "Equivalent: ..." (why nothing can tell at all: then it must
# survive).
# shellcheck disable=SC2086,SC2154
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
parts=$1
shift
only='*' sample=0 count=400000
while [ $# -gt 0 ]; do
    case $1 in
    --only) only=$2; shift 2 ;;
    --sample) sample=$2; shift 2 ;;
    --count) count=$2; shift 2 ;;
    *) printf 'mutants.sh: %s?\n' "$1" >&2; exit 2 ;;
    esac
done

# shellcheck source=/dev/null
. "$parts" # compiler, flags, explored (sources), library and rest (objects)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

die() { printf 'mutants.sh: %s\n' "$*" >&2; exit 1; }

# ------------------------------------------------------------------ one mutant

# The sources of the copy that have to be compiled: those that differ, or all
# if a header does.
changed_sources() { # COPY
    if ! (cd "$root/lib" && find . -name '*.h') | while read -r header; do
        cmp -s "$root/lib/$header" "$1/lib/$header" || exit 1
    done; then
        printf '%s\n' $explored
        return
    fi
    for source in $explored; do
        cmp -s "$root/$source" "$1/$source" || printf '%s\n' "$source"
    done
}

build() { # COPY OBJECTS OF THE LIBRARY, FLAGS
    objects=$2
    for source in $(changed_sources "$1"); do
        object=$1/$(echo "$source" | tr / _).o
        (cd "$1" && $compiler $flags $3 -O1 -g -w -I"$here/seam" -I"$here" \
            -Ilib -I"$root/include" -c "$source" -o "$object") || return 1
        # The explorer's own object of this source gives way.
        objects="$(printf '%s\n' $objects | grep -v "/$source\\.o\$") $object"
    done
    $compiler $objects $rest -o "$1/explore"
}

head_line() { sed -n "/^--- /q; s/^$2: *//p" "$1"; }

# Those that its head names; else all of the queue.
scenarios_for() { # PATCH
    named=$(head_line "$1" Scenario)
    echo "${named:-!pool_*}"
}

# Whether it passes as long as no store comes late.
misses() { # COPY
    timeout 300 "$1/explore" --quiet --scenario "$scenarios" \
        --strategy exhaustive --bound 1 --noise 0 >"$1/log" 2>&1
}

search() { # COPY
    timeout 300 "$1/explore" --quiet --scenario "$scenarios" --count "$count" \
        >"$1/log" 2>&1
}

# Without watching for races and, if that finds nothing, watching for them.
explore() { # COPY
    search "$1" || return $?
    build "$1" "$watched" "-fsanitize=thread -include $here/seam/copies.h" \
        >"$1/log" 2>&1 || return 99
    search "$1" || return $?
}

# Prints a line and writes how it ended to COPY/end.
try() { # PATCH
    name=$(basename "$1" .patch)
    scenarios=$(scenarios_for "$1")
    copy=$work/$name
    mkdir "$copy"
    cp -r "$root/lib" "$copy/lib"
    if ! patch -s -p1 -d "$copy" <"$1" >"$copy/log" 2>&1; then
        end="does not apply"
    elif ! build "$copy" "$library" '' >"$copy/log" 2>&1; then
        end="does not compile"
    elif [ -n "$(head_line "$1" Needs)" ] && ! misses "$copy"; then
        end="found without store buffers"
    else
        status=0
        explore "$copy" || status=$?
        case $status in
        0) end=survived ;;
        1) end=killed ;;
        *) end="ended with $status" ;;
        esac
    fi
    echo "$end" >"$copy/end"
    printf '%-34s %-9s %s\n' "$name" "$end" \
        "$(sed -n 's/^explore: FOUND in //p' "$copy/log" | cut -c -90)"
    rm -rf "${copy:?}"/lib "$copy"/*.o "$copy/explore"
}

# --------------------------------------------------------------------- all of it

patches=
for patch in "$here"/mutants/*.patch; do
    # shellcheck disable=SC2254
    case $(basename "$patch" .patch) in $only) patches="$patches $patch" ;; esac
done
[ -n "$patches" ] || die "no mutant is called $only"

for patch in $patches; do
    (cd "$root" && patch -s -p1 --dry-run <"$patch" >/dev/null) \
        || die "$(basename "$patch") does not apply any more"
    head -1 "$patch" | grep -q '^[A-Z].*\.$' \
        || die "$(basename "$patch") does not begin with a sentence"
done

# Another few with each commit.
if [ "$sample" -gt 0 ]; then
    from=$(git -C "$root" rev-list --count HEAD 2>/dev/null || date +%j)
    patches=$(printf '%s\n' $patches | awk -v from="$from" -v sample="$sample" '
        { all[NR - 1] = $0 }
        END { for (i = 0; i < sample && i < NR; i++) print all[(from * sample + i) % NR] }')
fi

for patch in $patches; do
    try "$patch"
done

wrong=0 all=0 quiet=0 late=0
for patch in $patches; do
    all=$((all + 1))
    expected=killed
    [ -z "$(head_line "$patch" Equivalent)" ] || expected=survived
    [ -z "$(head_line "$patch" Survives)" ] || quiet=$((quiet + 1))
    [ -z "$(head_line "$patch" Needs)" ] || late=$((late + 1))
    end=$(cat "$work/$(basename "$patch" .patch)/end")
    if [ "$end" != "$expected" ]; then
        wrong=$((wrong + 1))
        printf 'mutants: %s %s: %s\n' "$(basename "$patch" .patch)" "$end" "$(head -1 "$patch")"
    fi
done
printf 'mutants: %d of %d ended as they should; %d pass the other tests, %d need --store-buffer\n' \
    $((all - wrong)) "$all" "$quiet" "$late"
[ "$wrong" -eq 0 ]
