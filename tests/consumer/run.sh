#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh ROOT BUILD - installs the library into a temporary place and links
# programs against it the ways users do.
set -eu
root=$1
build=$2
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

cmake --install "$build" --prefix "$place/usr" >/dev/null
PKG_CONFIG_PATH=$(dirname "$(find "$place/usr" -name weir.pc)")
export PKG_CONFIG_PATH
library=$(dirname "$(find "$place/usr" -name libweir.a)")
cp "$root/tests/consumer/use.c" "$place/use.c"
cp "$root/tests/consumer/use.c" "$place/use.cc"
cp "$root/tests/consumer/use.cpp" "$place/use.cpp"
cd "$place"
warnings="-Wall -Wextra -Wpedantic -Werror"

expect() { # NAME PROGRAM
    LD_LIBRARY_PATH=$library "$2" >output || { echo "consumer: $1 failed"; exit 1; }
    grep -q '^100 done, weir ' output || { echo "consumer: $1 said $(cat output)"; exit 1; }
    echo "consumer: $1: $(cat output)"
}

# shellcheck disable=SC2046,SC2086
{
    cc -std=c99 $warnings use.c -o shared $(pkg-config --cflags --libs weir)
    cc -std=c11 $warnings use.c -o static $(pkg-config --cflags weir) \
        "$library/libweir.a" -pthread
    g++ -std=c++11 $warnings use.cc -o cplusplus $(pkg-config --cflags --libs weir)
    g++ -std=c++17 $warnings use.cpp -o cplusplus17 $(pkg-config --cflags --libs weir)
}
expect "C99, pkg-config, shared" ./shared
expect "C11, static" ./static
expect "C++11, pkg-config, shared" ./cplusplus
expect "C++17, the C++ headers, shared" ./cplusplus17
readelf -d shared | grep -q 'NEEDED.*libweir.so.0'

cat >CMakeLists.txt <<'EOF'
cmake_minimum_required(VERSION 3.16)
project(user C)
find_package(weir 0.1 REQUIRED)
add_executable(user use.c)
target_link_libraries(user weir::weir)
EOF
for shared in OFF ON; do
    cmake -S . -B "user-$shared" -DCMAKE_PREFIX_PATH="$place/usr" \
        -DBUILD_SHARED_LIBS=$shared >/dev/null
    cmake --build "user-$shared" >/dev/null
    expect "find_package, shared $shared" "user-$shared/user"
done

cat >CMakeLists.txt <<EOF
cmake_minimum_required(VERSION 3.16)
project(user C)
add_subdirectory("$root" weir)
add_executable(user use.c)
target_link_libraries(user weir::weir)
EOF
cmake -S . -B user-sub >/dev/null
cmake --build user-sub >/dev/null
expect "add_subdirectory" user-sub/user
if [ -e user-sub/weir/bin/weir ] || grep -q Werror user-sub/CMakeCache.txt; then
    echo "consumer: as a subdirectory weir does more than build its library"
    exit 1
fi
echo "consumer: all of them work"
