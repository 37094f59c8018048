/* SPDX-License-Identifier: MIT */
/* weir/api.h - what every public header needs and nothing more. */
#ifndef WEIR_API_H
#define WEIR_API_H

#ifdef __cplusplus
# define WEIR_BEGIN_DECLS   extern "C" {
# define WEIR_END_DECLS     }
# define WEIR_LITERAL(type) type
/* An option or snapshot struct that is all zero but for its size. */
template <typename Sized> inline Sized weir_sized()
{
    Sized sized = Sized();
    sized.size = sizeof(Sized);
    return sized;
}
# define WEIR_SIZED(type) weir_sized<type>()
#else
# define WEIR_BEGIN_DECLS
# define WEIR_END_DECLS
# define WEIR_LITERAL(type) (type)
# define WEIR_SIZED(type)                                                      \
  {                                                                            \
   .size = sizeof(type)                                                        \
  }
#endif

#if defined(__GNUC__)
# define WEIR_API           __attribute__((visibility("default")))
# define WEIR_MUST_USE      __attribute__((warn_unused_result))
# define WEIR_NO_RETURN     __attribute__((noreturn))
# define WEIR_PRINTF(at, n) __attribute__((format(printf, at, n)))
#else
# define WEIR_API
# define WEIR_MUST_USE
# define WEIR_NO_RETURN
# define WEIR_PRINTF(at, n)
#endif

#endif /* WEIR_API_H */
