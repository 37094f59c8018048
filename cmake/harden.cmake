# SPDX-License-Identifier: MIT
# What makes a defect in C harder to use: canaries on stacks, stacks that cannot
# be jumped over, checked string functions, jumps to where code expects them,
# tables that are read-only once bound, programs at a random place.  Each only
# where the compiler and linker know it.  A parent's targets are left alone.
set(weir_hardening)
set(weir_hardening_link)
if(WEIR_HARDEN)
  include(CheckCCompilerFlag)
  include(CheckCSourceCompiles)
  include(CheckLinkerFlag)
  check_c_compiler_flag(-fstack-protector-strong WEIR_HAS_STACK_PROTECTOR)
  check_c_compiler_flag(-fstack-clash-protection WEIR_HAS_STACK_CLASH)
  check_c_compiler_flag(-fcf-protection=full WEIR_HAS_CF_PROTECTION)
  check_c_compiler_flag(-mbranch-protection=standard
    WEIR_HAS_BRANCH_PROTECTION)
  foreach(pair STACK_PROTECTOR:-fstack-protector-strong
      STACK_CLASH:-fstack-clash-protection CF_PROTECTION:-fcf-protection=full
      BRANCH_PROTECTION:-mbranch-protection=standard)
    string(REPLACE ":" ";" pair ${pair})
    list(GET pair 0 name)
    list(GET pair 1 flag)
    if(WEIR_HAS_${name})
      list(APPEND weir_hardening ${flag})
    endif()
  endforeach()

  # Level 3 is newer, and one that does not know it warns; either needs an
  # optimizer, and a sanitizer has checks of its own.
  set(CMAKE_REQUIRED_FLAGS "-O2 -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3")
  check_c_source_compiles("#include <stdio.h>
    int main(void) { return puts(\"\") < 0; }" WEIR_HAS_FORTIFY_3)
  unset(CMAKE_REQUIRED_FLAGS)
  if(WEIR_HAS_FORTIFY_3)
    set(level 3)
  else()
    set(level 2)
  endif()
  foreach(flag -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=${level})
    list(APPEND weir_hardening
      $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:${flag}>)
  endforeach()

  check_linker_flag(C LINKER:-z,relro,-z,now WEIR_HAS_RELRO)
  check_linker_flag(C LINKER:-z,noexecstack WEIR_HAS_NOEXECSTACK)
  if(WEIR_HAS_RELRO)
    list(APPEND weir_hardening_link LINKER:-z,relro,-z,now)
  endif()
  if(WEIR_HAS_NOEXECSTACK)
    list(APPEND weir_hardening_link LINKER:-z,noexecstack)
  endif()
  if(PROJECT_IS_TOP_LEVEL)
    include(CheckPIESupported)
    check_pie_supported(OUTPUT_VARIABLE weir_no_pie LANGUAGES C)
    if(NOT CMAKE_C_LINK_PIE_SUPPORTED)
      message(STATUS "programs are not position independent: ${weir_no_pie}")
    endif()
  endif()
endif()

# Nothing unless WEIR_HARDEN is on.
function(weir_harden target)
  target_compile_options(${target} PRIVATE ${weir_hardening})
  target_link_options(${target} PRIVATE ${weir_hardening_link})
  get_target_property(type ${target} TYPE)
  if(WEIR_HARDEN AND type STREQUAL "EXECUTABLE")
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  endif()
endfunction()
