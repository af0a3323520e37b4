/*
 * The one function that decides the next segment (RFC 9293 3.7, 3.8.6.2.1): SYN, text sent again,
 * new text and FIN, window probes, pure ACKs, keep-alives, RST. Called by stack/ until it answers
 * false.
 */
#include "output.h"

#include "autocork.h"
#include "check.h"
#include "ecn.h"
#include "loss.h"
#include "minmax.h"
#include "pacing.h"
#include "pmtu.h"
#include "tcp.h"
#include "timeout.h"
#include "urgent.h"

/* RFC 7323 3.2: in every segment, once both have agreed; in a SYN before that, as an offer. */
static void stamp(struct tcb *t, struct seg *seg, uint64_t now_ns)
{
    if (!t->ts)
        return;
    seg->opts.has_ts = true;
    seg->opts.ts_val = timestamps_val(&t->timestamps, now_ns);
    seg->opts.ts_ecr = seg->flags & TCP_ACK ? t->timestamps.recent : 0;
    t->timestamps.last_ack_sent = seg->ack;
}

/* What every segment of a connection has in common. */
static void begin(struct tcb *t, struct seg *seg, uint8_t flags, seq_t at, uint64_t now_ns)
{
    seg->seq = at;
    seg->flags = flags & TCP_SYN ? flags | tcp_ecn_syn_flags(t) : flags | tcp_ecn_echo(t);
    seg->ecn = ECN_NOT_ECT;
    seg->n_text = 0;
    seg->text_len = 0;
    seg->gso_size = 0;
    seg->up = 0;
    seg->opts = (struct tcp_opts){0};
    seg->ack = flags & TCP_ACK ? t->rcv.nxt : seq(0);
    seg->wnd = 0;
    stamp(t, seg, now_ns);
}

/* wnd octets are announced. A passive connection holds no buffer before it is established. */
static void announced(struct tcb *t, uint32_t wnd)
{
    if (t->passive && !tcb_synchronized(t))
        rcvwnd_announced_syn(&t->rcvwnd, t->rcvq.head, wnd);
    else
        rcvwnd_announced(&t->rcvwnd, t->rcvq.start, t->rcvq.head, wnd);
    ackdelay_sent(&t->ackdelay);
}

/* RFC 2018 4 has the option in every ACK while something lies beyond a hole. Text of full size has
 * no room for it; the ACK for what came beyond a hole then goes by itself, before the text. */
static bool to_sack(const struct tcb *t)
{
    return loss_by_sack(t) && tcb_is_busy(t) && sack_any(&t->busy->sack, &t->rcvq.held->beyond);
}

static void put_sack(struct tcb *t, struct seg *seg)
{
    if (!to_sack(t))
        return;
    uint32_t packet = seg->gso_size ? seg->gso_size : seg->text_len;
    size_t room = TCP_HDR_MAX - tcp_hdr_len(seg);
    if (packet > 0)
        room = min_u32((uint32_t)room, t->snd.mss - min_u32(packet, t->snd.mss));
    bool twice = sack_any_twice(&t->busy->sack);
    unsigned most = 0;
    while (most < SACK_BLOCKS_MAX && tcp_sack_len(most + 1) <= room)
        most++;
    sack_report(&t->busy->sack, &t->rcvq.held->beyond, t->rcvq.head, tcb_text_head(t), most,
                &seg->opts);
    /* The receive queue holds text; a FIN that came with what lies there is SACKed with it, but has
     * not come twice with it. */
    for (unsigned i = twice; i < seg->opts.n_sack && t->fin_seen && !tcb_fin_taken(t); i++) {
        struct sack_block *b = &seg->opts.sack[i];
        if (seq_eq(b->right, t->rcv.fin))
            b->right = seq_add(b->right, 1);
    }
}

/* What every segment with ACK announces: the receive window, up to where text is urgent, and what
 * has come beyond a hole. It settles what ackdelay owes. */
static void announce(struct tcb *t, struct seg *seg)
{
    put_sack(t, seg);
    uint32_t wnd = rcvwnd_offer(&t->rcvwnd, t->rcvq.start, t->rcvq.head);
    seg->wnd = wnd >> t->rcvwnd.shift;
    tcp_urgent_point(t, seg);
    announced(t, wnd);
    if (to_sack(t) && sack_any_unreported(&t->busy->sack))
        ackdelay_now(&t->ackdelay); /* the other blocks need another ACK */
}

static void arm_rtx_unless_running(struct tcb *t, uint64_t now_ns)
{
    if (t->busy->rtx_due_ns == TIME_NEVER)
        tcp_timeout_arm_rtx(t, now_ns); /* RFC 6298 5.1 */
}

/* Its window is never scaled (RFC 7323 2.2). */
static void fill_syn(struct tcb *t, struct seg *seg, uint8_t flags, uint64_t now_ns)
{
    begin(t, seg, flags, t->snd.iss, now_ns);
    seg->opts.has_mss = true;
    seg->opts.mss = (uint16_t)(t->rcvwnd.mss < UINT16_MAX ? t->rcvwnd.mss : UINT16_MAX);
    seg->opts.has_wscale = t->shift_offered;
    seg->opts.has_sack_permitted = t->sack;
    seg->opts.wscale = t->rcvwnd.shift;
    seg->wnd = t->rcvwnd.size < UINT16_MAX ? t->rcvwnd.size : UINT16_MAX;
    announced(t, seg->wnd);
}

void tcp_syn_ack(struct tcb *t, struct seg *seg, uint64_t now_ns)
{
    fill_syn(t, seg, TCP_SYN | TCP_ACK, now_ns);
    t->snd.nxt = seq_add(t->snd.iss, 1);
    t->segs_out++;
}

/* SYN, or in SYN-RECEIVED SYN-ACK. */
static bool output_syn(struct tcb *t, struct seg *seg, uint64_t now_ns)
{
    bool again = !seq_eq(t->snd.nxt, t->snd.iss);
    if (again && !recovery_pending(&t->busy->recovery))
        return false;
    fill_syn(t, seg, TCP_SYN | (t->state == STATE_SYN_RECEIVED ? TCP_ACK : 0), now_ns);
    if (again) {
        t->resent++;
        rto_resent(&t->busy->timed, t->snd.iss, t->snd.nxt, t->ts, now_ns);
        recovery_resent(&t->busy->recovery, t->snd.nxt);
        TCB_TRACE(t, TRACE_RETRANSMIT, now_ns, .seq = t->snd.iss.v, .len = 1, .text = "SYN");
    } else {
        t->snd.nxt = seq_add(t->snd.iss, 1);
        rto_sent(&t->busy->timed, t->snd.nxt, now_ns);
    }
    arm_rtx_unless_running(t, now_ns);
    return true;
}

/* Most text in one segment from here on: a multiple of the MSS. An urgent pointer is for one packet
 * only: whoever cuts a super-segment up would give the same to all (Linux has none either then). */
static uint32_t segment_max(const struct tcb *t, seq_t from)
{
    uint32_t mss = t->snd.mss, super = min_u32(t->common->super_max, pacing_super_max(t));
    return super < mss || tcp_urgent_from(t, from) ? mss : super - super % mss;
}

/* Fills in a segment with `len` octets of text from `from`, and FIN when asked. The queue may lie
 * in more pieces than a segment can refer to: the segment is then shorter, and whole in MSS. */
static void fill(struct tcb *t, struct seg *seg, seq_t from, uint32_t len, bool fin,
                 uint64_t now_ns)
{
    begin(t, seg, TCP_ACK, from, now_ns);
    size_t at = (size_t)seq_diff(from, tcb_text_start(t));
    if (len > 0) {
        unsigned n;
        uint32_t got = (uint32_t)sndq_refs(&t->busy->sndq, at, len, seg->text, SEG_REFS_MAX, &n);
        if (got < len) {
            fin = false;
            if (got > t->snd.mss) {
                got -= got % t->snd.mss;
                sndq_refs(&t->busy->sndq, at, got, seg->text, SEG_REFS_MAX, &n);
            }
        }
        len = CHECK(got > 0) ? got : 0;
        seg->n_text = (uint8_t)n;
        seg->text_len = len;
        seg->gso_size = len > t->snd.mss ? (uint16_t)t->snd.mss : 0;
        if (at + len == t->busy->sndq.len && !t->more)
            seg->flags |= TCP_PSH; /* the last that is buffered (MUST-61) */
    }
    if (fin)
        seg->flags |= TCP_FIN;
    announce(t, seg);
}

/* Sends [from, ...) again: up to `max` octets of what has been sent, FIN included, and behind them
 * `more` octets of new text. */
static bool resend(struct tcb *t, struct seg *seg, seq_t from, uint32_t max, uint32_t more,
                   const char *why, uint64_t now_ns)
{
    seq_t end_text = t->fin_sent ? t->snd.fin : t->snd.nxt;
    uint32_t len = seq_lt(from, end_text) ? (uint32_t)seq_diff(end_text, from) : 0;
    bool fin = t->fin_sent && len < max;
    if (len > max)
        len = max;
    fill(t, seg, from, len + more, fin, now_ns);
    t->octets_resent += len < seg->text_len ? len : seg->text_len;
    loss_sent(t, from, seg_end(seg), t->snd.nxt, now_ns);
    if (seq_lt(t->snd.nxt, seg_end(seg)))
        t->snd.nxt = t->busy->small = seg_end(seg);
    t->resent += seg_packets(seg);
    rto_resent(&t->busy->timed, from, seg_end(seg), t->ts, now_ns);
    arm_rtx_unless_running(t, now_ns);
    TCB_TRACE(t, TRACE_RETRANSMIT, now_ns, .seq = from.v, .len = seg_len(seg), .text = why);
    return true;
}

/* New text that fits behind `again` octets of a last, small segment that is sent again: after a
 * window probe of one octet the text goes on in whole segments. */
static uint32_t fill_up(const struct tcb *t, uint32_t again, int32_t wnd_room)
{
    uint32_t more = t->snd.mss - again;
    uint32_t unsent = t->fin_sent ? 0 : (uint32_t)seq_diff(tcb_text_end(t), t->snd.nxt);
    uint32_t room = (uint32_t)wnd_room - again;
    if (more > unsent)
        more = unsent;
    return more < room ? more : room;
}

/* What recovery wants sent again, as far as congestion window and the peer's window let it. */
static bool output_again(struct tcb *t, struct seg *seg, const struct missing *m, uint64_t now_ns)
{
    uint32_t max = min_u32((uint32_t)seq_diff(m->end, m->from), segment_max(t, m->from));
    if (m->at_once) {
        max = min_u32(max, t->snd.mss);
    } else {
        uint32_t flight = loss_flight(t);
        uint32_t room = t->busy->cc.cwnd > flight ? t->busy->cc.cwnd - flight : 0;
        if (room < t->snd.mss && room < max)
            return false;
        if (max > room)
            max = room - room % t->snd.mss;
    }
    /* SHLD-16: what lies beyond a window that has shrunk waits; the timer comes back to it. */
    int32_t wnd_room = seq_diff(seq_add(t->snd.una, t->snd.wnd), m->from);
    if (wnd_room <= 0)
        return false;
    max = min_u32(max, (uint32_t)wnd_room);
    uint32_t more = seq_eq(m->end, t->snd.nxt) && max < t->snd.mss ? fill_up(t, max, wnd_room) : 0;
    t->last_sent_ns = now_ns;
    return resend(t, seg, m->from, max, more, m->why, now_ns);
}

/* Sends new text [SND.NXT, + len), and our FIN when asked. */
static bool send_new(struct tcb *t, struct seg *seg, uint32_t len, bool fin, uint64_t now_ns)
{
    fill(t, seg, t->snd.nxt, len, fin, now_ns);
    tcp_ecn_new_text(t, seg);
    if (seg->flags & TCP_FIN) {
        t->fin_sent = true;
        t->snd.fin = seq_add(t->snd.nxt, seg->text_len);
        if (t->state == STATE_CLOSE_WAIT)
            state_set(t, STATE_LAST_ACK, "FIN sent", now_ns);
    }
    loss_sent(t, t->snd.nxt, seg_end(seg), t->snd.nxt, now_ns);
    autocork_sent(t);
    t->snd.nxt = seg_end(seg);
    if (seg->text_len % t->snd.mss != 0)
        t->busy->small = t->snd.nxt;
    t->last_sent_ns = now_ns;
    rto_sent(&t->busy->timed, t->snd.nxt, now_ns);
    arm_rtx_unless_running(t, now_ns);
    loss_schedule_probe(t, now_ns);
    return true;
}

/* Less than a segment waits because the user wants it so: TCP_CORK, MSG_MORE (tcp(7), send(2)). */
static bool corked(const struct tcb *t)
{
    return t->held || (t->settings->cork && !t->flushed);
}

/* How much of `unsent` octets goes now, if any: windows, silly window avoidance (3.8.6.2.1) and
 * Nagle (3.7.4, in Minshall's variant, A.3). RFC 9293 3.7.4 has no exception for urgent data; Linux
 * does not hold it back; we do not because that is what it is urgent for. All text counts as PUSHed
 * but what is corked. */
static uint32_t decide(struct tcb *t, uint32_t unsent, uint32_t wnd_room, uint32_t cwnd_room,
                       uint64_t now_ns)
{
    uint32_t mss = t->snd.mss, most = segment_max(t, t->snd.nxt);
    uint32_t room = wnd_room < cwnd_room ? wnd_room : cwnd_room;
    if (unsent > room) {
        uint32_t len = room < most ? room : most;
        if (len >= mss)
            return len - len % mss;
        /* The window, not cwnd, is what bounds: half of the largest ever is worth sending, without
         * Nagle also while something is outstanding. */
        bool may = seq_eq(t->snd.una, t->snd.nxt) || t->settings->nodelay;
        bool half = wnd_room <= cwnd_room && len >= t->snd.wnd_max - t->snd.wnd_max / 2;
        return may && half ? len : 0;
    }
    if (unsent > most)
        return most;
    uint32_t tail = unsent % mss;
    bool small_outstanding = seq_lt(t->snd.una, t->busy->small);
    bool nagle = small_outstanding && !t->settings->nodelay;
    bool hurry = t->fin_queued || tcp_urgent_from(t, t->snd.nxt);
    if (!hurry && autocork_holds(t, unsent, most, now_ns))
        return 0;
    if (tail > 0 && (nagle || corked(t)) && !hurry)
        return unsent - tail;
    return unsent;
}

/* MUST-60: what is corked goes after so long all the same; as Linux (tcp(7)). */
#define CORKED_MAX_NS (200 * NS_PER_MS)

/* How long to wait when nothing is let out and no ACK will come: one RTO before a window that is
 * shut is probed (3.8.6.1), at most a second before a small one is used all the same (3.8.6.2.1
 * (4)). */
static uint64_t idle_delay(const struct tcb *t)
{
    uint64_t rto_ns = tcb_rto_ns(t);
    if (t->snd.wnd == 0)
        return rto_ns;
    return corked(t) ? CORKED_MAX_NS : time_min(rto_ns, NS_PER_S);
}

/* New text and FIN. */
static bool output_new(struct tcb *t, struct seg *seg, uint64_t now_ns)
{
    if (t->fin_sent)
        return false;
    uint32_t unsent = (uint32_t)seq_diff(tcb_text_end(t), t->snd.nxt);
    bool paused = t->busy->paused_ns != TIME_NEVER; /* new text is (RFC 3168 6.1.2), a FIN is not */
    if (unsent == 0 ? !t->fin_queued : paused)
        return false;
    tcp_pmtu_age(t, now_ns);
    bool idle = seq_eq(t->snd.una, t->snd.nxt);
    if (idle)
        tcp_timeout_silent(t, now_ns);
    int32_t wnd_left = seq_diff(seq_add(t->snd.una, t->snd.wnd), t->snd.nxt);
    uint32_t wnd_room = wnd_left > 0 ? (uint32_t)wnd_left : 0;
    uint32_t flight = loss_flight(t), cwnd = loss_cwnd(t);
    uint32_t cwnd_room = cwnd > flight ? cwnd - flight : 0;
    uint32_t len = unsent > 0 ? decide(t, unsent, wnd_room, cwnd_room, now_ns) : 0;
    /* A FIN is no load: it does not wait for cwnd. */
    bool fin = t->fin_queued && len == unsent && wnd_room > len;
    if (len > 0 || fin)
        persist_stop(&t->busy->persist);
    if (len > 0 && pacing_holds(t, now_ns))
        return false;
    if (len > 0 || fin)
        return send_new(t, seg, len, fin, now_ns);
    if (idle) /* no ACK will come and wake us */
        persist_start(&t->busy->persist, idle_delay(t), now_ns);
    return false;
}

/* The persist timer has run out: one octet goes whatever the window says (3.8.6.1), or as much as
 * the window takes when it is only small, or was not what held the text back. */
static bool output_probe(struct tcb *t, struct seg *seg, uint64_t now_ns)
{
    t->probe = false;
    bool in_flight = seq_lt(t->snd.una, t->snd.nxt);
    uint32_t unsent = (uint32_t)seq_diff(tcb_text_end(t), t->snd.nxt);
    if (!in_flight && unsent == 0 && !t->fin_queued) {
        persist_stop(&t->busy->persist); /* all was acknowledged after the timer had run out */
        return false;
    }
    t->more = t->held = false; /* it has waited long enough for more */
    if (t->snd.wnd > 0)
        persist_stop(&t->busy->persist); /* the retransmission timer takes over */
    else
        tcp_timeout_expect(t, now_ns);
    persist_probed(&t->busy->persist);
    if (in_flight)
        return resend(t, seg, t->snd.una, 1, 0, "window probe", now_ns);
    uint32_t len = t->snd.wnd > 0 ? t->snd.wnd : 1;
    if (len > t->snd.mss)
        len = t->snd.mss;
    if (len > unsent)
        len = unsent;
    uint64_t sent_ns = t->snd.wnd > 0 ? now_ns : t->last_sent_ns;
    send_new(t, seg, len, len == 0, now_ns);
    t->last_sent_ns = sent_ns;
    return true;
}

/* RFC 8985 7.3: new text if there is some, or the last segment again. */
static bool output_loss_probe(struct tcb *t, struct seg *seg, uint64_t now_ns)
{
    t->loss_probe = false;
    if (seq_eq(t->snd.una, t->snd.nxt))
        return false;
    struct rack *rack = &t->busy->sack_recovery.rack;
    bool none = t->fin_sent || t->busy->paused_ns != TIME_NEVER;
    uint32_t unsent = none ? 0 : (uint32_t)seq_diff(tcb_text_end(t), t->snd.nxt);
    int32_t wnd_room = seq_diff(seq_add(t->snd.una, t->snd.wnd), t->snd.nxt);
    uint32_t len = min_u32(unsent, t->snd.mss);
    if (len > 0 && wnd_room >= (int32_t)len) {
        send_new(t, seg, len, false, now_ns);
        rack_probed(rack, t->snd.nxt, 0, now_ns);
    } else {
        seq_t from = seq_max(t->snd.una, seq_sub(t->snd.nxt, t->snd.mss));
        t->last_sent_ns = now_ns;
        resend(t, seg, from, t->snd.mss, 0, "loss probe", now_ns);
        rack_probed(rack, t->snd.nxt, (uint32_t)seq_diff(t->snd.nxt, from), now_ns);
    }
    rack->pto_due_ns = TIME_NEVER;
    return true;
}

static bool output_text(struct tcb *t, struct seg *seg, uint64_t now_ns)
{
    struct missing m;
    bool any = t->probe              ? output_probe(t, seg, now_ns)
               : t->loss_probe       ? output_loss_probe(t, seg, now_ns)
               : loss_missing(t, &m) ? output_again(t, seg, &m, now_ns)
                                     : output_new(t, seg, now_ns);
    if (any) {
        pacing_sent(t, seg->text_len, now_ns);
        if (loss_flight(t) + t->snd.mss > t->busy->cc.cwnd)
            t->busy->full = t->snd.nxt;
    }
    return any;
}

/* RFC 9293 has <SEQ=SND.NXT> in pure ACKs and in RST. Beyond the window, where a probe of a shut
 * one leaves SND.NXT, the peer would find that unacceptable and throw the segment away; Linux then
 * takes the window's right edge, and so do we. No window keeps out the SYN, which may be what is
 * not acknowledged: the state does not tell, as a RST leaves in CLOSED. */
static seq_t heard_seq(const struct tcb *t)
{
    bool syn_unacked = seq_eq(t->snd.una, t->snd.iss) && t->octets_acked == 0;
    return syn_unacked ? t->snd.nxt : seq_min(t->snd.nxt, seq_add(t->snd.una, t->snd.wnd));
}

static bool output_ack(struct tcb *t, struct seg *seg, uint64_t now_ns)
{
    begin(t, seg, TCP_ACK, heard_seq(t), now_ns);
    announce(t, seg);
    return true;
}

/* 3.10.5, where the RST has no ACK. Linux and BSD give it one, and so do we: who looks on sees what
 * has arrived. The peer looks at SEG.SEQ only (RFC 5961 3.2). */
static void output_rst(struct tcb *t, struct seg *seg, uint64_t now_ns)
{
    begin(t, seg, TCP_RST | TCP_ACK, heard_seq(t), now_ns);
    seg->wnd = rcvwnd_again(&t->rcvwnd, t->rcvq.head) >> t->rcvwnd.shift;
}

/* 3.8.4: what the peer has acknowledged already makes it answer. No text (SHLD-12). The peer throws
 * the segment away, so it settles nothing, and tells no window but what was told before. */
static bool output_keepalive(struct tcb *t, struct seg *seg, uint64_t now_ns)
{
    if (!tcp_timeout_keepalive(t, now_ns))
        return false;
    keepalive_probed(&t->keepalive, now_ns);
    begin(t, seg, TCP_ACK, seq_sub(t->snd.nxt, 1), now_ns);
    seg->wnd = rcvwnd_again(&t->rcvwnd, t->rcvq.head) >> t->rcvwnd.shift;
    return true;
}

static bool output_any(struct tcb *t, struct seg *seg, uint64_t now_ns)
{
    if (t->reset_peer) {
        t->reset_peer = false;
        output_rst(t, seg, now_ns);
        return true;
    }
    switch (t->state) {
    case STATE_CLOSED:
    case STATE_LISTEN:
        return false;
    case STATE_SYN_SENT:
        return output_syn(t, seg, now_ns);
    case STATE_SYN_RECEIVED:
        if (output_syn(t, seg, now_ns))
            return true;
        break;
    case STATE_FIN_WAIT_2:
    case STATE_TIME_WAIT:
        break;
    default:
        /* Duplicate ACKs go by themselves: with text the peer would not count them (RFC 5681 2). */
        if (t->ackdelay.owed > 1 || (t->ackdelay.owed > 0 && to_sack(t)))
            return output_ack(t, seg, now_ns);
        if (output_text(t, seg, now_ns))
            return true;
        /* No text can go: the peer learns all the same that some of it is urgent. */
        if (t->up_news)
            return output_ack(t, seg, now_ns);
        break;
    }
    if (ackdelay_due(&t->ackdelay, t->busy->ack_due_ns, now_ns))
        return output_ack(t, seg, now_ns);
    return output_keepalive(t, seg, now_ns);
}

bool tcp_output(struct tcb *t, struct seg *seg, uint64_t now_ns)
{
    bool any = output_any(t, seg, now_ns);
    t->segs_out += any ? seg_packets(seg) : 0;
    return any;
}
