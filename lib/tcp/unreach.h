/* ICMP errors other than "packet too big" (RFC 9293 3.9.2.2). */
#ifndef UNREACH_H
#define UNREACH_H

#include "tcb.h"

/*
 * An ICMP error about a segment of ours that is in flight. err: what it means to the user (enum
 * err). hard: RFC 9293 3.9.2.2 would have the connection aborted (SHLD-26).
 *
 * Before the connection is synchronized a hard error ends it; a soft one never does (MUST-56).
 * Later no error does: RFC 5927 5.2, RFC 5461 2.2; what was reached once is likely to be reached
 * again, and the message is easier to forge than a RST. What does not end the connection is kept
 * until the next acknowledgment (tcp_status.soft_error, SHLD-25), and is the reason given when the
 * user timeout ends it.
 */
void tcp_unreachable(struct tcb *t, int err, bool hard, uint64_t now_ns);

#endif
