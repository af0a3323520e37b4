/* SEGMENT ARRIVES (RFC 9293 3.10.7). The segment's text is borrowed for the call. */
#ifndef ARRIVES_H
#define ARRIVES_H

#include "tcb.h"

enum arrives {
    ARRIVES_DONE,
    ARRIVES_TAKEN,      /* the same, and sequence number and ACK were acceptable */
    ARRIVES_ANSWER_RST, /* answer this segment with tcp_reset_answer() */
};

/* 3.10.7: any state. The caller has found the connection by the segment's four-tuple. */
enum arrives tcp_arrives(struct tcb *t, const struct seg *seg, uint64_t now_ns);

/* 3.10.7.2, before a connection exists: what a segment at a LISTENing port means. */
enum arrives_listen {
    LISTEN_DROP,
    LISTEN_ANSWER_RST,
    LISTEN_OPEN, /* a SYN: open a connection (tcp_open_passive) and let the segment arrive there */
};

enum arrives_listen tcp_arrives_listen(const struct seg *seg);

/* What a connection would answer to this SYN. t is one that is CLOSED, and of no use afterwards. */
void tcp_answer_syn(struct tcb *t, seq_t iss, const struct seg *syn, struct seg *answer,
                    uint64_t now_ns);

/* 3.10.7.4: SYN-RECEIVED and all later states. */
enum arrives tcp_arrives_sync(struct tcb *t, const struct seg *seg, uint64_t now_ns);

/* The text that comes with a SYN in SYN-SENT is kept until the connection is established. */
void tcp_arrives_hold(struct tcb *t, const struct seg *seg);

/* Steps six to eight of 3.10.7.4 alone: what else the SYN-ACK carries (3.10.7.3). */
enum arrives tcp_arrives_rest(struct tcb *t, const struct seg *seg, uint64_t now_ns);

/* 3.6.1 (MAY-2): whether this SYN may open a new connection in place of one in TIME-WAIT. By its
 * timestamp where both have them, and the new connection would; by its number where not (RFC 6191
 * 2).
 */
bool tcp_arrives_reopens(const struct tcb *t, const struct seg *seg);

#endif
