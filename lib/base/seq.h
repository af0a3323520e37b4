/*
 * Sequence numbers: arithmetic modulo 2^32 (RFC 9293 3.4).
 *
 * A struct type, so that `a < b` and `a == b` do not compile. Two numbers can be ordered only while
 * they are less than 2^31 apart; every comparison below relies on that.
 */
#ifndef SEQ_H
#define SEQ_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint32_t v;
} seq_t;

static inline seq_t seq(uint32_t v)
{
    return (seq_t){v};
}

/* a + n, modulo 2^32. */
static inline seq_t seq_add(seq_t a, uint32_t n)
{
    return (seq_t){a.v + n};
}

static inline seq_t seq_sub(seq_t a, uint32_t n)
{
    return (seq_t){a.v - n};
}

/* Octets from b forward to a; negative when a lies before b. */
static inline int32_t seq_diff(seq_t a, seq_t b)
{
    return (int32_t)(a.v - b.v);
}

static inline bool seq_eq(seq_t a, seq_t b)
{
    return a.v == b.v;
}

static inline bool seq_lt(seq_t a, seq_t b)
{
    return seq_diff(a, b) < 0;
}

static inline bool seq_leq(seq_t a, seq_t b)
{
    return seq_diff(a, b) <= 0;
}

static inline seq_t seq_max(seq_t a, seq_t b)
{
    return seq_lt(a, b) ? b : a;
}

static inline seq_t seq_min(seq_t a, seq_t b)
{
    return seq_lt(a, b) ? a : b;
}

/* lo =< x < hi, going forward from lo: the form RFC 9293 3.10.7.4 tests the window with. */
static inline bool seq_in(seq_t x, seq_t lo, seq_t hi)
{
    return x.v - lo.v < hi.v - lo.v;
}

#endif
