/* For tests in the language of hosts.h: peers that permit SACK (RFC 2018). */
#ifndef WITH_SACK_H
#define WITH_SACK_H

#include "hosts.h"

/* SACK blocks of a segment: one, or n of them as {left, right}. */
#define BLOCK(l, r)    .n_sack = 1, .sack = {{(l), (r)}}
#define BLOCKS(n, ...) .n_sack = (n), .sack = {__VA_ARGS__}

/* After host_connect(): SYN, SYN-ACK and ACK on a path of 100 ms; the peer's MSS is 1000, its
 * window 65535, and both permit SACK, in their SYNs alone. */
static inline void handshake_with_sack(struct peer *a)
{
    leaves(a, .flags = SYN, .seq = 0, .sack_ok = 1);
    a->wnd = 65535;
    host_later(100);
    arrives(a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .sack_ok = 1);
    leaves(a, .flags = ACK, .seq = 1, .ack = 1, .sack_ok = NONE);
}

#endif
