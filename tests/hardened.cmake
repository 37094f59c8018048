# SPDX-License-Identifier: MIT
# cmake -DREADELF=.. -DCC=.. -DHARDENED=<files> -DFORTIFIED=.. -P hardened.cmake:
# what was asked for by WEIR_HARDEN is in the library and in the program.
cmake_minimum_required(VERSION 3.25)

function(must_have file text pattern what)
  if(NOT text MATCHES "${pattern}")
    message(SEND_ERROR "${file} has no ${what}; see cmake/harden.cmake")
  endif()
endfunction()

if(NOT HARDENED)
  message(FATAL_ERROR "no files to look at")
endif()
foreach(file IN LISTS HARDENED)
  execute_process(COMMAND "${READELF}" --wide --file-header --program-headers
      --dynamic --dyn-syms "${file}"
    OUTPUT_VARIABLE text RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "${READELF} cannot read ${file}")
  endif()
  must_have("${file}" "${text}" "Type: +DYN" "place that is free to choose")
  must_have("${file}" "${text}" "GNU_RELRO" "part that is read-only at last")
  must_have("${file}" "${text}" "BIND_NOW|Flags:[^\n]* NOW"
    "binding at the start (-z now)")
  must_have("${file}" "${text}" "__stack_chk_fail" "canaries")
  if(FORTIFIED)
    must_have("${file}" "${text}" "[a-z]_chk@" "checked string functions")
  endif()
  if(text MATCHES "GNU_STACK[^\n]*RWE")
    message(SEND_ERROR "${file} has a stack that can be executed")
  endif()
endforeach()
