# SPDX-License-Identifier: MIT
# cmake -DLIBRARY=.. -DEVENTS=.. -DREADELF=.. -DWANTED=.. -P probes.cmake: the
# shared library has a probe for each event of weir/events.h and no other, each
# with its five arguments; built without probes it has none.
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND "${READELF}" -n "${LIBRARY}"
  RESULT_VARIABLE failed OUTPUT_VARIABLE notes ERROR_VARIABLE complaints)
if(failed)
  message(FATAL_ERROR "${READELF} -n ${LIBRARY}: ${complaints}")
endif()
if(notes MATCHES "stapsdt[^\n]*Unknown note type")
  message(FATAL_ERROR "${READELF} cannot read the notes of probes: GNU's can "
    "(Debian: binutils)")
endif()
# A bracket (aarch64's memory) would glue list elements together.
string(REGEX REPLACE "\\[[^]]*\\]" "memory" notes "${notes}")
string(REGEX MATCHALL "Provider: weir[ \n]+Name: [a-z_]+[^\n]*\n[^\n]*\n[^\n]*"
  probes "${notes}")

if(NOT WANTED)
  if(probes)
    message(FATAL_ERROR "built without probes, it has some:\n${probes}")
  endif()
  message("probes: skipped, the library is built without (WEIR_USDT is OFF, or "
    "there is no sys/sdt.h: Debian has it in systemtap-sdt-dev)")
  return()
endif()

file(STRINGS "${EVENTS}" lines REGEX "^ *WEIR_EVENT_[A-Z]+ = [0-9]+,? ")
set(wanted "")
foreach(line IN LISTS lines)
  if(line MATCHES "WEIR_EVENT_(ENDED|RELEASED) ")
    continue()
  endif()
  string(REGEX MATCH "WEIR_EVENT_([A-Z]+) =" _ "${line}")
  string(TOLOWER "${CMAKE_MATCH_1}" name)
  list(APPEND wanted ${name})
endforeach()

# A size in front of each, below 0 if signed.
set(there "")
foreach(probe IN LISTS probes)
  string(REGEX MATCH "Name: ([a-z_]+)" _ "${probe}")
  set(name ${CMAKE_MATCH_1})
  list(APPEND there ${name})
  if(NOT probe MATCHES "Arguments: 8@[^ ]+ -4@[^ ]+ 4@[^ ]+ -8@[^ ]+ 8@[^ ]+ *$")
    message(SEND_ERROR "weir:${name} has not five arguments of 8, 4, 4, 8 and 8 "
      "bytes:\n${probe}")
  endif()
endforeach()
list(REMOVE_DUPLICATES there)
list(SORT there)
list(SORT wanted)
if(NOT there STREQUAL wanted)
  message(FATAL_ERROR "probes of ${LIBRARY}:\n  ${there}\nevents of weir/events.h:\n"
    "  ${wanted}")
endif()
list(LENGTH there count)
message("probes: all ${count} events are there")
