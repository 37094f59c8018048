# SPDX-License-Identifier: MIT
# cmake -DINCLUDE=.. -DMAP=.. -DSHARED=.. -DSTATIC=.. -DNM=.. -DREADELF=..
# -DSANITIZED=.. -P symbols.cmake: what the libraries export and need.
cmake_minimum_required(VERSION 3.25)

function(assert_same what left right)
  if(NOT "${${left}}" STREQUAL "${${right}}")
    set(more ${${left}})
    set(less ${${right}})
    list(REMOVE_ITEM more ${${right}})
    list(REMOVE_ITEM less ${${left}})
    message(SEND_ERROR "${what}\n  only ${left}: ${more}\n"
      "  only ${right}: ${less}")
  endif()
endfunction()

# The names of `text` that match, without what `strip` matches, sorted.
function(names_in out text pattern strip)
  # A bracket would glue list elements together.
  string(REGEX REPLACE "[][]" "|" text "${text}")
  string(REGEX MATCHALL "${pattern}" names "${text}")
  list(TRANSFORM names REPLACE "${strip}" "")
  list(REMOVE_DUPLICATES names)
  list(SORT names)
  set(${out} "${names}" PARENT_SCOPE)
endfunction()

function(output_of out)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE text RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "did not run: ${ARGN}")
  endif()
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# Kept: what has been promised.
file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/symbols.txt" kept REGEX "^[^#]")
file(READ "${MAP}" text)
string(REGEX REPLACE "/\\*[^/]*\\*/" "" text "${text}")
names_in(mapped "${text}" "[a-zA-Z_][a-zA-Z0-9_]* *;" " *;$")
list(FILTER mapped EXCLUDE REGEX "^ *$")

# Everything that the dynamic linker can see, version nodes apart.
output_of(text "${NM}" -D --defined-only "${SHARED}")
names_in(exported "${text}" " [B-Zb-z] [^@\n]+" "^ [A-Za-z] ")

assert_same("lib/weir.map and tests/abi/symbols.txt differ" mapped kept)
assert_same("libweir.so does not export what lib/weir.map says" exported mapped)

# Whatever is public in the headers and built is exported, and the reverse.
set(text "")
file(GLOB headers "${INCLUDE}/weir/*.h")
foreach(header IN LISTS headers)
  file(READ "${header}" one)
  string(APPEND text "${one}")
endforeach()
# "WEIR_API ... weir_x(": the first name before a parenthesis.
string(REGEX REPLACE "# *define[^\n]*" "" text "${text}")
string(REPLACE ";" "," text "${text}")
names_in(declared "${text}" "WEIR_API[^(]*[ *\n]weir_[a-z0-9_]+\\("
  "(^.*[ *\n]|\\($)")

output_of(text "${NM}" --defined-only "${STATIC}")
names_in(defined "${text}" " [TDBRVWi] [^\n]+" "^ [A-Za-z] ")
set(built ${defined})
list(FILTER built INCLUDE REGEX "^weir_[^_]")
assert_same("a public function is built and not in lib/weir.map, or the reverse"
  built mapped)
foreach(name IN LISTS exported)
  if(NOT name IN_LIST declared)
    message(SEND_ERROR "${name} is exported, but no header declares it")
  endif()
endforeach()

# What others' code can clash with, or be asked to bring along.  The base of
# probes is hidden, weak, and the same in all objects that have any.
if(SANITIZED LESS 0)
  list(FILTER defined EXCLUDE REGEX "^weir_|^__gcov|^__llvm|^_[.]stapsdt[.]base$")
  if(defined)
    message(SEND_ERROR "libweir.a defines names that are not ours: ${defined}")
  endif()
  output_of(text "${READELF}" -d "${SHARED}")
  names_in(needed "${text}" "NEEDED[^|]*[|][^|]+" "^.*[|]")
  list(FILTER needed EXCLUDE REGEX "^(libc|libpthread|ld-[a-z0-9_-]+)\\.")
  if(needed)
    message(SEND_ERROR "libweir.so needs more than libc: ${needed}")
  endif()
endif()
