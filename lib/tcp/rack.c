/* RFC 8985. See rack.h. Called by loss.c. */
#include "rack.h"

#include "cc.h"
#include "minmax.h"
#include "nstime.h"
#include "recovery.h"

/* How long a minimum counts (RFC 8985 6.2 step 1: it has to adapt to a longer path). */
#define MIN_RTT_NS (300 * NS_PER_S)

#define REO_WND_PERSIST 16 /* RFC 8985 6.2 step 4 */

/* RFC 8985 7.2 has PTO = 2 * SRTT. Linux adds two ticks of its clock, 8 ms, and so do we: with
 * round trips of microseconds each delayed ACK would be taken for a lost one otherwise. */
#define PTO_MIN_NS (8 * NS_PER_MS)

void rack_init(struct rack *r, uint8_t tcp_recovery)
{
    *r = (struct rack){
        .tcp_recovery = tcp_recovery,
        .reo_wnd_mult = 1,
        .reo_due_ns = TIME_NEVER,
        .pto_due_ns = TIME_NEVER,
        .tlp_rtt_taken = true,
    };
}

void rack_rest(const struct rack *r, struct cc_rest *rest)
{
    rest->reordering_seen = r->reordering_seen;
    rest->reo_wnd_mult = r->reo_wnd_mult;
    rest->reo_wnd_persist = r->reo_wnd_persist & 31u;
}

void rack_resume(struct rack *r, const struct cc_rest *rest)
{
    r->reordering_seen = rest->reordering_seen;
    r->reo_wnd_mult = rest->reo_wnd_persist > 0 ? rest->reo_wnd_mult : 1;
    r->reo_wnd_persist = rest->reo_wnd_persist;
}

static void take_min_rtt(struct rack *r, uint64_t rtt_ns, uint64_t now_ns)
{
    if (r->min_rtt_ns > 0 && rtt_ns > r->min_rtt_ns && now_ns - r->min_rtt_at_ns < MIN_RTT_NS)
        return;
    r->min_rtt_ns = max_u64(rtt_ns, 1);
    r->min_rtt_at_ns = now_ns;
}

void rack_delivered(struct rack *r, const struct delivery *d)
{
    r->reordering_seen |= d->reordered;
    if (!d->valid)
        return;
    uint64_t rtt_ns = d->now_ns - d->at_ns;
    if (!d->again) {
        take_min_rtt(r, rtt_ns, d->now_ns);
        r->tlp_rtt_taken = true;
    }
    r->rtt_ns = rtt_ns;
    if (r->xmit_ns == 0 || sent_after(d->at_ns, d->end, r->xmit_ns, r->end_seq)) {
        r->xmit_ns = d->at_ns;
        r->end_seq = d->end;
    }
}

void rack_round(struct rack *r, seq_t una)
{
    if (seq_leq(r->dsack_round_end, una))
        r->dsack_round = false;
}

void rack_dsack(struct rack *r, seq_t nxt)
{
    if (r->dsack_round || (r->tcp_recovery & RACK_STATIC_REO_WND))
        return;
    r->dsack_round = true;
    r->dsack_round_end = nxt;
    if (r->reo_wnd_mult < UINT8_MAX)
        r->reo_wnd_mult++;
    r->reo_wnd_persist = REO_WND_PERSIST;
}

void rack_recovered(struct rack *r)
{
    if (r->reo_wnd_persist > 0)
        r->reo_wnd_persist--;
    if (r->reo_wnd_persist == 0)
        r->reo_wnd_mult = 1;
}

/* RACK_update_reo_wnd. DupThresh counts segments; octets are what we have. */
static uint64_t reo_wnd_ns(const struct rack *r, const struct scoreboard *b,
                           const struct rack_now *now)
{
    bool dup_thresh =
        b->sacked >= RECOVERY_DUP_THRESH * now->mss && !(r->tcp_recovery & RACK_NO_DUP_THRESH);
    if (!r->reordering_seen && (now->in_recovery || dup_thresh))
        return 0;
    return min_u64(r->reo_wnd_mult * r->min_rtt_ns / 4, now->srtt_ns);
}

void rack_detect_loss(struct rack *r, struct scoreboard *b, const struct rack_now *now)
{
    uint64_t reo_ns = reo_wnd_ns(r, b, now);
    r->reo_due_ns = TIME_NEVER;
    for (struct list *l = b->flying.next, *after; l != &b->flying; l = after) {
        struct sent *s = sent_of_line(l);
        after = l->next;
        if (s->at_ns > r->xmit_ns)
            return; /* and so were all behind it */
        if (!sent_after(r->xmit_ns, r->end_seq, s->at_ns, s->end))
            continue;
        uint64_t lost_ns = s->at_ns + r->rtt_ns + reo_ns;
        if (lost_ns <= now->now_ns)
            scoreboard_lose(b, s);
        else
            r->reo_due_ns = lost_ns; /* the last one's is the latest */
    }
}

void rack_timeout(struct rack *r, struct scoreboard *b, const struct rack_now *now)
{
    struct sent *first = scoreboard_first(b);
    uint64_t reo_ns = reo_wnd_ns(r, b, now);
    r->reo_due_ns = r->pto_due_ns = TIME_NEVER;
    for (struct list *l = b->flying.next, *after; l != &b->flying; l = after) {
        struct sent *s = sent_of_line(l);
        after = l->next;
        if (s == first || s->at_ns + r->rtt_ns + reo_ns <= now->now_ns)
            scoreboard_lose(b, s);
    }
}

void rack_schedule_probe(struct rack *r, const struct rack_now *now, uint32_t flight,
                         uint64_t rtx_due_ns, uint64_t max_ack_delay_ns)
{
    uint64_t pto_ns = NS_PER_S;
    if (now->srtt_ns > 0)
        pto_ns = 2 * now->srtt_ns + (flight <= now->mss ? max_ack_delay_ns : PTO_MIN_NS);
    r->pto_due_ns = time_min(now->now_ns + pto_ns, rtx_due_ns);
}

bool rack_may_probe(const struct rack *r)
{
    return !r->tlp_out && r->tlp_rtt_taken;
}

void rack_probed(struct rack *r, seq_t end_seq, uint32_t resent, uint64_t now_ns)
{
    r->tlp_out = true;
    r->tlp_end_seq = end_seq;
    r->tlp_resent = resent;
    r->tlp_at_ns = now_ns;
    r->tlp_rtt_taken = false;
}

bool rack_probe_acked(struct rack *r, seq_t ack, bool twice)
{
    if (!r->tlp_out || seq_lt(ack, r->tlp_end_seq))
        return false;
    bool beyond = seq_lt(r->tlp_end_seq, ack);
    if (r->tlp_resent == 0 || twice) {
        r->tlp_out = false;
        return false;
    }
    r->tlp_out = !beyond;
    return beyond;
}

void rack_forget_probe(struct rack *r)
{
    r->tlp_out = false;
    r->pto_due_ns = TIME_NEVER;
}
