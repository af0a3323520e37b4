/* Connections with timestamps, for the tests of RFC 7323 and RFC 6191. */
#ifndef STAMPED_H
#define STAMPED_H

#include "hosts.h"

#define TS(val, ecr) .ts = 1, .ts_val = (val), .ts_ecr = (ecr)

/* We connect, at host_at(0); the peer's SYN,ACK has this TSval. */
static inline struct sock *connected(struct peer *p, uint32_t val)
{
    struct sock *so = host_connect(p);
    leaves(p, .flags = SYN, .seq = 0, TS(0, 0));
    arrives(p, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = HOST_MSS, TS(val, 0));
    leaves(p, .flags = ACK, .seq = 1, .ack = 1, TS(0, val));
    expect_event(so, SOCK_EV_COMPLETED);
    return so;
}

/* The same, and it takes 100 ms, which are SRTT then; RTO is 300 ms. */
static inline struct sock *after_a_round_trip(struct peer *p, uint32_t val)
{
    struct sock *so = host_connect(p);
    leaves(p, .flags = SYN, .seq = 0, TS(0, 0));
    host_at(100);
    arrives(p, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = HOST_MSS, TS(val, 0));
    leaves(p, .flags = ACK, .seq = 1, .ack = 1, TS(100, val));
    return so;
}

#endif
