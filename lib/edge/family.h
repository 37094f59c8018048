/* SPDX-License-Identifier: MIT */
/* family.h - families of figures, for the writer and its tests. */
#ifndef WEIR_LIB_EDGE_FAMILY_H
#define WEIR_LIB_EDGE_FAMILY_H

#include <weir/histogram.h>

#include "edge/words.h"

/* One figure of a family. */
struct weir__sample {
    const char *label; /* NAME="VALUE", beside whose it is; NULL: none */
    size_t at;         /* where it lies in what the family is read from */
    enum { WEIR__FIGURE, WEIR__FIGURE_32, WEIR__YES, WEIR__NS } kind;
};

struct weir__family {
    const char *name, *help;
    const char *type; /* "counter", "gauge" */
    const struct weir__sample *samples;
    size_t count;
};

/* Whose figures: `of` is the name of a label, `name` what it says. */
struct weir__owner {
    const char *of, *name;
    unsigned number; /* above 1: -NUMBER behind the name */
};

/* HELP and TYPE, and then the figures of each owner. */
void weir__family_begin(struct weir__words *words, const char *name,
                        const char *help, const char *type);
void weir__family_write(struct weir__words *words,
                        const struct weir__family *family,
                        const struct weir__owner *owner, const void *figures);
/* The same of a histogram, whose family has begun. */
void weir__family_write_histogram(struct weir__words *words, const char *name,
                                  const struct weir__owner *owner,
                                  const weir_histogram *histogram);

#endif /* WEIR_LIB_EDGE_FAMILY_H */
