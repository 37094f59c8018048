# SPDX-License-Identifier: MIT
# cmake -DLIB=.. -DINCLUDE=.. -DCC=.. -DFLAGS=.. -DWORK=.. -P names.cmake: no name
# of file scope is used twice in lib/, so that the whole library compiles as one
# file.
cmake_minimum_required(VERSION 3.25)
separate_arguments(flags UNIX_COMMAND "${FLAGS}")

file(GLOB_RECURSE sources "${LIB}/*.c")
if(NOT sources)
  message(FATAL_ERROR "no sources in ${LIB}")
endif()
set(one "")
foreach(source IN LISTS sources)
  string(APPEND one "#include \"${source}\"\n")
endforeach()
file(WRITE "${WORK}/one_file.c" "${one}")

execute_process(
  COMMAND "${CC}" ${flags} -std=c11 -D_GNU_SOURCE -fsyntax-only -Wall -Werror
    -Wno-shadow # a name of another file
    "-I${INCLUDE}" "-I${LIB}" "${WORK}/one_file.c"
  RESULT_VARIABLE failed ERROR_VARIABLE complaints)
if(failed)
  message(FATAL_ERROR "lib/ does not compile as one file:\n${complaints}")
endif()
