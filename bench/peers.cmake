# SPDX-License-Identifier: MIT
# The peers that are there.  What is missing is said by weir-bench list.
include(CheckLanguage)
find_package(PkgConfig)
set(peers "${CMAKE_CURRENT_BINARY_DIR}/peers")
file(MAKE_DIRECTORY "${peers}")

# ------------------------------------------------------------------- C, C++
# weir_peer(id modules sources...): built if pkg-config knows the modules.
function(weir_peer id modules)
  if(NOT PkgConfig_FOUND)
    return()
  endif()
  pkg_check_modules(PEER_${id} QUIET IMPORTED_TARGET ${modules})
  if(NOT PEER_${id}_FOUND)
    message(STATUS "bench: ${id} is absent")
    return()
  endif()
  weir_contender(${id} ${ARGN})
  target_link_libraries(bench_${id} PRIVATE PkgConfig::PEER_${id})
endfunction()

# The same for one that is asked about hostile tasks.
function(weir_hostile_peer id modules)
  if(NOT PkgConfig_FOUND)
    return()
  endif()
  pkg_check_modules(HOSTILE_${id} QUIET IMPORTED_TARGET ${modules})
  if(HOSTILE_${id}_FOUND)
    weir_hostile(${id})
    target_link_libraries(bench_${id}_hostile PRIVATE
      PkgConfig::HOSTILE_${id})
  endif()
endfunction()

if(NOT WEIR_BENCH_STATIC)
  weir_peer(glib glib-2.0 peers/glib.c ${queue})
  weir_peer(apr "apr-1;apr-util-1" peers/apr.c ${queue})
  weir_peer(glib_pool glib-2.0 peers/glib_pool.c ${pool})
  weir_peer(uv_pool libuv peers/uv_pool.c ${pool})
  weir_peer(apr_pool "apr-1;apr-util-1" peers/apr_pool.c ${pool})
  weir_hostile_peer(glib glib-2.0)
  weir_hostile_peer(apr "apr-1;apr-util-1")
  weir_hostile_peer(uv libuv)
endif()

check_language(CXX)
if(CMAKE_CXX_COMPILER)
  enable_language(CXX)
  set(CMAKE_CXX_STANDARD 17)
  set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG") # as the C ones
  if(NOT WEIR_BENCH_STATIC)
    weir_peer(tbb tbb peers/tbb.cpp ${queue})
    weir_peer(tbb_pool "tbb>=2021.6" peers/tbb_pool.cpp ${pool})
    weir_peer(tbb_flow "tbb>=2021.6" peers/tbb_flow.cpp)
  endif()
  find_path(WEIR_MOODYCAMEL blockingconcurrentqueue.h
    PATH_SUFFIXES concurrentqueue)
endif()
if(CMAKE_CXX_COMPILER AND WEIR_MOODYCAMEL)
  # Its headers do not say their version; the package does.
  execute_process(
    COMMAND dpkg-query -W -f "\${source:Upstream-Version}"
      libconcurrentqueue-dev
    OUTPUT_VARIABLE moodycamel_version ERROR_QUIET RESULT_VARIABLE failed)
  if(failed OR NOT moodycamel_version)
    set(moodycamel_version "of no known version")
  endif()
  foreach(id moodycamel moodycamel-bounded)
    weir_contender(${id} peers/moodycamel.cpp ${queue})
    target_include_directories(bench_${id} SYSTEM PRIVATE "${WEIR_MOODYCAMEL}")
    target_compile_definitions(bench_${id} PRIVATE
      "MOODYCAMEL_VERSION=\"${moodycamel_version}\"")
  endforeach()
  target_compile_definitions(bench_moodycamel-bounded PRIVATE BOUNDED)
endif()

# ---------------------------------------------------------- other languages
if(WEIR_BENCH_STATIC)
  return()
endif()

# weir_toolchain(NAME program least arguments...): sets NAME_IS_THERE, and
# NAME_VERSION to the first number that `program arguments...` prints.
macro(weir_toolchain name program least)
  find_program(WEIR_${name} ${program})
  set(${name}_IS_THERE FALSE)
  if(WEIR_${name})
    execute_process(COMMAND "${WEIR_${name}}" ${ARGN}
      OUTPUT_VARIABLE said ERROR_VARIABLE said)
    if(said MATCHES "([0-9]+\\.[0-9]+[.0-9]*)")
      set(${name}_VERSION "${CMAKE_MATCH_1}")
      if(NOT ${name}_VERSION VERSION_LESS ${least})
        set(${name}_IS_THERE TRUE)
      endif()
    endif()
  endif()
  if(NOT ${name}_IS_THERE)
    message(STATUS "bench: ${program} ${least} or later is absent")
  endif()
endmacro()

# weir_foreign(id DEPENDS sources... COMMAND ...): makes peers/ID.
function(weir_foreign id)
  add_custom_command(OUTPUT "${peers}/${id}" ${ARGN} VERBATIM)
  add_custom_target(bench_${id} DEPENDS "${peers}/${id}")
  add_dependencies(weir_bench bench_${id})
endfunction()

# weir_script(id command): peers/ID is a shell script; $here is the directory
# above it.
function(weir_script id command)
  file(CONFIGURE OUTPUT "peers/${id}" @ONLY CONTENT "#!/bin/sh
here=$(dirname \"$0\")/..
exec ${command} \"$@\"
")
  file(CHMOD "${peers}/${id}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
    GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
endfunction()

set(here "${CMAKE_CURRENT_SOURCE_DIR}")

weir_toolchain(RUSTC rustc 1.63 --version)
set(channel "${here}/driver/driver.rs" "${here}/driver/channel.rs")
set(rustc "${WEIR_RUSTC}" --edition 2021 -C opt-level=3)
if(RUSTC_IS_THERE)
  weir_foreign(rust-std
    DEPENDS ${channel} "${here}/peers/rust-std.rs"
    COMMAND "${CMAKE_COMMAND}" -E env PEER_VERSION=${RUSTC_VERSION}
      ${rustc} --crate-name rust_std -o "${peers}/rust-std"
      "${here}/peers/rust-std.rs")
endif()

# Debian has the sources of crates; these three need no cargo.
file(GLOB cfg_if "/usr/share/cargo/registry/cfg-if-1.*")
file(GLOB crossbeam_utils "/usr/share/cargo/registry/crossbeam-utils-0.8.*")
file(GLOB crossbeam_channel "/usr/share/cargo/registry/crossbeam-channel-0.5.*")
if(RUSTC_IS_THERE AND cfg_if AND crossbeam_utils AND crossbeam_channel)
  string(REGEX MATCH "[0-9.]+$" crossbeam_version "${crossbeam_channel}")
  set(crates "${CMAKE_CURRENT_BINARY_DIR}/crates")
  file(MAKE_DIRECTORY "${crates}")
  set(crate "${WEIR_RUSTC}" --edition 2018 --crate-type rlib -C opt-level=3
    --cap-lints allow --cfg "feature=\"std\"" -L "${crates}"
    --out-dir "${crates}")
  set(uses_cfg_if --extern "cfg_if=${crates}/libcfg_if.rlib")
  set(uses_utils --extern
    "crossbeam_utils=${crates}/libcrossbeam_utils.rlib")
  set(uses_channel --extern
    "crossbeam_channel=${crates}/libcrossbeam_channel.rlib")
  weir_foreign(crossbeam
    DEPENDS ${channel} "${here}/peers/crossbeam.rs"
    COMMAND ${crate} --crate-name cfg_if "${cfg_if}/src/lib.rs"
    COMMAND ${crate} --crate-name crossbeam_utils ${uses_cfg_if}
      "${crossbeam_utils}/src/lib.rs"
    COMMAND ${crate} --crate-name crossbeam_channel ${uses_cfg_if}
      ${uses_utils} "${crossbeam_channel}/src/lib.rs"
    COMMAND "${CMAKE_COMMAND}" -E env PEER_VERSION=${crossbeam_version}
      ${rustc} -L "${crates}" ${uses_channel} -o "${peers}/crossbeam"
      "${here}/peers/crossbeam.rs")
else()
  message(STATUS "bench: crossbeam is absent")
endif()

# What needs more crates is built by cargo, which takes them from there, too.
weir_toolchain(CARGO cargo 1.63 --version)
set(crates_of_debian
  --config "source.crates-io.replace-with='debian'"
  --config "source.debian.directory='/usr/share/cargo/registry'")

# weir_crate(id crate versions features): a pool that is a crate of Debian's.
function(weir_crate id name versions features)
  file(GLOB found "/usr/share/cargo/registry/${name}-${versions}")
  if(NOT RUSTC_IS_THERE OR NOT CARGO_IS_THERE OR NOT found)
    message(STATUS "bench: ${id} is absent")
    return()
  endif()
  string(REGEX MATCH "[0-9.]+$" version "${found}")
  set(cargo "${CMAKE_CURRENT_BINARY_DIR}/cargo")
  file(CONFIGURE OUTPUT "cargo/${id}/Cargo.toml" CONTENT "[package]
name = \"${id}\"
version = \"0.0.0\"
edition = \"2021\"

[[bin]]
name = \"${id}\"
path = \"${here}/peers/${id}.rs\"

[dependencies]
${name} = { version = \"${version}\", features = [${features}] }

[workspace]
")
  weir_foreign(${id}
    DEPENDS "${here}/driver/driver.rs" "${here}/driver/pool.rs"
      "${here}/peers/${id}.rs"
    COMMAND "${CMAKE_COMMAND}" -E env PEER_VERSION=${version}
      "RUSTC=${WEIR_RUSTC}" "${WEIR_CARGO}" build --release --offline --quiet
      ${crates_of_debian} --target-dir "${cargo}/target"
      --manifest-path "${cargo}/${id}/Cargo.toml"
    COMMAND "${CMAKE_COMMAND}" -E copy "${cargo}/target/release/${id}"
      "${peers}/${id}")
endfunction()

weir_crate(rayon_pool rayon "1.*" "")
weir_crate(tokio_pool tokio "1.*" [["rt-multi-thread","sync"]])

weir_toolchain(GO go 1.18 version)
if(GO_IS_THERE)
  # Files of one package have to lie in one directory.
  set(go "${CMAKE_CURRENT_BINARY_DIR}/go")
  foreach(source driver/driver.go driver/queue.go peers/go.go peers/go_pool.go)
    get_filename_component(name ${source} NAME)
    configure_file(${source} go/${name} COPYONLY)
  endforeach()
  set(go_build "${CMAKE_COMMAND}" -E env "GOCACHE=${go}/cache" GO111MODULE=off
    "${WEIR_GO}" build -o)
  weir_foreign(go
    DEPENDS "${go}/driver.go" "${go}/queue.go" "${go}/go.go"
    COMMAND ${go_build} "${peers}/go" "${go}/driver.go" "${go}/queue.go"
      "${go}/go.go")
  weir_foreign(go_pool
    DEPENDS "${go}/driver.go" "${go}/go_pool.go"
    COMMAND ${go_build} "${peers}/go_pool" "${go}/driver.go"
      "${go}/go_pool.go")
endif()

weir_toolchain(JAVAC javac 17 -version)
if(JAVAC_IS_THERE)
  set(java "${CMAKE_CURRENT_BINARY_DIR}/java")
  set(sources "${here}/driver/Driver.java" "${here}/peers/Java.java"
    "${here}/peers/JavaPool.java")
  add_custom_command(OUTPUT "${java}/Driver.class" DEPENDS ${sources}
    COMMAND "${WEIR_JAVAC}" -d "${java}" ${sources} VERBATIM)
  add_custom_target(bench_java DEPENDS "${java}/Driver.class")
  add_dependencies(weir_bench bench_java)
  weir_script(java "java -cp \"$here/java\" Java")
  weir_script(java_pool "java -cp \"$here/java\" JavaPool")
endif()

weir_toolchain(PYTHON python3 3.8 --version)
if(PYTHON_IS_THERE)
  configure_file(driver/driver.py python/driver.py COPYONLY)
  foreach(id python-queue python-asyncio python_pool python_processes)
    configure_file(peers/${id}.py python/${id}.py COPYONLY)
    weir_script(${id} "python3 \"$here/python/${id}.py\"")
  endforeach()
endif()
