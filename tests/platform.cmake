# SPDX-License-Identifier: MIT
# cmake -DLIB=.. -DCC=.. -DFLAGS=.. -DWORK=.. -P platform.cmake: where something
# that the library needs is missing, its build says what; where all is there,
# it says nothing.
cmake_minimum_required(VERSION 3.25)
separate_arguments(flags UNIX_COMMAND "${FLAGS}")

# compile(PRELUDE STANDARD): the header, behind what takes a thing away.
function(compile prelude standard)
  file(WRITE "${WORK}/platform.c"
    "${prelude}\n#include \"base/platform.h\"\nextern int nothing;\n")
  execute_process(
    COMMAND "${CC}" ${flags} -std=${standard} -D_GNU_SOURCE -fsyntax-only
      "-I${LIB}" "${WORK}/platform.c"
    RESULT_VARIABLE failed ERROR_VARIABLE said)
  set(failed "${failed}" PARENT_SCOPE)
  set(said "${said}" PARENT_SCOPE)
endfunction()

function(must_say message prelude standard)
  compile("${prelude}" "${standard}")
  if(NOT failed OR NOT said MATCHES "error:? [^\n]*weir needs ${message}")
    message(SEND_ERROR "the build should say \"weir needs ${message}\" after "
      "\"${prelude}\" as ${standard}; it ended with ${failed}:\n${said}")
  endif()
endfunction()

compile("" c11)
if(failed)
  message(FATAL_ERROR "this very system is refused:\n${said}")
endif()
must_say("C11: compile with" "" c99)
must_say("C11 atomics" "#define __STDC_NO_ATOMICS__ 1" c11)
must_say("the GNU dialect" "#undef __GNUC__" c11)
must_say("Linux" "#undef __linux__" c11)
must_say("bytes of 8" "#include <limits.h>\n#undef CHAR_BIT\n#define CHAR_BIT 9"
  c11)
must_say("POSIX threads" "#include <unistd.h>\n#undef _POSIX_THREADS" c11)
must_say("POSIX threads as of 2008"
  "#include <unistd.h>\n#undef _POSIX_THREADS\n#define _POSIX_THREADS 199506L"
  c11)
must_say("conditions on the monotonic clock"
  "#include <unistd.h>\n#undef _POSIX_MONOTONIC_CLOCK" c11)
must_say("conditions on the monotonic clock"
  "#include <unistd.h>\n#undef _POSIX_CLOCK_SELECTION" c11)
must_say("64-bit atomics" "#undef __GCC_ATOMIC_LLONG_LOCK_FREE\n\
#define __GCC_ATOMIC_LLONG_LOCK_FREE 1" c11)
must_say("pointers" "#include <stdint.h>\n\
#undef UINTPTR_MAX\n#define UINTPTR_MAX 65535U" c11)

# The first room that everything includes has it first of all.
file(READ "${LIB}/base/atomic.h" atomic)
if(NOT atomic MATCHES "#define WEIR_LIB_BASE_ATOMIC_H\n\n#include \"base/platform.h\"\n")
  message(SEND_ERROR "base/atomic.h does not begin with base/platform.h")
endif()
