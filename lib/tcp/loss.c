/* Loss recovery as the trunk sees it. See loss.h. */
#include "loss.h"

#include "ecn.h"
#include "timeout.h"

uint32_t loss_flight(const struct tcb *t)
{
    if (loss_by_sack(t))
        return scoreboard_flight(&t->busy->sack_recovery.board,
                                 (uint32_t)seq_diff(t->snd.nxt, t->snd.una));
    return recovery_flight(&t->busy->recovery, t->snd.una, t->snd.nxt);
}

uint32_t loss_cwnd(const struct tcb *t)
{
    if (loss_by_sack(t))
        return t->busy->cc.cwnd;
    return t->busy->cc.cwnd + recovery_beyond_cwnd(&t->busy->recovery, &t->busy->cc, t->snd.una);
}

bool loss_suspected(const struct tcb *t)
{
    const struct recovery *r = &t->busy->recovery;
    if (loss_by_sack(t))
        return !sack_recovery_probes(&t->busy->sack_recovery);
    return !recovery_is_whole(r->mode) || r->dup_acks > 0;
}

uint64_t loss_min_rtt_ns(const struct tcb *t)
{
    return t->busy->sack_recovery.rack.min_rtt_ns;
}

bool loss_reorders(const struct tcb *t)
{
    return t->busy->sack_recovery.rack.reordering_seen;
}

static const char *reason(const struct tcb *t, enum recovery_mode mode)
{
    static const char *const reasons[] = {
        [RECOVERY_OPEN] = "the window has opened", [RECOVERY_CWR] = "the window has opened",
        [RECOVERY_FAST] = "duplicate ACKs",        [RECOVERY_RTO] = "retransmission timeout",
        [RECOVERY_MTU] = "too big for the path",
    };
    bool crossed = t->state == STATE_CLOSING && recovery_is_whole(mode);
    return crossed ? "FIN has crossed FIN" : reasons[mode];
}

bool loss_missing(const struct tcb *t, struct missing *m)
{
    if (loss_by_sack(t)) {
        const struct sack_recovery *s = &t->busy->sack_recovery;
        m->at_once = false;
        m->why = s->mode == RECOVERY_FAST ? "SACK" : reason(t, s->mode);
        return scoreboard_missing(&s->board, &m->from, &m->end);
    }
    const struct recovery *r = &t->busy->recovery;
    *m = (struct missing){
        .from = r->nxt,
        .end = r->end,
        /* The fast retransmit itself, which cwnd does not hold back (RFC 5681 3.2 step 3). */
        .at_once = r->mode == RECOVERY_FAST && seq_eq(r->nxt, t->snd.una),
        .why = reason(t, r->mode),
    };
    return recovery_pending(r);
}

/* Without memory for its records recovery goes on with what it knows, and may send more again. */
static void tell_refused(struct tcb *t)
{
    struct scoreboard *b = &t->busy->sack_recovery.board;
    t->no_room |= b->refused;
    b->refused = false;
}

void loss_sent(struct tcb *t, seq_t from, seq_t end, seq_t nxt, uint64_t now_ns)
{
    struct recovery *r = &t->busy->recovery;
    if (!loss_by_sack(t)) {
        if (recovery_pending(r) && seq_eq(from, r->nxt))
            recovery_resent(r, seq_min(end, r->end));
        return;
    }
    struct sack_recovery *s = &t->busy->sack_recovery;
    sack_recovery_sent(s, from, end, nxt, now_ns);
    tell_refused(t);
    /* RFC 6298 5: what is sent again at once has an RTO's time for its ACK to come. */
    if (s->mode == RECOVERY_FAST && seq_eq(from, t->snd.una) && seq_lt(from, nxt))
        tcp_timeout_arm_rtx(t, now_ns);
}

/* news: of congestion (RFC 3168 6.1.2). */
static struct recovery_ack acked(struct tcb *t, const struct seg *seg, seq_t old_una,
                                 bool duplicate, bool news, uint64_t now_ns)
{
    struct busy *b = t->busy;
    bool advances = seq_lt(old_una, t->snd.una);
    uint32_t outstanding = (uint32_t)seq_diff(t->snd.nxt, old_una);
    if (loss_by_sack(t)) {
        const struct sack_ack ack = {
            .seg = seg,
            .una = t->snd.una,
            .nxt = t->snd.nxt,
            .advances = advances,
            .duplicate = duplicate,
            .echo_end_ns = t->ts && seg->opts.has_ts
                               ? timestamps_echo_end_ns(&t->timestamps, seg->opts.ts_ecr, now_ns)
                               : TIME_NEVER,
            .echo = tcp_ecn_told(t, seg),
            .news = news,
            .outstanding = outstanding,
            .wnd_max = t->snd.wnd_max,
            .srtt_ns = rto_srtt_ns(&t->rto),
            .now_ns = now_ns,
        };
        struct recovery_ack did = sack_recovery_ack(&b->sack_recovery, &b->cc, &ack);
        t->loss_probe = t->loss_probe && sack_recovery_probes(&b->sack_recovery);
        tell_refused(t);
        /* The CWR that has gone, or will not go, was for nothing: any mark is news. */
        if (did.undone)
            b->cwr = seq_sub(t->snd.una, 1);
        return did;
    }
    struct recovery *r = &b->recovery;
    struct recovery_ack did = {0};
    if (advances)
        did = recovery_new_ack(r, &b->cc, old_una, t->snd.una, t->snd.nxt);
    else if (duplicate) /* RFC 6298 5: what is sent again at once has an RTO's time for its ACK */
        did.restart_timer = recovery_dup_ack(r, &b->cc, t->snd.una, t->snd.nxt, now_ns);
    if (news)
        recovery_echo(r, &b->cc, outstanding, t->snd.una, t->snd.nxt, now_ns);
    did.grow = did.grow && !(recovery_is_whole(r->mode) && tcp_ecn_told(t, seg));
    return did;
}

/* RFC 3168 6.1.2: below a window of one SMSS the retransmission timer lets new text go. */
static void pause_new_text(struct tcb *t, uint64_t now_ns)
{
    t->busy->paused_ns = now_ns + tcb_rto_ns(t);
    if (seq_lt(t->snd.una, t->snd.nxt))
        tcp_timeout_arm_rtx(t, now_ns);
}

struct recovery_ack loss_acked(struct tcb *t, const struct seg *seg, seq_t old_una, bool duplicate,
                               uint64_t now_ns)
{
    bool news = seq_lt(old_una, t->snd.nxt) && tcp_ecn_news(t, seg);
    bool least = news && t->busy->cc.cwnd <= t->busy->cc.mss;
    struct recovery_ack did = acked(t, seg, old_una, duplicate, news, now_ns);
    if (least)
        pause_new_text(t, now_ns);
    t->dsack_dups += did.twice;
    return did;
}

void loss_timeout(struct tcb *t, bool first, uint64_t now_ns)
{
    struct busy *b = t->busy;
    if (loss_by_sack(t))
        sack_recovery_timeout(&b->sack_recovery, &b->cc, t->snd.una, t->snd.nxt, first,
                              rto_srtt_ns(&t->rto), now_ns);
    else
        recovery_timeout(&b->recovery, &b->cc, t->snd.una, t->snd.nxt, first, now_ns);
}

/* How long a peer may wait with the ACK of a single segment, as Linux has it (RFC 8985 7.2). */
#define MAX_ACK_DELAY_NS (200 * NS_PER_MS)

void loss_schedule_probe(struct tcb *t, uint64_t now_ns)
{
    if (!loss_by_sack(t))
        return;
    struct sack_recovery *s = &t->busy->sack_recovery;
    s->rack.pto_due_ns = TIME_NEVER;
    t->loss_probe = false;
    if (!t->common->config->loss_probes || !sack_recovery_probes(s) ||
        t->busy->rtx_due_ns == TIME_NEVER)
        return;
    const struct rack_now now = {
        .now_ns = now_ns,
        .srtt_ns = rto_srtt_ns(&t->rto),
        .mss = t->snd.mss,
    };
    rack_schedule_probe(&s->rack, &now, loss_flight(t), t->busy->rtx_due_ns, MAX_ACK_DELAY_NS);
}

void loss_tick(struct tcb *t, uint64_t now_ns)
{
    if (!loss_by_sack(t))
        return;
    struct sack_recovery *s = &t->busy->sack_recovery;
    if (s->rack.reo_due_ns <= now_ns)
        sack_recovery_reo_timeout(s, &t->busy->cc, t->snd.una, t->snd.nxt, rto_srtt_ns(&t->rto),
                                  now_ns);
    if (s->rack.pto_due_ns <= now_ns) {
        s->rack.pto_due_ns = TIME_NEVER;
        t->loss_probe = sack_recovery_probes(s) && rack_may_probe(&s->rack) &&
                        t->busy->rtx_due_ns != TIME_NEVER;
        if (t->loss_probe) /* RFC 8985 7.3: the last resort if the probe fails */
            tcp_timeout_arm_rtx(t, now_ns);
    }
}

uint64_t loss_deadline(const struct tcb *t)
{
    if (!loss_by_sack(t))
        return TIME_NEVER;
    const struct rack *r = &t->busy->sack_recovery.rack;
    return time_min(r->reo_due_ns, r->pto_due_ns);
}

void loss_resend(struct tcb *t)
{
    if (loss_by_sack(t))
        sack_recovery_resend(&t->busy->sack_recovery);
    else
        recovery_resend(&t->busy->recovery, t->snd.una, t->snd.nxt);
}

void loss_too_big(struct tcb *t)
{
    if (loss_by_sack(t))
        sack_recovery_too_big(&t->busy->sack_recovery, &t->busy->cc, t->snd.nxt);
    else
        recovery_too_big(&t->busy->recovery, &t->busy->cc, t->snd.una, t->snd.nxt);
}

void loss_begin(struct tcb *t, struct busy *b)
{
    b->cwr = seq_sub(t->snd.una, 1);
    recovery_init(&b->recovery, b->cwr);
    sack_recovery_init(&b->sack_recovery, t->common->mem, t->snd.una, t->common->config->recovery);
    rack_resume(&b->sack_recovery.rack, &t->cc_rest);
}

bool loss_forgets(const struct tcb *t)
{
    if (loss_by_sack(t))
        return sack_recovery_forgets(&t->busy->sack_recovery);
    return recovery_forgets(&t->busy->recovery, t->snd.una);
}

bool loss_unclear(const struct tcb *t)
{
    return loss_by_sack(t) && sack_recovery_unclear(&t->busy->sack_recovery);
}

void loss_rest(struct tcb *t)
{
    struct busy *b = t->busy;
    if (loss_by_sack(t))
        sack_recovery_rest(&b->sack_recovery, &b->cc, t->keepalive.heard_ns);
    cc_rest(&b->cc, &t->cc_rest);
    rack_rest(&b->sack_recovery.rack, &t->cc_rest);
    loss_end(b);
}

void loss_end(struct busy *b)
{
    sack_recovery_finish(&b->sack_recovery);
}

const char *loss_check(const struct tcb *t)
{
    const struct recovery *r = &t->busy->recovery;
    if (loss_by_sack(t)) {
        const struct scoreboard *b = &t->busy->sack_recovery.board;
        uint32_t outstanding = (uint32_t)seq_diff(t->snd.nxt, t->snd.una);
        return b->sacked + b->lost <= outstanding ? NULL : "no more is lost than was sent";
    }
    if (!seq_leq(r->nxt, r->end))
        return "the range to be sent again is in order";
    if (recovery_pending(r) && (seq_lt(r->nxt, t->snd.una) || seq_lt(t->snd.nxt, r->end)))
        return "only what is in flight is sent again";
    return NULL;
}
