/* The state of a connection (RFC 9293 3.3.2). state.c is the only writer of tcb.state. */
#ifndef STATE_H
#define STATE_H

#include <stdint.h>

enum tcp_state {
    STATE_CLOSED,
    STATE_LISTEN,
    STATE_SYN_SENT,
    STATE_SYN_RECEIVED,
    STATE_ESTABLISHED,
    STATE_FIN_WAIT_1,
    STATE_FIN_WAIT_2,
    STATE_CLOSE_WAIT,
    STATE_CLOSING,
    STATE_LAST_ACK,
    STATE_TIME_WAIT,
};

struct tcb;

/* Moves the connection to a state, stops the timers that end with the old one, starts those of the
 * new one, raises the events that go with it. why: for the trace, which also tells where this was
 * decided. */
#define state_set(t, to, why, now_ns) state_set_at(t, to, why, now_ns, __FILE__, __LINE__)

void state_set_at(struct tcb *t, enum tcp_state to, const char *why, uint64_t now_ns,
                  const char *file, int line);

/* FIN-WAIT-2 without a user: nobody will read what the peer may still send, so it does not last. To
 * be called when both are given. */
void state_orphan_lingers(struct tcb *t, uint64_t now_ns);

/* To CLOSED by an error: err (enum err) is what the user learns. Queues are kept for what can still
 * be read. */
#define state_fail(t, err, why, now_ns) state_fail_at(t, err, why, now_ns, __FILE__, __LINE__)

void state_fail_at(struct tcb *t, int err, const char *why, uint64_t now_ns, const char *file,
                   int line);

/* "ESTABLISHED", as RFC 9293 writes it. */
const char *state_name(enum tcp_state s);

#endif
