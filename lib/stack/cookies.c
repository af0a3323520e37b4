/*
 * Listeners without room for half-open connections: SYN cookies (RFC 4987 3.6, 3.7). What is sent
 * is what a connection would send, but for the options that a cookie can't keep (tcp/cookie.h);
 * what comes back makes one that is as if it had sent that.
 *
 * A SYN costs three hashes and a place among the answers, of which there are so many; an ACK as
 * many, and only at a listener that has sent cookies lately.
 *
 * A cookie stays good when its connection has ended, and would open another one out of any late
 * copy of the client's first segments: their text would arrive twice. So the last cookies that have
 * opened one are remembered, as many as there is place for.
 */
#include <string.h>

#include "arrives.h"
#include "cookie.h"
#include "isn.h"
#include "output.h"
#include "sock.h"
#include "user.h"

/* Cookies of before the listener's options have changed are void: they have told other ones. */
static struct siphash_key key_of(const struct listener *l)
{
    struct siphash_key key = l->stack->cookie_key;
    key.k0 ^= l->cookie_options;
    return key;
}

/* What cookies are remembered by, all those of one SYN: what differs by a few is a cookie as well,
 * of another MSS. The chance that another SYN has the same is 2^-32. */
static uint32_t mark_of(const struct stack *s, const struct flow *flow, const struct seg *syn)
{
    return (uint32_t)(isn_f(&s->cookie_key, flow) >> 32) + syn->seq.v;
}

static bool is_spent(const struct stack *s, const struct flow *flow, const struct seg *syn)
{
    uint32_t mark = mark_of(s, flow, syn);
    const uint32_t *spent = s->spent[mark % COOKIE_BUCKETS];
    for (int i = 0; i < COOKIE_BUCKET; i++)
        if (spent[i] == mark)
            return true;
    return false;
}

/* The newest comes first, and the oldest of the bucket is forgotten. */
static void spend(struct stack *s, const struct flow *flow, const struct seg *syn)
{
    uint32_t mark = mark_of(s, flow, syn), *spent = s->spent[mark % COOKIE_BUCKETS];
    memmove(spent + 1, spent, (COOKIE_BUCKET - 1) * sizeof *spent);
    spent[0] = mark;
}

static void send_cookie(struct listener *l, const struct arrival *a, const struct seg *syn,
                        uint64_t now_ns)
{
    struct stack *s = l->stack;
    struct seg syn_ack;
    struct tcb t; /* for this call */
    tcb_init(&t, a->flow, stack_first_mtu(s, &a->flow->remote, a->mtu), &s->tcp, 0, NULL);
    t.timestamps.offset = isn_ts_offset(&s->config.secret, a->flow);
    if (tcp_set(&t, l->settings) == ERR_NONE) {
        const struct siphash_key key = key_of(l);
        seq_t iss = cookie_make(&key, a->flow, syn, now_ns);
        tcp_answer_syn(&t, iss, syn, &syn_ack, now_ns);
        if (syn_ack.opts.has_ts)
            syn_ack.opts.ts_val = cookie_ts_val(syn, syn_ack.opts.ts_val);
        stack_answer_with(s, &l->sock, a->flow, a->route, &syn_ack);
        l->cookies_until_ns = now_ns + COOKIE_LASTS_NS;
        s->counters.cookies_sent++;
    } else {
        s->counters.no_memory++;
    }
    tcb_finish(&t);
}

bool listener_sends_cookie(struct listener *l, const struct arrival *a, uint64_t now_ns)
{
    struct stack *s = l->stack;
    if (!stack_can_answer(s)) {
        s->counters.listen_drops++;
        return true;
    }
    const struct seg syn = cookie_keeps(a->seg, &a->flow->remote, s->config.tcp.timestamps);
    if (is_spent(s, a->flow, &syn))
        return false;
    send_cookie(l, a, &syn, now_ns);
    return true;
}

/* Where there is no room the listener's oldest half-open connection gives way: nobody has vouched
 * for that one. */
static struct conn *make(struct listener *l, const struct arrival *a, const struct seg *syn,
                         struct conn *half_open, uint64_t now_ns)
{
    seq_t iss = seq_sub(a->seg->ack, 1);
    struct conn *c = listener_open(l, a, syn, iss, half_open, now_ns);
    if (c || half_open || list_empty(&l->half_open))
        return c;
    return listener_open(l, a, syn, iss, conn_in_line(l->half_open.next), now_ns);
}

/* The cookie is a good one: the connection as it would be, had it been there since the SYN. */
static void open_by_cookie(struct listener *l, const struct arrival *a, const struct seg *syn,
                           struct conn *half_open, uint64_t now_ns)
{
    struct stack *s = l->stack;
    struct conn *c = make(l, a, syn, half_open, now_ns);
    if (!c)
        return;
    spend(s, a->flow, syn);
    struct seg sent;
    tcp_syn_ack(&c->tcb, &sent, now_ns);
    if (tcp_arrives(&c->tcb, a->seg, now_ns) == ARRIVES_ANSWER_RST)
        stack_answer(s, &c->sock, a->flow, a->seg);
    conn_settle(c, now_ns);
}

bool listener_takes_cookie(struct listener *l, const struct arrival *a, struct conn *half_open,
                           uint64_t now_ns)
{
    struct stack *s = l->stack;
    struct seg syn;
    if (now_ns >= l->cookies_until_ns || (a->seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_ACK)
        return false;
    if (half_open && seq_eq(a->seg->ack, half_open->tcb.snd.nxt))
        return false; /* it is that one's */
    const struct siphash_key key = key_of(l);
    if (!cookie_returns(&key, a->flow, a->seg, s->config.tcp.timestamps, now_ns, &syn) ||
        is_spent(s, a->flow, &syn)) {
        s->counters.cookies_failed++;
        return false;
    }
    s->counters.cookies_received++;
    if (l->n_completed < l->backlog)
        open_by_cookie(l, a, &syn, half_open, now_ns);
    else
        s->counters.listen_drops++; /* what the peer sends next brings it again */
    return true;
}
