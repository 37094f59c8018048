/* SPDX-License-Identifier: MIT */
/*
 * inlets.h - producers that are asked ahead, each by a thread of its own.
 *
 * THE IDEA
 *
 * Whoever wants items of several producers, or of one but not for longer than
 * so long, cannot call next itself: it may block.  So a thread for each calls
 * it and collects a few items, and whoever is first to have some is first to
 * be emptied.
 *
 *     source ──next──▶ inlet [ held ] ─┐
 *     source ──next──▶ inlet [ held ] ─┼─ in the order of coming ─▶ take
 *     source ──next──▶ inlet [ held ] ─┘
 *
 * An inlet is ripe when it holds `most` items, when its first has been there
 * for `patience_ns`, or when there will be no more.
 *
 * STATES of an inlet
 *
 *   empty   -> filling  an item came: it goes last in the line
 *   filling -> full     `most` came: its thread waits for room
 *   filling, full -> empty   taken, all of it: it leaves the line
 *   any     -> over     next did not answer WEIR_OK: its thread ends
 *
 * INVARIANTS (hold whenever the lock is free)
 *
 *   1. An inlet is in the line exactly if it holds something, and once.  So
 *      with `most` 1 an item waits for at most one of each other inlet.
 *   2. A thread calls next only with room for what it brings.
 *   3. `alive` counts the threads that may still bring something.
 *   4. Every item got has been taken, or is held: then it is settled and
 *      released at the close.
 *
 * WAKING: the one taker, when an inlet comes into the line, is full, or is
 * over; an inlet's thread, when it was full and has been taken, or is to end.
 *
 * ENDING: a source that fails ends the asking of all, as in a run: the others
 * are interrupted, what is held is handed out, then the failure is told.  An
 * interrupt from outside hands out nothing more.
 *
 * LOCKING: rank RUN; never held while anything of a source is called.
 */
#ifndef WEIR_LIB_FLOW_INLETS_H
#define WEIR_LIB_FLOW_INLETS_H

#include <weir/producer.h>

struct weir__inlets;

/* Of `count` sources, which are copied and from then on ours to close; each
 * inlet takes up to `most`.  The threads start with the first take.
 * Returns WEIR_OK, WEIR_ENOMEM, WEIR_ESYSTEM. */
weir_status
weir__inlets_create(struct weir__inlets **out, const weir_producer *sources,
                    size_t count, size_t most, int64_t patience_ns);

/* Waits for a ripe inlet, copies its items to `items`, and says whose and how
 * many.  From one thread.  Returns WEIR_OK, WEIR_END (all have ended),
 * WEIR_CANCELLED, WEIR_FORKED, or what the first source to fail said, with its
 * words and errno. */
weir_status weir__inlets_take(struct weir__inlets *inlets, void *items,
                              size_t *count, size_t *from);

/* Any thread, once or more. */
void weir__inlets_interrupt(struct weir__inlets *inlets);

/* Waits for the threads, gives back what is held, closes the sources. */
void weir__inlets_close(struct weir__inlets *inlets);

/* What became of `count` items of a source. */
const weir_producer *
weir__inlets_source(const struct weir__inlets *inlets, size_t from);
void weir__inlets_settle(const struct weir__inlets *inlets, size_t from,
                         const void *items, size_t count,
                         const weir_outcome *outcome);
void weir__inlets_release(const struct weir__inlets *inlets, size_t from,
                          void *items, size_t count);

#endif /* WEIR_LIB_FLOW_INLETS_H */
