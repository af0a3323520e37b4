/* RST generation (RFC 9293 3.5.2) and challenge ACKs (RFC 5961). See reset.h. */
#include "reset.h"

/* RFC 5961 7 suggests 10 challenge ACKs in 5 seconds; counted per connection, so that one
 * connection's flood tells an attacker nothing about another's (CVE-2016-5696). */
#define CHALLENGE_MAX     10
#define CHALLENGE_SPAN_NS (5 * NS_PER_S)

bool tcp_reset_answer(const struct seg *seg, struct seg *rst)
{
    if (seg->flags & TCP_RST)
        return false;
    *rst = (struct seg){.flags = TCP_RST};
    if (seg->flags & TCP_ACK) {
        rst->seq = seg->ack;
    } else {
        rst->flags |= TCP_ACK;
        rst->ack = seg_end(seg);
    }
    return true;
}

void tcp_reset_challenge(struct tcb *t, uint64_t now_ns)
{
    if (t->challenges == 0 || now_ns - t->challenge_from_ns >= CHALLENGE_SPAN_NS) {
        t->challenge_from_ns = now_ns;
        t->challenges = 0;
    }
    if (t->challenges >= CHALLENGE_MAX)
        return;
    t->challenges++;
    ackdelay_now(&t->ackdelay);
}
