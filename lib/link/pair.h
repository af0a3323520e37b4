/*
 * A link whose other end lies in the same process: what one end sends, the other receives, in
 * order and unchanged. For tests, and for trying the stack without any right.
 *
 * Each end is a link of its own, with the thread rules of link.h; the two may be used by different
 * threads, and destroyed in any order. Packets to an end that is gone vanish.
 */
#ifndef PAIR_H
#define PAIR_H

#include <stdbool.h>
#include <stddef.h>

#include "link.h"

struct pair_config {
    struct link_caps caps; /* of both ends */
    size_t queue_max;      /* most packets under way in one direction; then send() is "busy" */
    bool polled;           /* there is a poll_fd(), which costs system calls; else it is -1 */
};

/* Negative errno; then neither end is there. */
int pair_create(const struct pair_config *config, struct link **a, struct link **b);

#endif
