/* A listener that is full, so that it answers with SYN cookies: for the tests of RFC 4987. */
#ifndef FLOODED_H
#define FLOODED_H

#include "hosts.h"

#define HALF_OPEN 128 /* of a listener with a smaller backlog */

#define TS(val, ecr) .ts = 1, .ts_val = (val), .ts_ecr = (ecr)

static struct peer half_open[HALF_OPEN];

/* As many half-open connections as there may be. From then on nothing but cookies. */
static inline struct sock *full(uint32_t backlog)
{
    struct sock *l = host_listen(80, backlog);
    for (unsigned i = 0; i < HALF_OPEN; i++) {
        struct peer *p = &half_open[i];
        *p = peer(i, 80);
        if (i == 1)
            no_memory_spares(); /* hundreds of the same kind, and tables that grow */
        arrives(p, .flags = SYN, .seq = 0);
        leaves(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    }
    no_memory_goes_on();
    return l;
}

/* The flood is over, and what it has left is gone. */
static inline void relax(void)
{
    for (unsigned i = 0; i < HALF_OPEN; i++)
        arrives(&half_open[i], .flags = RST, .seq = 1);
    assert_int_equal(stack_sock_count(host.stack), 1);
}

/* Beyond those: the SYN-ACK is a cookie. */
#define asks(p, ...)                                                                               \
    do {                                                                                           \
        arrives((p), .flags = SYN, .seq = 0, __VA_ARGS__);                                         \
        leaves((p), .flags = SYN | ACK, .seq = 0, .ack = 1);                                       \
    } while (0)

#endif
