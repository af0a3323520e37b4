/* For tests in the language of hosts.h: peers that know ECN (RFC 3168). */
#ifndef WITH_ECN_H
#define WITH_ECN_H

#include "with_sack.h"

#define ECE  TCP_ECE
#define CWR  TCP_CWR
#define ECT0 ECN_ECT0

/* Begins anew with a stack that treats ECN so. */
static inline void start_with_ecn(enum tcp_ecn ecn)
{
    host.config.tcp.ecn = ecn;
    host_start();
}

/* A connection that we ask ECN for, and have it, on a path of 100 ms; the peer's MSS is 1000, its
 * window 65535. */
static inline struct sock *connected_with_ecn(struct peer *a)
{
    start_with_ecn(TCP_ECN_ASK);
    struct sock *so = host_connect(a);
    leaves(a, .flags = SYN | ECE | CWR, .seq = 0);
    a->wnd = 65535;
    host_later(100);
    arrives(a, .flags = SYN | ACK | ECE, .seq = 0, .ack = 1, .mss = 1000);
    leaves(a, .flags = ACK, .seq = 1, .ack = 1);
    assert_true(host_status(so).ecn);
    return so;
}

#endif
