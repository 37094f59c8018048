# SPDX-License-Identifier: MIT
# cmake -DINCLUDE=.. -DWORK=.. -P headers.cmake: each public header compiles
# alone, as C99 and as C++11, and so does each ..._INIT in it; each of the C++
# headers as C++17, and a use of each template in them as C++17 and C++20.
cmake_minimum_required(VERSION 3.25)

set(warnings -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef -Werror)

# Compiles `text` with one compiler, and more options if there are any.
function(must_compile compiler standard language text what)
  string(MAKE_C_IDENTIFIER "${what}_${compiler}" stem)
  set(file "${WORK}/abi_${stem}.${language}")
  file(WRITE "${file}" "${text}")
  execute_process(
    COMMAND "${FOUND_${compiler}}" -std=${standard} -fsyntax-only ${warnings}
      ${ARGN} "-I${INCLUDE}" "${file}"
    RESULT_VARIABLE failed ERROR_VARIABLE complaints)
  if(failed)
    message(SEND_ERROR
      "${what} does not compile with ${compiler} as ${standard}:\n"
      "${complaints}")
  endif()
endfunction()

file(GLOB headers RELATIVE "${INCLUDE}" "${INCLUDE}/*.h" "${INCLUDE}/*/*.h")
if(NOT headers)
  message(FATAL_ERROR "no headers in ${INCLUDE}")
endif()

# A function for each constant that a sized struct starts from.
set(uses "")
set(inits 0)
foreach(header IN LISTS headers)
  string(APPEND uses "#include <${header}>\n")
endforeach()
foreach(header IN LISTS headers)
  file(STRINGS "${INCLUDE}/${header}" lines
    REGEX "^# *define WEIR_[A-Z_]+_INIT ")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "(WEIR_[A-Z_]+_INIT) +WEIR_SIZED\\(([a-z_]+)\\)" _
      "${line}")
    if(NOT CMAKE_MATCH_1)
      message(SEND_ERROR "${header}: not WEIR_SIZED(type): ${line}")
      continue()
    endif()
    math(EXPR inits "${inits} + 1")
    string(APPEND uses "size_t use_${inits}(void);\n"
      "size_t use_${inits}(void)\n{\n"
      "    static ${CMAKE_MATCH_2} kept = ${CMAKE_MATCH_1};\n"
      "    ${CMAKE_MATCH_2} fresh = ${CMAKE_MATCH_1};\n"
      "    return kept.size + fresh.size;\n}\n")
  endforeach()
endforeach()
if(inits EQUAL 0)
  message(FATAL_ERROR "no ..._INIT in ${INCLUDE}")
endif()
string(APPEND uses "weir_deadline now(void);\nweir_deadline now(void)\n{\n"
  "    weir_deadline never = WEIR_FOREVER;\n"
  "    return never.at_ns > WEIR_MS(5) ? WEIR_NOW : never;\n}\n")

# What is a template is compiled by being used.
file(GLOB cxx_headers RELATIVE "${INCLUDE}" "${INCLUDE}/*/*.hpp")
if(NOT cxx_headers)
  message(FATAL_ERROR "no C++ headers in ${INCLUDE}")
endif()
file(READ "${CMAKE_CURRENT_LIST_DIR}/../consumer/use.cpp" cxx_uses)

foreach(compiler IN ITEMS gcc clang g++ clang++)
  find_program("FOUND_${compiler}" ${compiler})
  if(NOT FOUND_${compiler})
    message(WARNING "SKIPPED: no ${compiler} here, so the headers are not "
      "checked with it")
    continue()
  endif()
  if(compiler MATCHES "\\+\\+")
    set(standard c++11)
    set(language cpp)
  else()
    set(standard c99)
    set(language c)
  endif()
  foreach(header IN LISTS headers)
    must_compile(${compiler} ${standard} ${language}
      "#include <${header}>\nextern int not_empty;\n" "${header}")
  endforeach()
  must_compile(${compiler} ${standard} ${language} "${uses}" "using ..._INIT")
  if(language STREQUAL cpp)
    foreach(header IN LISTS cxx_headers)
      must_compile(${compiler} c++17 cpp
        "#include <${header}>\nextern int not_empty;\n" "${header}")
    endforeach()
    must_compile(${compiler} c++17 cpp "${cxx_uses}" "using C++17")
    must_compile(${compiler} c++20 cpp "${cxx_uses}"
      "using C++20 without run-time types" -fno-rtti)
  endif()
endforeach()
