/* ICMP errors other than "packet too big" (RFC 9293 3.9.2.2). */
#ifndef UNREACH_H
#define UNREACH_H

#include "tcb.h"

/*
 * An ICMP error about a segment of ours that is in flight. err: what it means to the user (enum
 * err). hard: RFC 9293 3.9.2.2 would have the connection aborted (SHLD-26).
 *
 * RFC 9293 3.9.2.2 says that a hard error should end a connection, and points to RFC 5927 and RFC
 * 5461 for second thoughts; Linux ends only what is not synchronized yet; we do as Linux, because
 * what was reached once is likely to be reached again, and the message is easier to forge than a
 * RST. A soft error never ends a connection (MUST-56).
 *
 * What does not end it is kept until the next acknowledgment (tcp_status.soft_error, SHLD-25), and
 * is the reason given when the user timeout does.
 */
void tcp_unreachable(struct tcb *t, int err, bool hard, uint64_t now_ns);

#endif
