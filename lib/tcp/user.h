/*
 * The user calls of RFC 9293 3.10.1-6 on one connection, in the RFC's order. None of them blocks or
 * sends: output() does. The status call is tcb_status().
 */
#ifndef USER_H
#define USER_H

#include "tcb.h"

/* 3.10.1 OPEN, active: CLOSED to SYN-SENT. tcb_init() must have been given a struct busy. */
void tcp_open_active(struct tcb *t, seq_t iss, uint64_t now_ns);

/* 3.10.1 OPEN, passive: CLOSED to LISTEN. iss is used when a SYN arrives. The same. */
void tcp_open_passive(struct tcb *t, seq_t iss, uint64_t now_ns);

/* 3.10.2 SEND: how many octets there is room for; or ERR_AGAIN, ERR_PIPE, ERR_NOT_CONNECTED. */
int64_t tcp_send_room(const struct tcb *t);

/* 3.10.2 SEND. The octets taken, or these errors or ERR_NOMEM. */
int64_t tcp_send(struct tcb *t, const void *data, size_t len);

/* The same without copying: the octets must stay where they are until tcp_keep(), which copies what
 * is not acknowledged by then; the last CLOSE does as well. tcp_lent: how many octets that is. */
int64_t tcp_lend(struct tcb *t, const void *data, size_t len);
size_t tcp_lent(const struct tcb *t);
void tcp_keep(struct tcb *t);

/* SEND of text that is in its place already, all of it, whether there is room or not: the first len
 * octets, at least one, of a block of `size` of common->mem, which is the queue's or freed. len, or
 * ERR_PIPE, ERR_NOT_CONNECTED, ERR_NOMEM: then the block stays the caller's.
 */
int64_t tcp_send_block(struct tcb *t, void *block, size_t size, size_t len);

/* What the last tcp_send() has taken is not PUSHed (3.9.1.2, MAY-15): less than a segment of it
 * waits for more, for an ACK, or a while. */
void tcp_more(struct tcb *t);

/* What is queued goes now, as far as windows let it, though it is corked or not PUSHed. */
void tcp_flush(struct tcb *t);

/* 3.10.3 RECEIVE. The octets copied, 0 at the end of the stream, ERR_AGAIN, ERR_NOT_CONNECTED. It
 * ends at the mark of urgent data (urgent.h). */
int64_t tcp_receive(struct tcb *t, void *buf, size_t len, bool peek, uint64_t now_ns);

/* The same, while nothing can be received: what arrives is copied into r's buffer at once, as far
 * as it has room and no urgent data comes, until tcp_receive_end(), tcp_stop_receiving(), the last
 * CLOSE or ABORT; r and the buffer must stay that long. False: another RECEIVE waits already, or
 * there is no memory. */
bool tcp_receive_begin(struct tcb *t, struct receive *r);
void tcp_receive_end(struct tcb *t, struct receive *r, uint64_t now_ns);

/* How many octets it gives at most. */
size_t tcp_receivable(const struct tcb *t);

/* No more RECEIVEs, though the connection goes on: what is unread is thrown away. */
void tcp_stop_receiving(struct tcb *t, uint64_t now_ns);

/* 3.10.4 CLOSE: no more SENDs. ERR_NONE, ERR_PIPE, ERR_NOT_CONNECTED; ERR_NOMEM: nothing has
 * changed. */
int tcp_close(struct tcb *t, uint64_t now_ns);

/* The user gives the connection up: CLOSE, and since nobody will RECEIVE any more, RST when text is
 * unread or still arrives (3.6.1, SHLD-3), or there is no memory for the FIN. */
void tcp_leave(struct tcb *t, uint64_t now_ns);

/* 3.10.5 ABORT. */
void tcp_abort(struct tcb *t, uint64_t now_ns);

/* SO_KEEPALIVE, SO_SNDBUF, SO_RCVBUF, SO_OOBINLINE, TCP_USER_TIMEOUT, TCP_NODELAY, TCP_CORK,
 * TCP_MAXSEG, TCP_CONGESTION: at any time, but only before the SYN does SO_RCVBUF decide the window
 * scale, and TCP_MAXSEG what is announced. ERR_NOMEM: nothing has changed. */
int tcp_set(struct tcb *t, const struct tcp_settings *settings);

/* Whether tcp_send / tcp_receive are worth calling: there is room, or text, or they would answer
 * something else than ERR_AGAIN. */
bool tcp_can_send(const struct tcb *t);
bool tcp_can_receive(const struct tcb *t);

#endif
