/*
 * For the tests of recovery.c: a sender that keeps what a connection would, and checks recovery's
 * invariants after every call.
 */
#ifndef RECOVERY_SENDER_H
#define RECOVERY_SENDER_H

#include "recovery.h"
#include "support.h"

/* The sequence numbers wrap in the middle of what the tests send. */
#define ISS UINT32_C(0xfffff000)

/* Offsets count from the first octet of text. */
struct sender {
    struct recovery r;
    struct cc c;
    uint32_t una, nxt;
};

static inline seq_t at(uint32_t offset)
{
    return seq(ISS + 1 + offset);
}

static inline void check(const struct sender *s)
{
    assert_true(seq_leq(at(s->una), s->r.nxt));
    assert_true(seq_leq(s->r.nxt, s->r.end));
    assert_true(seq_leq(s->r.end, at(s->nxt)));
    assert_in_range(s->c.cwnd, s->c.mss, CC_CWND_MAX);
    assert_true(s->c.ssthresh >= 2 * s->c.mss);
}

/* After the handshake, with nothing sent. */
static inline struct sender sender_init(uint32_t mss)
{
    struct sender s;
    memset(&s, 0, sizeof s);
    cc_init(&s.c, &cc_newreno, mss, false);
    recovery_init(&s.r, seq(ISS));
    recovery_new_ack(&s.r, &s.c, seq(ISS), at(0), at(0));
    check(&s);
    return s;
}

static inline bool dup(struct sender *s)
{
    bool again = recovery_dup_ack(&s->r, &s->c, at(s->una), at(s->nxt), 0);
    check(s);
    return again;
}

static inline struct recovery_ack ack(struct sender *s, uint32_t una)
{
    uint32_t old = s->una;
    s->una = una;
    struct recovery_ack a = recovery_new_ack(&s->r, &s->c, at(old), at(una), at(s->nxt));
    check(s);
    return a;
}

static inline void timeout(struct sender *s, bool first)
{
    recovery_timeout(&s->r, &s->c, at(s->una), at(s->nxt), first, 0);
    check(s);
}

static inline void resent(struct sender *s, uint32_t end)
{
    recovery_resent(&s->r, at(end));
    check(s);
}

static inline uint32_t flight(const struct sender *s)
{
    return recovery_flight(&s->r, at(s->una), at(s->nxt));
}

#endif
