/* SPDX-License-Identifier: MIT */
/* events.c - see weir/events.h for the layout and events.h for the design. */
#include "observe/events.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/options.h"
#include "base/processors.h"
#include "base/stamp.h"
#include "base/trap.h"

enum {
    VERSION = 1,
    BYTE_ORDER_MARK = 0x01020304,
    LEAST_LANES = 4,
    DEFAULT_RECORDS = 65536,
    MOST_RECORDS = 1 << 30,
    LEAST_BYTES = 64 << 10,
    TOUCHED_BYTES = 16 << 20
};

static const char magic[8] = {'w', 'e', 'i', 'r', 'e', 'v', 't', 's'};

/* As it lies in memory. */
struct header {
    struct weir__counter magic; /* A: publishes what follows */
    uint32_t version, byte_order;
    uint64_t bytes;
    uint32_t sources_at, sources;
    uint32_t lanes_at, lanes;
    uint64_t lane_bytes;
    uint64_t records;
    uint32_t record_bytes, records_at;
    int64_t made_ns;
    uint64_t zero;
    struct weir__counter sources_used; /* A */
    struct weir__counter dropped;      /* A */
};

enum {
    SOURCES_AT = WEIR__APART,
    LANES_AT = SOURCES_AT + WEIR_EVENTS_MOST_SOURCES * 32,
    RECORDS_AT = WEIR__APART
};

_Static_assert(sizeof(weir_event) == 48, "the layout says so");
_Static_assert(sizeof(weir_event_source) == 32, "the layout says so");
_Static_assert(sizeof(struct header) == 96, "the layout says so");
_Static_assert(sizeof(struct weir__counter) == 8, "words of the layout");

static struct header *header_of(const weir_events *events)
{
    return (struct header *)(void *)events->memory;
}

static struct weir__events_lane *
lane_of(const weir_events *events, uint32_t lane)
{
    return (struct weir__events_lane *)(void *)(events->memory +
                                                events->lanes_at +
                                                lane * events->lane_bytes);
}

static struct weir__counter *
source_words(const weir_events *events, uint32_t source)
{
    return (struct weir__counter *)(void *)(events->memory +
                                            events->sources_at +
                                            source * sizeof(weir_event_source));
}

/* -------------------------------------------------------------------- life */

static uint32_t power_of_two(uint32_t at_least)
{
    uint32_t power = 1;

    while (power < at_least)
        power *= 2;
    return power;
}

static weir_status check_lanes(weir_events_options *o)
{
    if (o->lanes > WEIR_EVENTS_MOST_LANES)
        return weir__refuse(WEIR_EINVAL, "lanes %u is above %d",
                            (unsigned)o->lanes, WEIR_EVENTS_MOST_LANES);
    if (o->lanes > 0) {
        o->lanes = power_of_two(o->lanes);
        return WEIR_OK;
    }
    o->lanes = 2 * weir__processors();
    if (o->lanes < LEAST_LANES)
        o->lanes = LEAST_LANES;
    if (o->lanes > WEIR_EVENTS_MOST_LANES)
        o->lanes = WEIR_EVENTS_MOST_LANES;
    o->lanes = power_of_two(o->lanes);
    return WEIR_OK;
}

static weir_status check_memory(const weir_events_options *o)
{
    if (!o->memory && o->memory_bytes > 0)
        return weir__refuse(WEIR_EINVAL,
                            "memory_bytes without memory: set memory, or "
                            "records for how many to keep");
    if (o->records > MOST_RECORDS)
        return weir__refuse(WEIR_EINVAL, "records %zu is above %d", o->records,
                            MOST_RECORDS);
    if (!o->memory)
        return WEIR_OK;
    if (o->records > 0)
        return weir__refuse(WEIR_EINVAL,
                            "records with memory: as many are kept as fit, "
                            "leave records 0");
    if ((uintptr_t)o->memory % WEIR__APART != 0)
        return weir__refuse(WEIR_EINVAL, "memory is not aligned to %d bytes",
                            WEIR__APART);
    if (o->memory_bytes < LEAST_BYTES)
        return weir__refuse(WEIR_EINVAL, "memory_bytes %zu is below %d",
                            o->memory_bytes, LEAST_BYTES);
    return WEIR_OK;
}

static size_t lane_bytes_for(uint64_t records)
{
    size_t bytes = RECORDS_AT + (size_t)records * sizeof(weir_event);

    return (bytes + WEIR__APART - 1) / WEIR__APART * WEIR__APART;
}

/* How many records a lane has: as many as fit, or at least so many in all. */
static uint64_t records_for(const weir_events_options *o)
{
    size_t wanted = o->records > 0 ? o->records : DEFAULT_RECORDS;
    uint64_t records = 1;

    if (o->memory) {
        size_t room = (o->memory_bytes - LANES_AT) / o->lanes;

        while (lane_bytes_for(records * 2) <= room)
            records *= 2;
        return records;
    }
    while (records * o->lanes < wanted)
        records *= 2;
    return records;
}

static void lay_out(weir_events *events)
{
    struct header *header = header_of(events);
    uint64_t word;

    header->version = VERSION;
    header->byte_order = BYTE_ORDER_MARK;
    header->bytes = events->lanes_at + events->lanes * events->lane_bytes;
    header->sources_at = (uint32_t)events->sources_at;
    header->sources = events->sources;
    header->lanes_at = (uint32_t)events->lanes_at;
    header->lanes = events->lanes;
    header->lane_bytes = events->lane_bytes;
    header->records = events->records;
    header->record_bytes = sizeof(weir_event);
    header->records_at = (uint32_t)events->records_at;
    weir__stamp_prepare();
    header->made_ns = weir__now();
    memcpy(&word, magic, sizeof(word));
    weir__counter_write_release(&header->magic, word);
}

/* What has been there before is forgotten: its magic first. */
static void clear(unsigned char *memory, size_t bytes)
{
    weir__counter_write(&((struct header *)(void *)memory)->magic, 0);
    memset(memory + sizeof(struct weir__counter), 0,
           bytes - sizeof(struct weir__counter));
}

weir_status
weir_events_create(weir_events **out, const weir_events_options *options)
{
    WEIR__UNTRAPPED;
    weir_events_options o;
    weir_events *events;
    weir_status status;
    size_t bytes;

    if (!out)
        return weir__refuse(WEIR_EINVAL, "out is NULL");
    status = weir__options_read(&o, sizeof(o), options, "weir_events_options");
    if (!status)
        status = check_lanes(&o);
    if (!status)
        status = check_memory(&o);
    if (status)
        return status;
    events = weir__allocate(sizeof(*events));
    if (!events)
        return weir__refuse(WEIR_ENOMEM, "no memory for events");
    events->lanes = o.lanes;
    events->sources = WEIR_EVENTS_MOST_SOURCES;
    events->sources_at = SOURCES_AT;
    events->lanes_at = LANES_AT;
    events->records_at = RECORDS_AT;
    events->records = records_for(&o);
    events->lane_bytes = lane_bytes_for(events->records);
    bytes = events->lanes_at + events->lanes * events->lane_bytes;
    events->is_ours = !o.memory;
    events->memory = o.memory ? o.memory : weir__allocate_apart(bytes);
    if (!events->memory) {
        weir__release(events);
        return weir__refuse(WEIR_ENOMEM, "no memory for events: %zu bytes",
                            bytes);
    }
    if (o.memory || bytes <= TOUCHED_BYTES)
        clear(events->memory, bytes); /* so that no writer meets a new page */
    lay_out(events);
    weir__counter_write(&events->references, 1);
    *out = events;
    return WEIR_OK;
}

void weir__events_hold(weir_events *events)
{
    weir__counter_add(&events->references, 1);
}

void weir__events_let_go(weir_events *events)
{
    if (!events || weir__counter_add(&events->references, UINT64_MAX) > 1)
        return;
    if (events->is_ours)
        weir__release_apart(events->memory);
    weir__release(events);
}

void weir_events_destroy(weir_events *events)
{
    WEIR__UNTRAPPED;
    weir__events_let_go(events);
}

/* --------------------------------------------------------------- attaching */

static weir_status refuse_memory(const char *why)
{
    return weir__refuse(WEIR_EINVAL, "memory holds no events: %s", why);
}

/* Whether all that the header names lies within `bytes`, without overflow. */
static bool fits(const struct header *h, uint64_t bytes)
{
    return h->sources <= WEIR_EVENTS_MOST_SOURCES && h->lanes > 0 &&
           h->lanes <= WEIR_EVENTS_MOST_LANES && h->records > 0 &&
           (h->records & (h->records - 1)) == 0 && h->records <= bytes &&
           h->lane_bytes <= bytes && h->lane_bytes % 8 == 0 &&
           h->lanes_at % 8 == 0 && h->sources_at % 8 == 0 &&
           h->records_at % 8 == 0 &&
           h->sources_at + h->sources * sizeof(weir_event_source) <= bytes &&
           h->records_at >= sizeof(struct weir__events_lane) &&
           h->records_at + h->records * sizeof(weir_event) <= h->lane_bytes &&
           h->lanes_at + h->lanes * h->lane_bytes <= bytes;
}

static weir_status check_header(const struct header *h, size_t bytes)
{
    if (h->byte_order != BYTE_ORDER_MARK)
        return refuse_memory("they are of a machine with another byte order");
    if (h->version != VERSION || h->record_bytes != sizeof(weir_event))
        return refuse_memory("they are of another version; link the library "
                             "that wrote them");
    if (!fits(h, bytes))
        return refuse_memory("not all of it is there; map the whole file");
    return WEIR_OK;
}

static weir_status
read_header(struct header *into, const void *memory, size_t bytes)
{
    uint64_t word;

    if (!memory)
        return weir__refuse(WEIR_EINVAL, "memory is NULL");
    if ((uintptr_t)memory % sizeof(word) != 0)
        return weir__refuse(WEIR_EINVAL, "memory is not aligned to 8 bytes");
    if (bytes < sizeof(*into))
        return refuse_memory("not all of it is there; map the whole file");
    memcpy(&word, magic, sizeof(word));
    if (weir__counter_read((const struct weir__counter *)memory) != word)
        return refuse_memory("it does not begin with weirevts");
    memcpy((unsigned char *)into + sizeof(word),
           (const unsigned char *)memory + sizeof(word),
           offsetof(struct header, sources_used) - sizeof(word));
    return check_header(into, bytes);
}

weir_status
weir_events_attach(weir_events **out, const void *memory, size_t bytes)
{
    WEIR__UNTRAPPED;
    weir_events *events;
    struct header h = {.version = 0};
    weir_status status;

    if (!out)
        return weir__refuse(WEIR_EINVAL, "out is NULL");
    status = read_header(&h, memory, bytes);
    if (status)
        return status;
    events = weir__allocate(sizeof(*events));
    if (!events)
        return weir__refuse(WEIR_ENOMEM, "no memory for events");
    weir__counter_write(&events->references, 1);
    events->memory = (unsigned char *)(uintptr_t)memory;
    events->is_read_only = true;
    events->lanes = h.lanes;
    events->sources = h.sources;
    events->sources_at = h.sources_at;
    events->lanes_at = h.lanes_at;
    events->lane_bytes = (size_t)h.lane_bytes;
    events->records_at = h.records_at;
    events->records = h.records;
    *out = events;
    return WEIR_OK;
}

weir_status weir__events_check(const weir_events *events, const char *option)
{
    if (events && events->is_read_only)
        return weir__refuse(WEIR_EINVAL,
                            "%s was made by weir_events_attach, to be read: "
                            "use weir_events_create",
                            option);
    return WEIR_OK;
}

/* ----------------------------------------------------------------- sources */

uint16_t
weir__events_enter(weir_events *events, const weir_event_source *source)
{
    struct weir__counter *used = &header_of(events)->sources_used;
    uint64_t before = weir__counter_read(used), words[4];
    struct weir__counter *place;

    do {
        if (before + 1 >= events->sources)
            return 0;
    } while (!weir__counter_compare_swap(used, &before, before + 1));
    memcpy(words, source, sizeof(words));
    place = source_words(events, (uint32_t)before + 1);
    for (size_t i = 1; i < 4; i++)
        weir__counter_write_release(&place[i], words[i]);
    weir__counter_write_release(&place[0], words[0]);
    return (uint16_t)(before + 1);
}

bool weir_events_read_source(const weir_events *events, uint32_t source,
                             weir_event_source *out)
{
    WEIR__UNTRAPPED;
    const struct weir__counter *place;
    weir_event_source read;
    uint64_t words[4];

    if (!events || !out || source >= events->sources)
        return false;
    place = source_words(events, source);
    for (size_t i = 0; i < 4; i++)
        words[i] = weir__counter_read(&place[i]);
    memcpy(&read, words, sizeof(read));
    if (read.kind == WEIR_SOURCE_NONE)
        return false;
    read.name[sizeof(read.name) - 1] = '\0';
    *out = read;
    return true;
}

/* ----------------------------------------------------------------- writing */

/* Where a thread looks for a lane first; events.h has the reason. */
static uint32_t first_lane(const weir_events *events, const weir_event *event)
{
    uint32_t half = events->lanes / 2;
    uint64_t stack;

    if (half == 0)
        return 0;
    if (event->worker != UINT32_MAX)
        return event->worker & (half - 1);
    stack = (uint64_t)(uintptr_t)&stack >> 16;
    return half + ((uint32_t)((stack * UINT64_C(0x9e3779b97f4a7c15)) >> 40) &
                   (half - 1));
}

static bool claim(struct weir__events_lane *lane)
{
    uint64_t idle = 0;

    return weir__counter_read(&lane->busy) == 0 &&
           weir__counter_compare_swap(&lane->busy, &idle, 1);
}

void weir__events_write(weir_events *events, const weir_event *event)
{
    uint32_t first = first_lane(events, event);
    struct weir__events_lane *lane = lane_of(events, first);

    for (uint32_t tries = 1; !claim(lane); tries++) {
        if (tries == events->lanes) {
            weir__counter_add(&header_of(events)->dropped, 1);
            return;
        }
        lane = lane_of(events, (first + tries) & (events->lanes - 1));
    }
    weir__events_put(events, lane, event);
    weir__counter_write_release(&lane->busy, 0);
}

struct weir__events_lane *
weir__events_bind(weir_events *events, uint32_t worker)
{
    uint32_t half = events->lanes / 2;

    for (uint32_t tries = 0; tries < half; tries++) {
        struct weir__events_lane *lane =
            lane_of(events, (worker + tries) & (half - 1));

        if (claim(lane))
            return lane;
    }
    return NULL;
}

void weir__events_unbind(struct weir__events_lane *lane)
{
    if (lane)
        weir__counter_write_release(&lane->busy, 0);
}

/* ----------------------------------------------------------------- reading */

/* What a reader sees of a lane. */
struct view {
    const struct weir__events_lane *lane;
    uint64_t written; /* at the beginning */
    bool has_head;    /* the next record is in `head` */
    weir_event head;
};

/* False: it is overwritten. */
static bool
read_record(const weir_events *events, const struct weir__events_lane *lane,
            uint64_t n, weir_event *out)
{
    const struct weir__record *record = weir__events_record(events, lane, n);
    uint64_t words[WEIR__RECORD_WORDS];

    if (weir__counter_read(&record->stamp) != 2 * n + 2)
        return false;
    words[0] = n;
    for (size_t i = 1; i < WEIR__RECORD_WORDS; i++)
        words[i] = weir__counter_read(&record->words[i - 1]);
    if (weir__counter_read(&record->stamp) != 2 * n + 2)
        return false;
    memcpy(out, words, sizeof(*out));
    return true;
}

/* Has the next record of a lane in its head, if there is one, and counts what
 * is lost before it. */
static void look_ahead(const weir_events *events, struct view *view,
                       uint64_t *at, uint64_t *lost)
{
    view->has_head = false;
    while (*at < view->written && !view->has_head) {
        view->has_head = read_record(events, view->lane, *at, &view->head);
        if (!view->has_head) {
            (*at)++;
            (*lost)++;
        }
    }
}

static void open_view(const weir_events *events, struct view *view,
                      uint32_t lane, weir_events_cursor *cursor)
{
    uint64_t *at = &cursor->at[lane];

    view->lane = lane_of(events, lane);
    view->written = weir__counter_read(&view->lane->written);
    if (view->written > *at && view->written - *at > events->records) {
        cursor->lost += view->written - events->records - *at;
        *at = view->written - events->records;
    }
    look_ahead(events, view, at, &cursor->lost);
}

/* What comes first; of the same moment a submit before a start, and so on. */
static bool comes_before(const weir_event *a, const weir_event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->kind < b->kind;
}

static weir_status
check_reading(const weir_events *events, const weir_events_cursor *cursor,
              const weir_event *out)
{
    if (!events || !cursor || !out)
        return weir__refuse(WEIR_EINVAL, "%s is NULL",
                            !events   ? "events"
                            : !cursor ? "cursor"
                                      : "out");
    if (cursor->size < sizeof(*cursor))
        return weir__refuse(WEIR_EINVAL,
                            "cursor.size is %zu: start from "
                            "WEIR_EVENTS_CURSOR_INIT",
                            cursor->size);
    return WEIR_OK;
}

static void count_dropped(const weir_events *events, weir_events_cursor *cursor)
{
    uint64_t dropped = weir__counter_read(&header_of(events)->dropped);

    cursor->lost += dropped - cursor->dropped_at;
    cursor->dropped += dropped - cursor->dropped_at;
    cursor->dropped_at = dropped;
}

size_t weir_events_read(const weir_events *events, weir_events_cursor *cursor,
                        weir_event *out, size_t room)
{
    WEIR__UNTRAPPED;
    struct view views[WEIR_EVENTS_MOST_LANES];
    size_t count = 0;

    if (check_reading(events, cursor, out))
        return 0;
    for (uint32_t i = 0; i < events->lanes; i++)
        open_view(events, &views[i], i, cursor);
    while (count < room) {
        struct view *next = NULL;
        uint64_t *at;

        for (uint32_t i = 0; i < events->lanes; i++)
            if (views[i].has_head &&
                (!next || comes_before(&views[i].head, &next->head)))
                next = &views[i];
        if (!next)
            break;
        at = &cursor->at[next - views];
        out[count++] = next->head;
        (*at)++;
        look_ahead(events, next, at, &cursor->lost);
    }
    count_dropped(events, cursor);
    cursor->read += count;
    return count;
}

void weir_events_skip(const weir_events *events, weir_events_cursor *cursor)
{
    WEIR__UNTRAPPED;
    weir_event unread;

    if (check_reading(events, cursor, &unread))
        return;
    for (uint32_t i = 0; i < events->lanes; i++)
        cursor->at[i] = weir__counter_read(&lane_of(events, i)->written);
    cursor->dropped_at = weir__counter_read(&header_of(events)->dropped);
}
