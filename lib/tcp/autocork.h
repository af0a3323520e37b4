/*
 * Autocorking: what does not fill a super-segment waits while one is in flight, so that more of the
 * user's may come; else a sender that writes in large pieces has a small packet behind each. It
 * goes with the next ACK, and after a millisecond in any case. Only where a round trip is no longer
 * than that, and while nothing points to a loss: what finds out about that is the text that
 * follows.
 *
 * As Linux has net.ipv4.tcp_autocorking, which waits for the device, TCP_NODELAY is no matter: it
 * is no Nagle (RFC 9293 3.7.4), which waits for all ACKs, however long they take. For output and
 * timeout.
 */
#ifndef AUTOCORK_H
#define AUTOCORK_H

#include <stdbool.h>
#include <stdint.h>

struct tcb;

/* Whether `unsent` octets wait, where a segment could have `most`. */
bool autocork_holds(struct tcb *t, uint32_t unsent, uint32_t most, uint64_t now_ns);

/* New text goes: what waits next has all its time. */
void autocork_sent(struct tcb *t);

/* When they need not wait any longer; TIME_NEVER: nothing waits. To be told when that has come. */
uint64_t autocork_deadline(const struct tcb *t);
void autocork_tick(struct tcb *t, uint64_t now_ns);

#endif
