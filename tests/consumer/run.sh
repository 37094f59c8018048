#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh ROOT BUILD - installs the library into a temporary place and links
# programs against it the ways users do.  A line for each way.
set -eu
root=$1
build=$2
here=$root/tests/consumer
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
warnings="-Wall -Wextra -Wpedantic -Werror"
ways=0
# Where address randomisation is wide, a sanitizer may not find its memory.
fixed="setarch -R"
$fixed true 2>/dev/null || fixed=

fail() { echo "consumer: $*"; exit 1; }

said() { # NAME
    grep -q '^100 done, weir ' output || fail "$1 said $(cat output)"
    ways=$((ways + 1))
    echo "consumer: $1: $(cat output)"
}

expect() { # NAME PROGRAM
    LD_LIBRARY_PATH=$library $fixed "$2" >output || fail "$1 failed"
    said "$1"
}

ok() { # NAME
    ways=$((ways + 1))
    echo "consumer: $1"
}

in_prefix() { # PREFIX: what is said from here on holds for this one
    prefix=$1
    PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name weir.pc)")
    export PKG_CONFIG_PATH
    library=$(dirname "$(find "$prefix" -name libweir.a)")
    cflags=$(pkg-config --cflags weir)
    shared=$(pkg-config --libs weir)
    archive="$library/libweir.a -pthread"
}

# --------------------------------------------------------------- installing
cmake --install "$build" --prefix "$place/usr" >/dev/null
mkdir "$place/stage"
DESTDIR=$place/stage cmake --install "$build" --prefix /opt/weir >/dev/null
cd "$place"
[ "$(ls stage) $(ls stage/opt)" = "opt weir" ] || fail "DESTDIR: $(ls stage stage/opt)"
diff -r usr stage/opt/weir >/dev/null || fail "DESTDIR: other files than with --prefix"
if grep -rlF -e "$place" -e "$root" usr/lib*/*/pkgconfig usr/lib*/*/cmake usr/lib*/pkgconfig \
    usr/lib*/cmake 2>/dev/null; then
    fail "what is installed names a place of this machine"
fi
ok "DESTDIR: the same files as with --prefix, none names its place"

for page in man1/weir.1 man3/weir_pool_submit.3 man3/weir_pool_options.3 man7/weir-pool.7; do
    [ -s "usr/share/man/$page" ] || fail "there is no page $page"
done
[ "$(find usr/share/man/man3 -name 'weir_*.3' | wc -l)" -gt 126 ] || fail "pages are missing"
ok "$(find usr/share/man -type f | wc -l) manual pages"

in_prefix "$place/usr"
cp "$here/use.c" use.c
cp "$here/use.c" use.cc
cp "$here/use.cpp" use.cpp
cp "$here/handed.c" handed.c

exported() { nm -D --defined-only "$1" | awk '$2 ~ /[B-Zb-z]/ && $3 !~ /^WEIR_/ { sub(/@.*/, "", $3); print $3 }'; }
grep -v '^#' "$root/tests/abi/symbols.txt" | sort >kept
exported "$library/libweir.so" | sort >there
diff kept there || fail "libweir.so does not export what tests/abi/symbols.txt keeps"
ok "exports the $(wc -l <kept) names that are kept, and no other"

# ------------------------------------------------------- cc and pkg-config
# shellcheck disable=SC2086
compile() { # COMPILER STANDARD SOURCE PROGRAM OPTION...
    compiler=$1 standard=$2 source=$3 program=$4
    shift 4
    $compiler -std=$standard $warnings $cflags "$source" -o "$program" "$@" \
        || fail "$compiler -std=$standard $source does not build"
}

# shellcheck disable=SC2086
both() { # COMPILER STANDARD SOURCE
    compile "$1" "$2" "$3" shared $shared
    expect "$1 -std=$2 $3, pkg-config, shared" ./shared
    compile "$1" "$2" "$3" static $archive
    expect "$1 -std=$2 $3, pkg-config, libweir.a" ./static
}

for compiler in cc gcc clang; do
    both $compiler c99 use.c
    both $compiler c11 use.c
done
for compiler in g++ clang++; do
    both $compiler c++11 use.cc
    both $compiler c++17 use.cc
done
both g++ c++17 use.cpp
readelf -d shared | grep -q 'NEEDED.*libweir.so.0' || fail "shared is not"
if readelf -d static | grep -q libweir; then fail "static is not"; fi
# shellcheck disable=SC2046
compile cc c11 use.c all_static -static $(pkg-config --static --libs weir)
expect "cc -static, pkg-config --static" ./all_static

# ------------------------------------------------------------- sanitizers
# The library is the installed one, without their instruments.
for compiler in gcc clang; do
    for kind in address undefined; do
        # shellcheck disable=SC2086
        compile $compiler c11 handed.c sanitized -fsanitize=$kind \
            -fno-sanitize-recover=all $archive
        $fixed ./sanitized >output 2>&1 || fail "$compiler -fsanitize=$kind: $(cat output)"
        said "$compiler -fsanitize=$kind, libweir.a"
    done
done

# ------------------------------------------------------------ moved elsewhere
mkdir -p elsewhere/deep
mv usr elsewhere/deep/weir
in_prefix "$place/elsewhere/deep/weir"
# shellcheck disable=SC2086
compile cc c11 use.c shared $shared
expect "moved after install: cc, pkg-config, shared" ./shared

# ------------------------------------------------------------------- cmake
configure() { # FOLDER OPTION...: quietly
    folder=$1
    shift
    cmake -G Ninja -S "$folder" -B "$folder/build" "$@" >log 2>&1 \
        || fail "cmake $folder: $(cat log)"
}
make_target() { # FOLDER TARGET
    cmake --build "$1/build" --target "$2" -j 2 >log 2>&1 || fail "$1, $2: $(cat log)"
}

mkdir found
cat >found/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.16)
project(user C CXX)
find_package(weir 0.1 REQUIRED)
add_executable(in_c ../use.c)
add_executable(in_cxx ../use.cc)
add_executable(in_cxx17 ../use.cpp)
set_target_properties(in_cxx17 PROPERTIES CXX_STANDARD 17)
foreach(user in_c in_cxx in_cxx17)
  target_link_libraries(${user} weir::weir)
endforeach()
END
for shared in OFF ON; do
    rm -rf found/build
    configure found -DCMAKE_PREFIX_PATH="$prefix" -DBUILD_SHARED_LIBS=$shared
    make_target found all
    for user in in_c in_cxx in_cxx17; do
        expect "moved after install: find_package, shared $shared, $user" found/build/$user
    done
done
if cmake -G Ninja -S found -B found/other -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_PROJECT_INCLUDE="$here/older.cmake" >log 2>&1; then
    fail "find_package(weir 0.0) takes a version that is another"
fi
ok "find_package refuses another minor version"

# What a parent had before it took weir in, it has afterwards: parent.cmake
# compares.  Nothing of weir is built unless it is linked, or tested, or installed.
parent() { # NAME LANGUAGES TAKE LIBRARY OPTION...
    folder=$1 languages=$2 take=$3 kind=$4
    shift 4
    mkdir "$folder"
    sed -e "s|@languages@|$languages|; s|@take@|$take|; s|@here@|$here|; s|@root@|$root|" \
        "$here/parent.cmake" >"$folder/CMakeLists.txt"
    configure "$folder" -DCMAKE_INSTALL_PREFIX="$place/$folder.installed" "$@"
    make_target "$folder" all
    built=$(find "$folder/build" -name '*.o' -o -name 'libweir*')
    [ -z "$built" ] || fail "$folder: built, but not asked for: $built"
    (cd "$folder/build" && ctest -N | grep -q 'Total Tests: 0') || fail "$folder has tests"
    cmake --install "$folder/build" >/dev/null
    [ ! -e "$folder.installed" ] || fail "$folder: installs $(find "$folder.installed")"
    make_target "$folder" user
    other=$(find "$folder/build" -name 'libweir*' ! -name "libweir.$kind*")
    [ -z "$other" ] || fail "$folder: built, but not asked for: $other"
    expect "$folder, parent unchanged" "$folder/build/user"
}

subdirectory="add_subdirectory(@root@ weir)"
fetched="include(FetchContent)\nFetchContent_Declare(weir SOURCE_DIR @root@)\nFetchContent_MakeAvailable(weir)"
parent add_subdirectory C "$subdirectory" a -DCMAKE_C_STANDARD=99 \
    -DCMAKE_C_FLAGS="$warnings"
# In one go, and so in seconds.
one="-DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=0"
# shellcheck disable=SC2086
{
    parent FetchContent CXX "$fetched" so -DBUILD_SHARED_LIBS=ON $one -DUSE=use.cpp \
        -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++
    # The thread sanitizer has to see who waits for whom: it needs the sources.
    parent FetchContent_thread C "$fetched" a $one -DUSE=handed.c \
        -DCMAKE_C_FLAGS=-fsanitize=thread
    parent FetchContent_address C "$fetched" a $one -DUSE=handed.c \
        -DCMAKE_C_FLAGS=-fsanitize=address
}

# And who asks gets it all.
mkdir asked
sed -e "s|@languages@|C|; s|@take@|$subdirectory|; s|@here@|$here|; s|@root@|$root|" \
    "$here/parent.cmake" >asked/CMakeLists.txt
configure asked -DWEIR_INSTALL=ON -DCMAKE_INSTALL_PREFIX="$place/asked.installed" $one
make_target asked all
cmake --install asked/build >/dev/null
[ -n "$(find asked.installed -name libweir.a)" ] || fail "WEIR_INSTALL installs nothing"
ok "add_subdirectory, -DWEIR_INSTALL=ON: installed with the parent"
echo "consumer: all of the $ways ways work"
