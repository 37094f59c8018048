# SPDX-License-Identifier: MIT
# WEIR_USDT: static probes for tracers, in the library (lib/observe/probe.h).
# Only a header is needed, and only to build.
set(WEIR_USDT AUTO CACHE STRING
  "Probes for bpftrace, perf and systemtap: ON, OFF, AUTO (if there is sys/sdt.h)")
set_property(CACHE WEIR_USDT PROPERTY STRINGS AUTO ON OFF)

set(weir_has_probes OFF)
if(WEIR_USDT)
  include(CheckIncludeFile)
  if(NOT WEIR_HAS_SDT) # it may have been installed since
    unset(WEIR_HAS_SDT CACHE)
  endif()
  check_include_file(sys/sdt.h WEIR_HAS_SDT)
  if(WEIR_HAS_SDT)
    set(weir_has_probes ON)
  elseif(NOT WEIR_USDT STREQUAL "AUTO")
    message(FATAL_ERROR "WEIR_USDT is ${WEIR_USDT}, but there is no sys/sdt.h: "
      "install it (Debian: systemtap-sdt-dev), or leave WEIR_USDT at AUTO")
  endif()
endif()
if(weir_has_probes)
  target_compile_definitions(weir_objects PRIVATE WEIR_USDT)
endif()
