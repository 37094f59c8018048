# SPDX-License-Identifier: MIT
# The peers that are there.  What is missing is said by weir-bench list.
include(CheckLanguage)
find_package(PkgConfig)

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
  weir_contender(${id} ${ARGN} ${queue})
  target_link_libraries(bench_${id} PRIVATE PkgConfig::PEER_${id})
endfunction()

weir_peer(glib glib-2.0 peers/glib.c)
weir_peer(apr "apr-1;apr-util-1" peers/apr.c)

check_language(CXX)
if(CMAKE_CXX_COMPILER)
  enable_language(CXX)
  set(CMAKE_CXX_STANDARD 17)
  set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG") # as the C ones
  weir_peer(tbb tbb peers/tbb.cpp)
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
