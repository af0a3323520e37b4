/* Explicit Congestion Notification. See ecn.h. Called by the trunk of tcp/. */
#include "ecn.h"

#include "tcp.h"

void tcp_ecn_take_syn(struct tcb *t, const struct seg *seg)
{
    t->ecn = t->ecn && tcp_is_ecn_setup(seg);
}

/* 6.1.1.1: after a loss, which may have been for these flags, our SYN goes without; and then we
 * MUST NOT send ECT (6.1.1), whatever the peer says to the first. */
static bool has_fallen_back(const struct tcb *t)
{
    return !t->passive && t->syn_timed_out;
}

uint8_t tcp_ecn_syn_flags(const struct tcb *t)
{
    if (!t->ecn || has_fallen_back(t))
        return 0;
    return t->state == STATE_SYN_SENT ? TCP_ECN_SETUP : TCP_ECE;
}

uint8_t tcp_ecn_echo(const struct tcb *t)
{
    return t->ecn_echo ? TCP_ECE : 0;
}

void tcp_ecn_new_text(struct tcb *t, struct seg *seg)
{
    struct busy *b = t->busy;
    if (!t->ecn || seg->text_len == 0 || t->snd.wnd == 0)
        return;
    if (!has_fallen_back(t))
        seg->ecn = ECN_ECT0;
    if (b->cc.cwr) {
        seg->flags |= TCP_CWR;
        b->cwr = seg->seq;
        b->cc.cwr = false;
    }
}

void tcp_ecn_arrived(struct tcb *t, const struct seg *seg)
{
    if (!t->ecn)
        return;
    if (seg->flags & TCP_CWR)
        t->ecn_echo = false;
    if (seg->ecn == ECN_CE)
        t->ecn_echo = true;
    t->ecn_seen |= seg->ecn != ECN_NOT_ECT;
}

bool tcp_ecn_told(const struct tcb *t, const struct seg *seg)
{
    return t->ecn && (seg->flags & TCP_ECE);
}

bool tcp_ecn_news(const struct tcb *t, const struct seg *seg)
{
    const struct busy *b = t->busy;
    return tcp_ecn_told(t, seg) && !b->cc.cwr && seq_lt(b->cwr, t->snd.una);
}
