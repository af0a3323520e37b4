/* The one function that decides the next segment (RFC 9293 3.7, 3.8.6.2.1). */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "tcb.h"

/* Fills in the next segment to send. False: nothing, until the next input, user call or deadline.
 * The segment's text refers to the send queue. */
bool tcp_output(struct tcb *t, struct seg *seg, uint64_t now_ns);

/* The SYN-ACK of a passive connection, which the caller sends or has sent: it is not timed, nor
 * sent again. */
void tcp_syn_ack(struct tcb *t, struct seg *seg, uint64_t now_ns);

#endif
