# SPDX-License-Identifier: MIT
# The library is C.  Tests and examples of its C++ headers are built where there
# is a C++ compiler, of the same family and with the same flags as the C one.
option(WEIR_IN_CXX "Build what is written in C++ too" ON)
if(NOT WEIR_IN_CXX)
  return()
endif()
if(NOT CMAKE_CXX_COMPILER)
  get_filename_component(cc "${CMAKE_C_COMPILER}" NAME)
  string(REGEX REPLACE "gcc|cc$" "g++" cxx "${cc}")
  string(REGEX REPLACE "clang" "clang++" cxx "${cxx}")
  get_filename_component(place "${CMAKE_C_COMPILER}" DIRECTORY)
  find_program(WEIR_CXX NAMES ${cxx} c++ HINTS "${place}")
  if(WEIR_CXX)
    set(CMAKE_CXX_COMPILER "${WEIR_CXX}")
  endif()
endif()
if(NOT CMAKE_CXX_COMPILER)
  message(STATUS "No C++ compiler: what is written in C++ is not built")
  return()
endif()
enable_language(CXX)
string(TOUPPER "${CMAKE_BUILD_TYPE}" weir_build_type)
separate_arguments(weir_cxx_flags UNIX_COMMAND
  "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${weir_build_type}}")
list(REMOVE_ITEM weir_cxx_flags -Wstrict-prototypes)

# A program of ours in strict C++17.
function(weir_cxx_program name)
  add_executable(${name} ${ARGN})
  set_target_properties(${name} PROPERTIES
    CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  target_compile_options(${name} PRIVATE ${weir_cxx_flags})
  target_link_options(${name} PRIVATE ${weir_cxx_flags})
  target_link_libraries(${name} PRIVATE weir_static)
endfunction()
