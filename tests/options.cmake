# SPDX-License-Identifier: MIT
# cmake -DROOT=<tree> -DCACHE=<CMakeCache.txt> -P options.cmake: the options of
# the build, and the tables of docs/linking.md, which show them, are the same.
cmake_minimum_required(VERSION 3.25)
set(page "docs/linking.md")

# What they declare: name and default.
file(GLOB_RECURSE files "${ROOT}/cmake/*.cmake" "${ROOT}/bench/*.cmake"
  "${ROOT}/bench/CMakeLists.txt" "${ROOT}/tests/CMakeLists.txt"
  "${ROOT}/tests/*/CMakeLists.txt" "${ROOT}/tools/CMakeLists.txt"
  "${ROOT}/docs/examples/CMakeLists.txt"
  "${ROOT}/docs/examples/*/CMakeLists.txt")
list(APPEND files "${ROOT}/CMakeLists.txt")
set(declared)
foreach(file IN LISTS files)
  file(READ "${file}" text)
  string(REGEX MATCHALL "option\\(WEIR_[A-Z_]+|set\\(WEIR_[A-Z_]+ [^()]* CACHE"
    found "${text}")
  foreach(one IN LISTS found)
    string(REGEX MATCH "WEIR_[A-Z_]+" name "${one}")
    list(APPEND declared ${name})
  endforeach()
endforeach()

# What is looked for is in the cache, by this name, where it was looked for.
file(STRINGS "${CACHE}" looked_for
  REGEX "^WEIR_[A-Z_]+:(FILEPATH|PATH|STRING|BOOL)=")
list(TRANSFORM looked_for REPLACE ":.*" "")

file(STRINGS "${ROOT}/${page}" rows REGEX "^\\| `WEIR_[A-Z_]+`")
set(shown)
foreach(row IN LISTS rows)
  string(REGEX REPLACE "^\\| ([^|]*) \\|.*" "\\1" names "${row}")
  string(REGEX MATCHALL "WEIR_[A-Z_]+" names "${names}")
  list(APPEND shown ${names})
endforeach()
if(NOT declared OR NOT shown OR NOT looked_for)
  message(FATAL_ERROR "none found: is ${ROOT} right?")
endif()

set(there ${declared} ${looked_for})
list(REMOVE_DUPLICATES there)
foreach(name IN LISTS there)
  if(NOT name IN_LIST shown)
    message(SEND_ERROR "${page} does not tell of ${name}: add a row")
  endif()
endforeach()
# A name that no file of cmake knows any more.
set(all "")
foreach(file IN LISTS files)
  file(READ "${file}" text)
  string(APPEND all "${text}")
endforeach()
foreach(name IN LISTS shown)
  string(REPLACE WEIR_ "" called "weir_toolchain\\(${name} ")
  if(NOT name IN_LIST declared AND NOT all MATCHES "${called}" AND
      NOT all MATCHES "find_[a-z]+\\(\"?${name}[ )]")
    message(SEND_ERROR "${page} tells of ${name}, which is no option")
  endif()
endforeach()
list(LENGTH shown count)
message(STATUS "${count} options are told of")
