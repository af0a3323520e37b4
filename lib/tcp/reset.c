/* RST generation (RFC 9293 3.5.2) and challenge ACKs (RFC 5961). See reset.h. */
#include "reset.h"

/* RFC 5961 7 suggests 10 challenge ACKs in 5 seconds; counted per connection, so that one
 * connection's flood tells an attacker nothing about another's (CVE-2016-5696). */
#define BUDGET_MAX     10
#define BUDGET_SPAN_NS (5 * NS_PER_S)

/* RFC 7323 5.2 recommends timestamps, with TSval 0, where the segment has some. Linux throws such a
 * RST away for a minute after it has heard of the peer (it applies PAWS), and sends none; nor do
 * we. */
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

bool tcp_budget_unspent(const struct budget *b, uint64_t now_ns)
{
    return b->spent == 0 || now_ns - b->from_ns >= BUDGET_SPAN_NS;
}

bool tcp_budget_allows(struct budget *b, uint64_t now_ns)
{
    if (tcp_budget_unspent(b, now_ns))
        *b = (struct budget){.from_ns = now_ns};
    if (b->spent >= BUDGET_MAX)
        return false;
    b->spent++;
    return true;
}

void tcp_reset_challenge(struct tcb *t, uint64_t now_ns)
{
    struct busy *b = tcb_busy(t);
    if (b && tcp_budget_allows(&b->challenges, now_ns))
        ackdelay_now(&t->ackdelay);
}

void tcp_reset_answer_probe(struct tcb *t, uint64_t now_ns)
{
    struct busy *b = tcb_busy(t);
    if (b && tcp_budget_allows(&b->probe_answers, now_ns))
        ackdelay_now(&t->ackdelay);
}
