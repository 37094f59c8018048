#!/bin/sh
# SPDX-License-Identifier: MIT
# two.sh ROOT - makes weir.c and weir.h, and builds programs that have nothing
# else of weir; tests and examples of ours too.  A line for each.
set -eu
root=$1
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
warnings="-Wall -Wextra -Wpedantic -Werror"
fixed="setarch -R"
$fixed true 2>/dev/null || fixed=

fail() { echo "two files: $*"; exit 1; }

sh "$root/tools/amalgamate.sh" "$root" "$place"
cp "$root/tests/consumer/use.c" "$root/tests/consumer/handed.c" "$place"
cp "$place/use.c" "$place/use.cc"
cd "$place"
if grep -n '^ *# *include "' weir.c weir.h | grep -v '"weir.h"'; then
    fail "something else is included"
fi

run() { # NAME PROGRAM
    $fixed "$2" >output 2>&1 || fail "$1: $(cat output)"
    grep -q '^100 done, weir ' output || fail "$1 said $(cat output)"
    echo "two files: $1: $(cat output)"
}

# shellcheck disable=SC2086
{
    # As the guide has it.
    cc -std=c11 -Wall -Wextra -Wpedantic -Werror weir.c use.c -I. -o user -pthread
    run "cc -std=c11 weir.c use.c" ./user
    for compiler in gcc clang; do
        $compiler -std=c11 $warnings -O2 -c weir.c -o $compiler.o
        $compiler -std=c99 $warnings -I. use.c $compiler.o -o user -pthread
        run "$compiler -O2, user in C99" ./user
        $compiler -g -fsanitize=thread -std=c11 $warnings -I. weir.c handed.c \
            -o user -pthread
        run "$compiler -fsanitize=thread" ./user
        $compiler -g -fsanitize=address,undefined -fno-sanitize-recover=all -std=c11 \
            $warnings -I. weir.c handed.c -o user -pthread
        run "$compiler -fsanitize=address,undefined" ./user
    done
    g++ -std=c++11 $warnings -I. use.cc gcc.o -o user -pthread
    run "user in C++11" ./user
    # Only what is public shows, in a library of the user's own.
    gcc -std=c11 -O0 -fPIC -shared weir.c -o libuser.so -pthread
}
nm -D --defined-only libuser.so | awk '{ print $3 }' | sort >shown
grep -v '^#' "$root/tests/abi/symbols.txt" | sort | diff - shown \
    || fail "in a shared library it shows other names than tests/abi/symbols.txt"
echo "two files: in a shared library they show the $(wc -l <shown) names that are kept"

# With probes, where there is the header: each of the library's.
if printf '#include <sys/sdt.h>\n' | cc -E - >/dev/null 2>&1; then
    # shellcheck disable=SC2086
    for compiler in gcc clang; do
        $compiler -std=c11 $warnings -DWEIR_USDT -O2 -fPIC -shared weir.c \
            -o probed.so -pthread
        cmake -DLIBRARY=probed.so -DEVENTS="$root/include/weir/events.h" \
            -DREADELF=readelf -DWANTED=ON -P "$root/tests/abi/probes.cmake" \
            >output 2>&1 || fail "$compiler -DWEIR_USDT: $(cat output)"
        echo "two files: $compiler -DWEIR_USDT: $(cat output)"
    done
else
    echo "two files: -DWEIR_USDT not tried: there is no sys/sdt.h (systemtap-sdt-dev)"
fi

for example in hello backpressure futures streams pipeline hostile limits; do
    cc -std=c11 -D_GNU_SOURCE $warnings -I. "$root/docs/examples/$example.c" gcc.o \
        -o example -pthread
    folder=
    [ $example != pipeline ] || folder=$root/docs
    # shellcheck disable=SC2086
    ./example $folder >output 2>&1 || fail "$example: $(cat output)"
    echo "two files: example $example"
done

# Tests see the inside too: the sources' headers, the pair's code.
test_with() { # NAME SUPPORT...
    test=$1
    shift
    set -- "$@" gate helper suite faults test_clock
    for file; do
        set -- "$@" "$root/tests/support/$file.c"
        shift
    done
    # shellcheck disable=SC2046
    clang -std=c11 -D_GNU_SOURCE -I"$root/include" -I"$root/lib" -I"$root/tests/support" \
        "$root/tests/$test.c" "$@" clang.o -o "$test" \
        $(pkg-config --cflags --libs check) -pthread
    "./$test" >output 2>&1 || fail "$test: $(cat output)"
    echo "two files: $test: $(tail -n 1 output)"
}
test_with test_queue queues
test_with test_task pools
test_with test_pool pools
test_with test_pool_trap pools crashes
test_with test_process children
test_with test_run
echo "two files: all of it works"
