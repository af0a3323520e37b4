/* For the tests of the send queue. */
#ifndef SNDQ_OCTETS_H
#define SNDQ_OCTETS_H

#include "sndq.h"
#include "support.h"

/* The queue's octets from `at` on are those of `want`. */
static inline void expect_octets(struct sndq *q, size_t at, const uint8_t *want, size_t len)
{
    while (len > 0) {
        struct bytes ref;
        unsigned n;
        size_t got = sndq_refs(q, at, len, &ref, 1, &n);
        assert_int_equal(n, 1);
        assert_int_equal(got, ref.len);
        assert_in_range(got, 1, len);
        assert_memory_equal(ref.ptr, want, got);
        at += got;
        want += got;
        len -= got;
    }
}

#endif
