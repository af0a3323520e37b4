/*
 * What an acceptable ACK does to the sender: step five of RFC 9293 3.10.7.4 in detail, with RFC
 * 6298 5.2-3, RFC 5681 and RFC 6582. Called by arrives.c and arrives_sync.c. State changes that
 * follow from our FIN being acknowledged are arrives_sync.c's.
 */
#include "ackin.h"

#include "loss.h"
#include "minmax.h"
#include "pmtu.h"
#include "timeout.h"

void tcp_ackin_window(struct tcb *t, const struct seg *seg)
{
    t->snd.wnd = seg->flags & TCP_SYN ? seg->wnd : seg->wnd << t->snd.shift;
    if (t->snd.wnd > t->snd.wnd_max)
        t->snd.wnd_max = t->snd.wnd;
    t->snd.wl1 = seg->seq;
    t->snd.wl2 = seg->ack;
}

/* RFC 7323 4.1: only a segment that advances SND.UNA is asked. */
static uint64_t echoed_rtt_ns(const struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    return t->ts ? timestamps_rtt_ns(&t->timestamps, seg->opts.ts_ecr, now_ns) : 0;
}

void tcp_ackin_syn_acked(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    rto_acked(&t->rto, &t->busy->timed, seg->ack, echoed_rtt_ns(t, seg, now_ns),
              t->common->config->rto_min_ns, now_ns);
    if (t->syn_timed_out)
        rto_after_syn(&t->rto);
    t->snd.una = seq_add(t->snd.iss, 1);
    t->snd.up = seq_max(t->snd.up, t->snd.una);
    t->busy->retries = 0;
    t->in_trouble = false;
    t->busy->rtx_due_ns = TIME_NEVER;
    loss_begin(t, t->busy);
    cc_init(&t->busy->cc, t->settings->cc, t->snd.mss, t->syn_timed_out);
    tcp_timeout_progress(t, now_ns);
}

/* Whether what is acknowledged now was in flight while cwnd was in use: a window that was not says
 * nothing about the path, and does not grow. RFC 9438 5.8 wants all of it to have been in flight.
 * In slow start Linux is content with half of it, for who sends in bursts, and so are we. */
static bool cwnd_used(const struct tcb *t, uint32_t flight)
{
    if (seq_lt(t->snd.una, t->busy->full))
        return true;
    return t->busy->cc.cwnd < t->busy->cc.ssthresh && flight >= t->busy->cc.cwnd / 2;
}

/* What cwnd lets out in a round trip has to be in the queue, and what comes after it: as Linux has
 * it, twice as much, once cwnd is what holds text back, or the queue itself, or else cwnd would
 * never come into use. But on a short path, where memory is what is slow, what is in flight while
 * round trips are longer than the least stands in queues: three times what the path itself holds is
 * enough to keep these full, and more would only be colder when its turn comes. */
static uint32_t sndbuf_wanted(const struct tcb *t)
{
    uint64_t wanted = UINT64_C(2) * t->busy->cc.cwnd;
    uint64_t least_ns = loss_min_rtt_ns(t), srtt_ns = rto_srtt_ns(&t->rto);
    if (pacing_at_once(t) && least_ns > 0 && srtt_ns > least_ns)
        wanted =
            min_u64(wanted, wanted * 3 / 2 * (least_ns / NS_PER_US) / (srtt_ns / NS_PER_US + 1));
    return (uint32_t)min_u64(wanted, t->common->config->sndbuf_max);
}

/* Where round trips are short, what is queued is gone at once, and a queue that runs empty before
 * its user has come back costs more than its memory. */
#define SNDBUF_NEAR (1024u * 1024u)

/* The user would fill the windows, and the queue is too small for it. */
static bool sndbuf_holds(const struct tcb *t)
{
    return !tcb_has_room(t) && tcb_sndbuf(t) < min_u32(t->busy->cc.cwnd, t->snd.wnd);
}

static void grow_sndbuf(struct tcb *t)
{
    bool held = seq_lt(t->snd.una, t->busy->full) || sndbuf_holds(t);
    uint32_t wanted = held ? sndbuf_wanted(t) : 0;
    if (pacing_at_once(t))
        wanted = max_u32(wanted, min_u32(SNDBUF_NEAR, t->common->config->sndbuf_max));
    t->busy->sndbuf = max_u32(t->busy->sndbuf, wanted);
}

/* What did.delivered says opens the window; rtt_ns: a sample, or 0. */
static void grow_cwnd(struct tcb *t, const struct recovery_ack *did, bool used, uint64_t rtt_ns,
                      uint64_t now_ns)
{
    const struct cc_ack news = {
        .octets = did->delivered,
        .used = used,
        .paced = pacing_spreads(t),
        .una = t->snd.una,
        .nxt = t->snd.nxt,
        .rtt_ns = rtt_ns,
        .srtt_ns = rto_srtt_ns(&t->rto),
        .now_ns = now_ns,
    };
    if (did->grow)
        t->busy->cc.ops->acked(&t->busy->cc, &news);
}

/* SND.UNA moves to SEG.ACK. */
static void advance(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    seq_t old_una = t->snd.una, ack = seg->ack;
    bool used = cwnd_used(t, loss_flight(t));
    uint32_t octets = (uint32_t)seq_diff(ack, old_una);
    t->snd.una = ack;
    uint32_t text = octets - (uint32_t)tcb_fin_acked(t);
    grow_sndbuf(t);
    sndq_acked(&t->busy->sndq, text);
    t->octets_acked += text;
    if (text > 0 && tcb_has_room(t))
        t->events |= TCB_EV_ACKED;
    t->busy->small = seq_max(t->busy->small, ack);
    t->busy->full = seq_max(t->busy->full, ack);
    t->snd.up = seq_max(t->snd.up, ack);
    t->busy->up_from = seq_max(t->busy->up_from, ack);
    t->busy->cwr = seq_max(t->busy->cwr, seq_sub(ack, 1));
    bool r1 = t->busy->retries >= t->common->config->r1;
    t->busy->retries = 0;
    t->in_trouble = false;
    t->held = false; /* whoever meant to send more has had a round trip for it */

    bool timed = rto_acked(&t->rto, &t->busy->timed, ack, echoed_rtt_ns(t, seg, now_ns),
                           t->common->config->rto_min_ns, now_ns);
    struct recovery_ack did = loss_acked(t, seg, old_una, false, now_ns);
    if (did.undone && r1)
        tcp_pmtu_got_through(t);
    grow_cwnd(t, &did, used, timed ? now_ns - t->busy->timed.at_ns : did.rtt_ns, now_ns);

    if (seq_eq(ack, t->snd.nxt) && t->busy->sndq.len == 0) {
        persist_stop(&t->busy->persist);
        t->probe = false;
    }
    if (seq_eq(ack, t->snd.nxt))
        t->busy->rtx_due_ns = TIME_NEVER; /* RFC 6298 5.2 */
    else if (did.restart_timer)
        tcp_timeout_arm_rtx(t, now_ns); /* RFC 6298 5.3 */
    loss_schedule_probe(t, now_ns);
    tcp_timeout_progress(t, now_ns);
}

/* RFC 5681 2: what counts as a duplicate ACK, where something is outstanding or a probe was (RFC
 * 8985 7.4.2). One that answers a window probe does not. */
static bool is_duplicate(const struct tcb *t, const struct seg *seg)
{
    return seq_eq(seg->ack, t->snd.una) && seg_len(seg) == 0 && t->snd.wnd > 0 &&
           seg->wnd << t->snd.shift == t->snd.wnd;
}

bool tcp_ackin_overtaken(const struct tcb *t, const struct seg *seg)
{
    return (seg->flags & TCP_ACK) && seq_eq(seg->seq, t->rcv.nxt) && is_duplicate(t, seg) &&
           timestamps_age(&t->timestamps, seg->opts.ts_val) <= tcb_rto_ns(t) / NS_PER_MS;
}

/* The peer's window has opened after it was probed: what it may have thrown away goes again. While
 * the retransmission timer still runs that is the timer's business, or a peer could make us send a
 * window again and again by shutting and opening its own. */
static void window_opened(struct tcb *t, uint64_t now_ns)
{
    if (!persist_on(&t->busy->persist))
        return;
    persist_stop(&t->busy->persist);
    t->probe = false;
    tcp_timeout_silent(t, now_ns); /* a probe may be in flight, and is no load */
    if (seq_lt(t->snd.una, t->snd.nxt)) {
        loss_resend(t);
        tcp_timeout_arm_rtx(t, now_ns);
    }
}

/* SND.UNA stays: a duplicate ACK, or nothing but SACK blocks. What these tell opens the window only
 * where text is known to arrive in another order than it was sent in, as in Linux: elsewhere it is
 * the sign of a loss, at which cwnd does not grow (RFC 5681 3.2). On such a path most ACKs are like
 * that. Their round trips are as good as any. */
static void repeated(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    bool used = cwnd_used(t, loss_flight(t));
    struct recovery_ack did = loss_acked(t, seg, t->snd.una, is_duplicate(t, seg), now_ns);
    if (did.delivered > 0)
        grow_cwnd(t, &did, used && loss_reorders(t), did.rtt_ns, now_ns);
    if (did.restart_timer)
        tcp_timeout_arm_rtx(t, now_ns);
}

/* When all is acknowledged: a D-SACK (RFC 2883 4), or what may tell of a probe (RFC 8985 7.4.2). */
static bool tells_more(const struct tcb *t, const struct seg *seg)
{
    return tcb_is_busy(t) && loss_by_sack(t) && (seg->opts.n_sack > 0 || loss_unclear(t));
}

void tcp_ackin(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    if (seq_lt(seg->ack, t->snd.una))
        return; /* an old duplicate */
    if (persist_on(&t->busy->persist)) {
        persist_heard(&t->busy->persist);
        t->in_trouble = false;
    }
    bool advances = seq_lt(t->snd.una, seg->ack);
    if (advances)
        advance(t, seg, now_ns);
    else if (seq_lt(t->snd.una, t->snd.nxt) || tells_more(t, seg))
        repeated(t, seg, now_ns);

    /* RFC 9293 takes the window by SND.WL1 and SND.WL2 only. A segment that was sent again has an
     * old SEG.SEQ and a new SEG.ACK: were its window refused, SND.UNA + SND.WND would move right by
     * what it acknowledges, beyond what the peer has ever offered. Linux takes the window with
     * every ACK that advances; so do we. */
    bool was_shut = t->snd.wnd == 0;
    if (advances || seq_lt(t->snd.wl1, seg->seq) ||
        (seq_eq(t->snd.wl1, seg->seq) && seq_leq(t->snd.wl2, seg->ack)))
        tcp_ackin_window(t, seg);
    if (was_shut && t->snd.wnd > 0)
        window_opened(t, now_ns);
    /* A peer that answers is alive, however long its window is shut (MUST-37) or keeps out what was
     * sent before it shrank (SHLD-17). Without a user only progress counts: nobody is left to end
     * it, and a peer could hold our memory for ever (RFC 6429). Nor against a limit that the user
     * has set for this connection: RFC 6429 4 leaves that to the user, and TCP_USER_TIMEOUT has it
     * so (tcp(7)). */
    if (t->orphan || t->settings->user_timeout_ms > 0)
        return;
    if (t->snd.wnd < (uint32_t)seq_diff(t->snd.nxt, t->snd.una) || persist_on(&t->busy->persist))
        tcp_timeout_progress(t, now_ns);
}
