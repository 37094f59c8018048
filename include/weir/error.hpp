/* SPDX-License-Identifier: MIT */
/* weir/error.hpp - what the C++ headers throw.  The rule is in weir.hpp. */
#ifndef WEIR_ERROR_HPP
#define WEIR_ERROR_HPP

#if !defined(__cplusplus) || __cplusplus < 201703L
# error "weir.hpp needs C++17: weir.h is for C, and for C++ from 11 on"
#elif !defined(__cpp_exceptions)
# error "weir.hpp needs exceptions: weir.h does not"
#endif
#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <string>

#include <weir/status.h>
#include <weir/task.h>

namespace weir
{

/* A call that weir refused; what() is weir_last_error(), or the status's own
 * words. */
class error : public std::runtime_error
{
  public:
    error(weir_status status, const std::string &text, int system = 0)
        : std::runtime_error(text), status_(status), system_(system)
    {
    }
    weir_status status() const noexcept
    {
        return status_;
    }
    /* errno, for WEIR_ESYSTEM; else 0. */
    int system() const noexcept
    {
        return system_;
    }

  private:
    weir_status status_;
    int system_;
};

/* What a handler throws to fail with a code of its own. */
class failure : public std::runtime_error
{
  public:
    failure(int code, const std::string &text)
        : std::runtime_error(text), code_(code)
    {
    }
    int code() const noexcept
    {
        return code_;
    }

  private:
    int code_;
};

/* What future::get throws for a task that is not DONE; what() is its message,
 * "the attempt's deadline passed" for one that timed out. */
class task_failed : public std::runtime_error
{
  public:
    explicit task_failed(const weir_outcome &outcome)
        : std::runtime_error(outcome.message), kind_(outcome.kind),
          code_(outcome.code), attempts_(outcome.attempts),
          task_id_(outcome.task_id)
    {
    }
    weir_outcome_kind kind() const noexcept
    {
        return kind_;
    }
    int code() const noexcept
    {
        return code_;
    }
    std::uint32_t attempts() const noexcept
    {
        return attempts_;
    }
    std::uint64_t task_id() const noexcept
    {
        return task_id_;
    }

  private:
    weir_outcome_kind kind_;
    int code_;
    std::uint32_t attempts_;
    std::uint64_t task_id_;
};

namespace detail
{

[[noreturn]] inline void refuse(weir_status status)
{
    int system = status == WEIR_ESYSTEM ? errno : 0;

    switch (status) {
    case WEIR_EINVAL:
    case WEIR_ENOMEM:
    case WEIR_ESYSTEM:
    case WEIR_FORKED:
    case WEIR_DEADLOCK:
    case WEIR_FAILED:
        throw error(status, weir_last_error(), system);
    default: /* says all there is to say */
        throw error(status, weir_status_text(status));
    }
}

/* The rule: what is ordinary comes back, everything else is thrown. */
inline weir_status ordinary(weir_status status)
{
    if (status < WEIR_DEGRADED)
        refuse(status);
    return status;
}

/* For calls that have no status to return. */
inline void require(weir_status status)
{
    if (status != WEIR_OK)
        refuse(status);
}

} // namespace detail

} // namespace weir

#endif /* WEIR_ERROR_HPP */
