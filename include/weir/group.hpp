/* SPDX-License-Identifier: MIT */
/* weir/group.hpp - my callables in a shared pool. */
#ifndef WEIR_GROUP_HPP
#define WEIR_GROUP_HPP

#include <memory>

#include <weir/deadline.hpp>
#include <weir/error.hpp>
#include <weir/group.h>
#include <weir/pool.hpp>

namespace weir
{

/*
 * Tasks that were submitted through it, as to the pool itself.  Its destructor
 * is a cancel and a join: what it let in may refer to whatever outlives the
 * group.  It does not wait for what was abandoned, nor in a handler or callback
 * of its own pool, where nothing can be waited for; and destroy() never waits.
 * For all of it to be done, join first.
 */
class group : public detail::takes_callables<group>
{
  public:
    explicit group(pool &shared)
    {
        weir_group *made = nullptr;

        detail::require(weir_group_create(&made, shared.native()));
        group_.reset(made);
    }
    /* WEIR_OK, WEIR_TIMED_OUT, WEIR_STUCK. */
    [[nodiscard]] weir_status join(deadline until = WEIR_FOREVER)
    {
        return detail::ordinary(weir_group_join(native(), until));
    }
    void cancel()
    {
        weir_group_cancel(native());
    }
    weir_ledger ledger() const
    {
        weir_ledger now = {};

        weir_group_read_ledger(native(), &now);
        return now;
    }
    /* Ends the group as weir_group_destroy does, without waiting. */
    void destroy()
    {
        weir_group_destroy(group_.release());
    }
    /* For calls of C; still owned by this. */
    weir_group *native() const noexcept
    {
        return group_.get();
    }

  private:
    friend class detail::takes_callables<group>;
    struct end {
        void operator()(weir_group *ended) const
        {
            weir_status status;

            weir_group_cancel(ended);
            status = weir_group_join(ended, WEIR_FOREVER);
            (void)status; /* however it is, nothing can be done about it */
            weir_group_destroy(ended);
        }
    };

    weir_status hand_over(const detail::parcel &parcel, weir_deadline until)
    {
        const weir_task_spec spec = parcel.spec();

        if (parcel.asked || parcel.out || parcel.copy)
            return weir_group_submit_task(native(), &spec, parcel.out, until);
        return weir_group_submit(native(), parcel.run, parcel.item, until);
    }

    std::unique_ptr<weir_group, end> group_;
};

} // namespace weir

#endif /* WEIR_GROUP_HPP */
