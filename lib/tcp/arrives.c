/*
 * SEGMENT ARRIVES (RFC 9293 3.10.7) up to SYN-SENT: 3.10.7.2 LISTEN and 3.10.7.3 SYN-SENT; and the
 * SYN that finds TIME-WAIT (3.6.1). A
 * segment for no connection (3.10.7.1) is stack/'s and tcp_reset_answer()'s. Called by stack/.
 */
#include "arrives.h"

#include "ackin.h"
#include "ecn.h"
#include "minmax.h"
#include "output.h"
#include "pmtu.h"
#include "tcp.h"
#include "timeout.h"

/* The options of the peer's SYN: window scale, SACK-permitted, timestamps, and effective send MSS
 * (3.7.1, MUST-16). */
static void take_syn_options(struct tcb *t, const struct tcp_opts *opts)
{
    if (t->passive) {
        t->shift_offered = opts->has_wscale && t->common->config->window_scaling;
        t->sack = t->common->config->sack;
        t->ts = t->common->config->timestamps;
        t->ecn = t->common->config->ecn != TCP_ECN_OFF;
        t->rcvwnd.shift = rcvwnd_shift_for(t->rcvwnd.size_max);
    }
    if (opts->has_wscale && t->shift_offered) {
        t->snd.shift = opts->wscale > TCP_SHIFT_MAX ? TCP_SHIFT_MAX : opts->wscale;
    } else {
        t->shift_offered = false; /* in a SYN-ACK only as an answer (RFC 7323 2.2) */
        t->rcvwnd.shift = 0;
    }
    t->sack = t->sack && opts->has_sack_permitted; /* RFC 2018 2 */
    t->ts = t->ts && opts->has_ts;                 /* RFC 7323 3.2 */

    uint32_t mss = tcp_mss_default(&t->flow->remote);
    if (opts->has_mss)
        mss = max_u32(opts->mss, TCP_MSS_FLOOR);
    tcp_pmtu_limit(t, min_u32(mss, tcb_mss_max(t)));
}

static void take_syn(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    t->rcv.irs = seg->seq;
    t->rcv.nxt = seq_add(seg->seq, 1);
    take_syn_options(t, &seg->opts);
    tcp_ecn_take_syn(t, seg);
    timestamps_begin(&t->timestamps, seg->opts.ts_val, t->rcv.nxt, now_ns);
    if (!t->passive)
        rcvwnd_whole(&t->rcvwnd, t->pmtu.mss_max - tcb_options_len(t));
}

enum arrives_listen tcp_arrives_listen(const struct seg *seg)
{
    if (seg->flags & TCP_RST)
        return LISTEN_DROP;
    if (seg->flags & TCP_ACK)
        return LISTEN_ANSWER_RST;
    return seg->flags & TCP_SYN ? LISTEN_OPEN : LISTEN_DROP;
}

/* 3.10.7.2. Text that comes with the SYN is not kept: the peer sends it again. */
static enum arrives arrives_listen(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    switch (tcp_arrives_listen(seg)) {
    case LISTEN_DROP:
        return ARRIVES_DONE;
    case LISTEN_ANSWER_RST:
        return ARRIVES_ANSWER_RST;
    case LISTEN_OPEN:
        break;
    }
    take_syn(t, seg, now_ns);
    tcp_ackin_window(t, seg);
    tcp_timeout_expect(t, now_ns);
    state_set(t, STATE_SYN_RECEIVED, "SYN", now_ns);
    return ARRIVES_DONE;
}

/* 3.10.7.3 */
static enum arrives arrives_syn_sent(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    /* First, check the ACK bit. */
    bool has_ack = seg->flags & TCP_ACK;
    if (has_ack && (seq_leq(seg->ack, t->snd.iss) || seq_lt(t->snd.nxt, seg->ack)))
        return ARRIVES_ANSWER_RST; /* tcp_reset_answer() leaves a RST unanswered */

    /* Second, check the RST bit. Its SEG.SEQ cannot be checked (U-2): RCV.NXT is not known yet. */
    if (seg->flags & TCP_RST) {
        if (has_ack)
            state_fail(t, ERR_REFUSED, "RST in answer to SYN", now_ns);
        return ARRIVES_DONE;
    }

    /* Third, security: IP carries no compartments any more (RFC 9293 A.1). Fourth, the SYN bit. */
    if (!(seg->flags & TCP_SYN))
        return ARRIVES_DONE;
    take_syn(t, seg, now_ns);
    tcp_ackin_window(t, seg);
    if (!has_ack) {
        /* Simultaneous open (3.5, MUST-10): our SYN goes again, as SYN-ACK. */
        state_set(t, STATE_SYN_RECEIVED, "SYN crosses SYN", now_ns);
        tcp_arrives_hold(t, seg);
        recovery_resend(&t->busy->recovery, t->snd.una, t->snd.nxt);
        return ARRIVES_DONE;
    }
    tcp_ackin_syn_acked(t, seg, now_ns);
    state_set(t, STATE_ESTABLISHED, "SYN-ACK", now_ns);
    ackdelay_now(&t->ackdelay);
    return tcp_arrives_rest(t, seg, now_ns);
}

void tcp_answer_syn(struct tcb *t, seq_t iss, const struct seg *syn, struct seg *answer,
                    uint64_t now_ns)
{
    t->passive = true;
    t->snd.iss = iss;
    take_syn(t, syn, now_ns);
    tcp_syn_ack(t, answer, now_ns);
}

enum arrives tcp_arrives(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    t->segs_in += seg_packets(seg);
    switch (t->state) {
    case STATE_CLOSED:
        return ARRIVES_ANSWER_RST;
    case STATE_LISTEN:
        return arrives_listen(t, seg, now_ns);
    case STATE_SYN_SENT:
        return arrives_syn_sent(t, seg, now_ns);
    default:
        return tcp_arrives_sync(t, seg, now_ns);
    }
}

bool tcp_arrives_reopens(const struct tcb *t, const struct seg *seg)
{
    if (t->state != STATE_TIME_WAIT || (seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
        return false;
    bool later = seq_lt(t->rcv.nxt, seg->seq);
    if (!seg->opts.has_ts || !t->common->config->timestamps)
        return later;
    return !t->ts || timestamps_newer(&t->timestamps, seg->opts.ts_val) ||
           (later && seg->opts.ts_val == t->timestamps.recent);
}
