/*
 * Urgent data (RFC 9293 3.8.5, RFC 6093): SND.UP and RCV.UP. Everything in the stream up to such a
 * pointer is urgent; it points to the octet behind that (MUST-62).
 *
 * Users of sockets know more than the RFC does: the last urgent octet is "out of band", and the
 * place just before it is the "mark", where a RECEIVE ends. They have both here as in Linux.
 */
#ifndef URGENT_H
#define URGENT_H

#include "tcb.h"

/* 3.10.2 SEND with the URGENT flag: as tcp_send(), and all that is then in the queue is urgent. */
int64_t tcp_urgent_send(struct tcb *t, const void *data, size_t len);

/* Whether text that is sent from here on begins with urgent data. */
bool tcp_urgent_from(const struct tcb *t, seq_t from);

/* Gives a segment that is about to leave URG and the pointer, when SND.UP lies ahead of it. */
void tcp_urgent_point(struct tcb *t, struct seg *seg);

/* 3.10.7.4, sixth step: a segment with URG in a state that receives. False for want of memory. */
bool tcp_urgent_arrives(struct tcb *t, const struct seg *seg);

/* MUST-33: octets from the first unread one up to RCV.UP, of which some may not have arrived; 0:
 * what is unread is not urgent. 1: the user is at the mark. */
uint64_t tcp_urgent_left(const struct tcb *t);

/* Whether the user is at the mark, and RECEIVE is to pass over the octet behind it. */
bool tcp_urgent_passes_over(const struct tcb *t);

/* Whether there is something to be done about the last urgent octet, be it in line or not: it is
 * here, neither taken nor passed, or can't come before the user reads. POLLPRI. */
bool tcp_urgent_ready(const struct tcb *t);

/* RECEIVE of the last urgent octet, out of band and once; peek: and again. 1; 0 when it can't come
 * any more; ERR_AGAIN when it has not arrived; ERR_INVAL when there is none, or it was taken or
 * passed, or comes in line; ERR_NOT_CONNECTED when the connection has failed. */
int tcp_urgent_receive(struct tcb *t, uint8_t *octet, bool peek);

#endif
