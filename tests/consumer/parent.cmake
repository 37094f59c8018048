# SPDX-License-Identifier: MIT
# A project that takes weir in; run.sh fills in how.  Configuring it fails if
# that changes anything in it.
cmake_minimum_required(VERSION 3.25)
# With a version: CMake would call the first one that it meets the parent's.
project(parent VERSION 7.8.9 LANGUAGES @languages@)
enable_testing()

# Every variable, cached or not, and what a directory hands to its targets.
function(write_state file)
  get_cmake_property(names VARIABLES)
  list(REMOVE_ITEM names ARGC ARGN ARGV ARGV0 file)
  set(state "")
  foreach(name IN LISTS names)
    string(APPEND state "${name}=${${name}}\n")
  endforeach()
  foreach(name COMPILE_OPTIONS COMPILE_DEFINITIONS INCLUDE_DIRECTORIES
      LINK_OPTIONS LINK_DIRECTORIES TESTS BUILDSYSTEM_TARGETS IMPORTED_TARGETS)
    get_directory_property(value ${name})
    string(APPEND state "${name}:${value}\n")
  endforeach()
  foreach(name GLOBAL_DEPENDS_NO_CYCLES USE_FOLDERS CTEST_TARGETS_ADDED)
    get_property(value GLOBAL PROPERTY ${name})
    string(APPEND state "${name}:${value}\n")
  endforeach()
  string(REPLACE ";" "," state "${state}") # a line is to be one element
  file(WRITE "${file}" "${state}")
endfunction()

function(compare_states)
  # Its own name and places, what it finds by CMake's own modules, and what
  # FetchContent says of itself.
  set(expected "^($|WEIR_|weir_|CMAKE_HAVE_LIBC_PTHREAD=\
|FIND_PACKAGE_MESSAGE_DETAILS_Threads=|FETCHCONTENT_|_?FetchContent_|__cmake_)")
  if("@languages@" STREQUAL "CXX") # C comes to it with weir
    string(REPLACE "^(" "^(CMAKE_C_|" expected "${expected}")
  endif()
  if(WEIR_INSTALL) # GNUInstallDirs
    string(REPLACE "^(" "^(_GNUInstallDirs_|CMAKE_INSTALL_|" expected "${expected}")
  endif()
  file(STRINGS before before)
  file(STRINGS after after)
  list(REMOVE_ITEM after ${before})
  list(FILTER after EXCLUDE REGEX "${expected}")
  if(after)
    message(FATAL_ERROR "weir has changed in its parent: ${after}")
  endif()
endfunction()

write_state(before)
@take@
write_state(after)
compare_states()

set(USE use.c CACHE STRING "The program")
set(CMAKE_CXX_STANDARD 17)
add_executable(user EXCLUDE_FROM_ALL "@here@/${USE}")
target_link_libraries(user weir::weir)
