/* SPDX-License-Identifier: MIT */
/* options.c - see options.h. */
#include "base/options.h"

#include <ctype.h>
#include <string.h>

#include <weir/version.h>

#include "base/error.h"

/* "weir_queue_options" to "WEIR_QUEUE_OPTIONS". */
static const char *upper(char *into, size_t room, const char *name)
{
    size_t i;

    for (i = 0; name[i] && i + 1 < room; i++)
        into[i] = (char)(toupper)((unsigned char)name[i]); /* no macro */
    into[i] = '\0';
    return into;
}

weir_status weir__snapshot_check(const void *into, const char *name)
{
    char constant[64];
    size_t size;

    memcpy(&size, into, sizeof(size));
    if (size >= sizeof(size))
        return WEIR_OK;
    return weir__refuse(WEIR_EINVAL, "%s.size is %zu: start from %s_INIT", name,
                        size, upper(constant, sizeof(constant), name));
}

weir_status
weir__options_read(void *into, size_t known, const void *from, const char *name)
{
    const unsigned char *bytes = from;
    weir_status status;
    size_t size;

    memset(into, 0, known);
    memcpy(into, &known, sizeof(known));
    if (!from)
        return WEIR_OK;
    status = weir__snapshot_check(from, name);
    if (status)
        return status;
    memcpy(&size, from, sizeof(size));
    for (size_t i = known; i < size; i++)
        if (bytes[i])
            return weir__refuse(WEIR_EINVAL,
                                "%s sets byte %zu, a field that weir %s does "
                                "not know: zero it, or link a newer library",
                                name, i, weir_version());
    memcpy(into, from, size < known ? size : known);
    memcpy(into, &known, sizeof(known));
    return WEIR_OK;
}

void weir__snapshot_write(void *into, const void *from, size_t known)
{
    size_t size;

    memcpy(&size, into, sizeof(size));
    if (size <= sizeof(size))
        return;
    if (size > known) {
        memset((unsigned char *)into + known, 0, size - known);
        size = known;
    }
    memcpy((unsigned char *)into + sizeof(size),
           (const unsigned char *)from + sizeof(size), size - sizeof(size));
}
