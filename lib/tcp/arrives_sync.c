/*
 * SEGMENT ARRIVES in SYN-RECEIVED and all later states: the eight steps of RFC 9293 3.10.7.4, one
 * function each, in order. Called by arrives.c. What an ACK does to the sender is ackin.c's.
 */
#include "arrives.h"

#include "ackin.h"
#include "ecn.h"
#include "loss.h"
#include "reset.h"
#include "urgent.h"

enum step {
    GO_ON,
    DROP,
    ANSWER_RST,
    ONLY_ACK, /* nothing but the ACK field counts */
};

/* First, check sequence number: the four cases of the RFC's table. */
static bool acceptable(const struct tcb *t, const struct seg *seg)
{
    uint32_t wnd = tcb_rcv_wnd(t), len = seg_len(seg);
    seq_t nxt = t->rcv.nxt, edge = seq_add(nxt, wnd);
    if (len == 0) {
        /* RFC 9293 has SEG.SEQ < the edge for a window that is open; Linux also takes the edge, and
         * so do we: a peer that has filled our window sends its ACKs from there, and to ignore them
         * would stop our sending until its retransmission gets through. */
        bool rst = seg->flags & TCP_RST;
        return seq_in(seg->seq, nxt, seq_add(edge, !rst || wnd == 0));
    }
    if (wnd == 0)
        return false;
    return seq_in(seg->seq, nxt, edge) || seq_in(seq_sub(seg_end(seg), 1), nxt, edge);
}

/* What the peer sends again ends at RCV.NXT, and has its newest ACK. RFC 9293 throws that away with
 * the rest; Linux and BSD take it, and so do we. */
static bool is_sent_again(const struct tcb *t, const struct seg *seg)
{
    return tcb_synchronized(t) && seg_len(seg) > 0 && seq_eq(seg_end(seg), t->rcv.nxt) &&
           !(seg->flags & TCP_SYN);
}

/* RFC 7323 5.3 R3, once both numbers are acceptable: a guess at one must not end the connection. */
static void take_timestamp(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    if (t->ts && seg->opts.has_ts)
        timestamps_arrived(&t->timestamps, seg->opts.ts_val, seg->seq, now_ns);
}

/* RFC 5961 4.2, within its budget. */
static void challenge_syn(struct tcb *t, uint64_t now_ns)
{
    tcp_reset_challenge(t, now_ns);
    if (tcb_is_busy(t))
        t->busy->challenged_ns = now_ns;
}

/* Text below RCV.NXT is here already: RFC 2883 has the next ACK say so. What is older than the
 * stream is of an earlier connection, and never was. */
static void note_twice(struct tcb *t, const struct seg *seg)
{
    seq_t from = seg_text_start(seg), head = tcb_text_head(t);
    seq_t end = seq_min(seq_add(from, seg->text_len), head);
    if (!loss_tells_twice(t) || !tcb_is_busy(t) || !seq_lt(from, end))
        return;
    uint32_t back = (uint32_t)seq_diff(head, from);
    if (back <= t->rcvq.head)
        sack_twice(&t->busy->sack, t->rcvq.head - back,
                   t->rcvq.head - (uint32_t)seq_diff(head, end));
}

/* What is not acceptable is answered with an ACK. */
static void answer_unacceptable(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    /* Without text within a limit: two stacks could answer each other's ACKs for ever. A SYN is
     * challenged (RFC 5961 4.2), but for the peer's SYN,ACK again, whose ACK was lost. */
    bool syn_ack_again = (seg->flags & TCP_ACK) && seq_eq(seg->seq, t->rcv.irs);
    if ((seg->flags & TCP_SYN) && !syn_ack_again) {
        challenge_syn(t, now_ns);
    } else if (seg_len(seg) > 0) {
        note_twice(t, seg);
        ackdelay_now(&t->ackdelay);
    } else if (seq_eq(seg->seq, seq_sub(t->rcv.nxt, 1))) {
        keepalive_heard(&t->keepalive, now_ns); /* the peer's keep-alive tells as much as it asks */
        tcp_reset_answer_probe(t, now_ns);
    } else {
        tcp_reset_challenge(t, now_ns);
    }
}

/* RFC 7323 5.3 R1, and 3.2, come before anything else. A SYN without timestamps is a new
 * connection's; as any it is to learn that there is an old one (RFC 5961 4.2). */
static enum step first_timestamp(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    if (!t->ts || (seg->flags & TCP_RST)) /* 5.2: a RST is never too old */
        return GO_ON;
    if (seg->opts.has_ts && timestamps_outdated(&t->timestamps, seg->opts.ts_val, now_ns) &&
        !tcp_ackin_overtaken(t, seg))
        answer_unacceptable(t, seg, now_ns);
    else if (seg->opts.has_ts || (seg->flags & TCP_SYN))
        return GO_ON;
    return DROP;
}

/* A segment outside of the window. A RST is not answered. */
static enum step unacceptable(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    if (seg->flags & TCP_RST)
        return DROP;
    if (t->state == STATE_TIME_WAIT && (seg->flags & TCP_FIN) && seq_eq(seg_end(seg), t->rcv.nxt))
        t->linger_due_ns = now_ns + 2 * t->common->config->msl_ns; /* its FIN again: eighth step */
    answer_unacceptable(t, seg, now_ns);
    return is_sent_again(t, seg) ? ONLY_ACK : DROP;
}

/* The peer's SYN again, so our SYN-ACK was lost. RFC 9293 answers with an ACK, which a peer in
 * SYN-SENT throws away; Linux sends the SYN-ACK again, and so do we. */
static bool is_syn_again(const struct tcb *t, const struct seg *seg)
{
    return t->state == STATE_SYN_RECEIVED && seq_eq(seg->seq, t->rcv.irs) &&
           (seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

static enum step first_sequence(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    if (is_syn_again(t, seg)) {
        take_timestamp(t, seg, now_ns);
        tcp_ecn_take_syn(t, seg);
        recovery_resend(&t->busy->recovery, t->snd.una, t->snd.nxt);
        return DROP;
    }
    if (acceptable(t, seg))
        return GO_ON;
    if (tcb_rcv_wnd(t) == 0 && seq_eq(seg->seq, t->rcv.nxt)) {
        /* A shut window still lets ACK, URG and RST in (MUST-66); the text is cut off in the
         * seventh step, and the ACK tells the window. */
        if (!(seg->flags & TCP_RST))
            ackdelay_now(&t->ackdelay);
        return GO_ON;
    }
    return unacceptable(t, seg, now_ns);
}

/* Whether a RST may well be what the peer has to say to a challenge. */
static bool answers_a_challenge(const struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    return seq_eq(seg->seq, t->rcv.nxt) && t->busy->challenged_ns > 0 &&
           now_ns - t->busy->challenged_ns <= tcb_rto_ns(t);
}

/* Second, check the RST bit: RFC 5961 3.2 as RFC 9293 has taken it over. */
static enum step second_rst(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    if (!(seg->flags & TCP_RST))
        return GO_ON;
    if (t->state == STATE_TIME_WAIT) {
        /* RFC 9293 deletes the TCB; RFC 1337 3 (F1) shows how an old RST then lets old text into a
         * new connection, and ignores it here. So do we, but for the answer to a challenge, which
         * is not old: the peer wants to open a new connection with a number that can't reopen this
         * one (MAY-2), and would have to wait. */
        if (answers_a_challenge(t, seg, now_ns))
            state_set(t, STATE_CLOSED, "RST: the peer opens a new connection", now_ns);
        return DROP;
    }
    if (seq_lt(seg->seq, t->rcv.nxt))
        return DROP; /* what it carries reaches into the window; its number has to */
    if (!seq_eq(seg->seq, t->rcv.nxt)) {
        tcp_reset_challenge(t, now_ns);
        return DROP;
    }
    /* RFC 9293 has no word for the user in CLOSING and LAST-ACK, who has closed; Linux and BSD say
     * "reset". So do we: one who has only shut down may want to know that the peer has not
     * acknowledged the end (MUST-12). */
    if (t->state != STATE_SYN_RECEIVED)
        state_fail(t, ERR_RESET, "RST", now_ns);
    else if (t->passive)
        state_set(t, STATE_CLOSED, "RST: back to LISTEN", now_ns);
    else
        state_fail(t, ERR_REFUSED, "RST", now_ns);
    return DROP;
}

/* Third, check security: IP carries no compartments any more (RFC 9293 A.1), so there is no third
 * function. Fourth, check the SYN bit: RFC 5961 4.2. */
static enum step fourth_syn(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    if (!(seg->flags & TCP_SYN))
        return GO_ON;
    if (t->state == STATE_SYN_RECEIVED && t->passive && !seq_lt(seg->seq, t->rcv.nxt))
        state_set(t, STATE_CLOSED, "SYN in the window: back to LISTEN", now_ns);
    else
        challenge_syn(t, now_ns);
    return DROP;
}

/* 3.6.1, SHLD-3: nobody will read this text, and the peer must learn it. As from CLOSED (3.10.7.1):
 * with SEQ=SEG.ACK, which it takes although our FIN may have been lost. */
static enum step refuse_text(struct tcb *t, uint64_t now_ns)
{
    state_fail(t, ERR_ABORTED, "text after the user has left", now_ns);
    return ANSWER_RST;
}

/* `len` octets of text have been taken, in packets of so many. */
static void acknowledge(struct tcb *t, uint32_t len, uint32_t packet_len, uint64_t now_ns)
{
    if (ackdelay_text(&t->ackdelay, len, packet_len))
        t->busy->ack_due_ns = now_ns + ackdelay_max(t->common->config->ack_delay_ns);
}

/* The text that came with the peer's SYN. */
static enum step release_text(struct tcb *t, uint64_t now_ns)
{
    uint32_t len = rcvq_release(&t->rcvq);
    if (len == 0)
        return GO_ON;
    if (t->orphan)
        return refuse_text(t, now_ns);
    t->rcv.nxt = seq_add(t->rcv.nxt, len);
    acknowledge(t, len, len, now_ns);
    t->events |= TCB_EV_ARRIVED;
    return GO_ON;
}

/* A passive connection has its buffer from here on. */
static void open_window(struct tcb *t)
{
    uint64_t head = t->rcvq.head;
    rcvwnd_whole(&t->rcvwnd, t->pmtu.mss_max - tcb_options_len(t));
    rcvwnd_announced(&t->rcvwnd, t->rcvq.start, head, rcvwnd_again(&t->rcvwnd, head));
}

/* SYN-RECEIVED: the ACK that completes the handshake. */
static enum step establish(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    if (!seq_lt(t->snd.una, seg->ack) || seq_lt(t->snd.nxt, seg->ack))
        return ANSWER_RST;
    take_timestamp(t, seg, now_ns);
    tcp_ackin_syn_acked(t, seg, now_ns);
    open_window(t);
    state_set(t, STATE_ESTABLISHED, "our SYN is acknowledged", now_ns);
    if (t->fin_queued)
        state_set(t, STATE_FIN_WAIT_1, "CLOSE, which was queued", now_ns);
    return release_text(t, now_ns);
}

/* RFC 9293 acknowledges a FIN in TIME-WAIT, and has no word for anything else that lies in the
 * window; Linux and BSD acknowledge all but what says nothing new. So do we: a peer that is in
 * another connection learns of this one. */
static void answer_in_time_wait(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    if (seg_len(seg) > 0)
        ackdelay_now(&t->ackdelay);
    else if (!seq_eq(seg->seq, t->rcv.nxt))
        tcp_reset_challenge(t, now_ns);
}

/* Fifth, check the ACK field. */
static enum step fifth_ack(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    if (!(seg->flags & TCP_ACK))
        return DROP;
    if (t->state == STATE_SYN_RECEIVED)
        return establish(t, seg, now_ns);
    if (seq_lt(t->snd.nxt, seg->ack) ||
        seq_lt(seg->ack, seq_sub(t->snd.una, t->snd.wnd_max))) { /* RFC 5961 5.2, MAY-12 */
        tcp_reset_challenge(t, now_ns);
        return DROP;
    }
    take_timestamp(t, seg, now_ns);
    keepalive_heard(&t->keepalive, now_ns);
    tcp_ackin(t, seg, now_ns);
    if (!tcb_fin_acked(t))
        return t->state == STATE_CLOSING || t->state == STATE_LAST_ACK ? DROP : GO_ON;
    switch (t->state) {
    case STATE_FIN_WAIT_1:
        state_set(t, STATE_FIN_WAIT_2, "our FIN is acknowledged", now_ns);
        return GO_ON;
    case STATE_CLOSING:
        state_set(t, STATE_TIME_WAIT, "our FIN is acknowledged", now_ns);
        return DROP;
    case STATE_LAST_ACK:
        state_set(t, STATE_CLOSED, "our FIN is acknowledged", now_ns);
        return DROP;
    case STATE_TIME_WAIT:
        answer_in_time_wait(t, seg, now_ns);
        return DROP;
    default:
        return GO_ON;
    }
}

/* Sixth, check the URG bit. */
static enum step sixth_urg(struct tcb *t, const struct seg *seg)
{
    if (!(seg->flags & TCP_URG) || !tcb_receives(t) || tcp_urgent_arrives(t, seg))
        return GO_ON;
    /* Text that is taken without its mark would not be urgent any more: it comes again. */
    ackdelay_now(&t->ackdelay);
    return DROP;
}

/* The segment's text cut to what may be taken: from RCV.NXT on, up to the window's edge or the FIN.
 * Returns the octets left; *at is the stream offset of the first. */
static uint32_t cut_text(const struct tcb *t, const struct seg *seg, struct bytes *text,
                         unsigned *n, uint64_t *at)
{
    seq_t text_start = seg_text_start(seg), start = seq_max(text_start, t->rcv.nxt);
    seq_t end = seq_min(seq_add(text_start, seg->text_len), seq_add(t->rcv.nxt, tcb_rcv_wnd(t)));
    if (t->fin_seen)
        end = seq_min(end, t->rcv.fin);
    *n = 0;
    if (!seq_lt(start, end))
        return 0;
    uint32_t skip = (uint32_t)seq_diff(start, text_start), len = (uint32_t)seq_diff(end, start);
    *at = tcb_stream_offset(t, start);
    uint32_t left = len;
    for (unsigned i = 0; i < seg->n_text && left > 0; i++) {
        struct bytes piece = seg->text[i];
        uint32_t cut = skip < piece.len ? skip : (uint32_t)piece.len;
        skip -= cut;
        piece.ptr += cut;
        piece.len -= cut;
        if (piece.len > left)
            piece.len = left;
        if (piece.len > 0)
            text[(*n)++] = piece;
        left -= (uint32_t)piece.len;
    }
    return len;
}

void tcp_arrives_hold(struct tcb *t, const struct seg *seg)
{
    struct bytes text[SEG_REFS_MAX];
    unsigned n;
    uint64_t at;
    if (cut_text(t, seg, text, &n, &at) > 0 && !rcvq_hold(&t->rcvq, t->common->mem, text, n))
        t->no_room = true;
}

/* Seventh, process the segment text. */
static enum step seventh_text(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    if (seg->text_len == 0 || !tcb_receives(t))
        return GO_ON;
    struct bytes text[SEG_REFS_MAX];
    unsigned n;
    uint64_t at;
    uint32_t len = cut_text(t, seg, text, &n, &at);
    tcp_ecn_arrived(t, seg);
    if (len == 0) {
        ackdelay_now(&t->ackdelay); /* beyond the FIN, or a shut window: it is not taken */
        return GO_ON;
    }
    if (t->orphan)
        return refuse_text(t, now_ns);
    bool had_hole = rcvq_has_hole(&t->rcvq) || t->fin_seen;
    uint64_t head = t->rcvq.head;
    struct busy *b = tcb_busy(t);
    bool pruned = false;
    if (seq_lt(seg_text_start(seg), t->rcv.nxt))
        note_twice(t, seg);
    if (b && loss_tells_twice(t) && had_hole)
        sack_look(&b->sack, &t->rcvq.held->beyond, at, at + len);
    if (b && b->receive && tcp_urgent_left(t) == 0) /* else the RECEIVE ends at a mark */
        rcvq_give(&t->rcvq, b->receive, at, text, n);
    bool taken = b && rcvq_insert(&t->rcvq, t->common->mem, at, text, n, &pruned);
    t->no_room |= !taken || pruned;
    if (!taken)
        ackdelay_now(&t->ackdelay);
    if (!taken && t->rcvq.head == head)
        return DROP;
    uint32_t advance = (uint32_t)(t->rcvq.head - head);
    if (advance == 0) {
        sack_arrived(&b->sack, &t->rcvq.held->beyond, at);
        ackdelay_duplicate(&t->ackdelay); /* MAY-13, RFC 5681 4.2 */
        return GO_ON;
    }
    t->rcv.nxt = seq_add(t->rcv.nxt, advance);
    rcvwnd_arrived(&t->rcvwnd, &b->growth, t->rcvq.head, now_ns);
    acknowledge(t, advance, seg->gso_size ? seg->gso_size : seg->text_len, now_ns);
    if (had_hole || len < seg->text_len)
        ackdelay_now(&t->ackdelay);
    if (t->no_receive) {
        rcvq_consume(&t->rcvq, rcvq_len(&t->rcvq));
        rcvwnd_read(&t->rcvwnd, &b->growth, t->rcvq.start, rto_srtt_ns(&t->rto), now_ns);
    }
    t->events |= TCB_EV_ARRIVED;
    return taken ? GO_ON : DROP;
}

/* Whether a FIN behind this segment's text may be believed: nothing has arrived from beyond it, and
 * it lies in the window or just at its edge. RFC 9293 would trim it there; a FIN takes no room, and
 * Linux too takes it. */
static bool fin_fits(const struct tcb *t, seq_t fin)
{
    uint64_t at = tcb_stream_offset(t, fin);
    const struct ranges *beyond = &t->rcvq.held->beyond;
    return !seq_lt(fin, t->rcv.nxt) && at <= t->rcvwnd.edge &&
           (beyond->n == 0 || beyond->v[beyond->n - 1].end <= at);
}

/* RFC 9293 3.6, figure 13 acknowledges a FIN that crosses ours with a bare ACK; BSD's ACK carries
 * our FIN again, and so does ours, when nothing else is outstanding: if the first is lost, nobody
 * has to wait for a timeout. */
static void fin_again(struct tcb *t)
{
    if (t->fin_sent && seq_eq(t->snd.una, t->snd.fin) && t->snd.wnd > 0)
        loss_resend(t);
}

/* Eighth, check the FIN bit. A FIN beyond a hole is remembered until the hole is filled. */
static enum step eighth_fin(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    if (!tcb_receives(t))
        return GO_ON;
    seq_t fin = seq_add(seg_text_start(seg), seg->text_len);
    if ((seg->flags & TCP_FIN) && !t->fin_seen && fin_fits(t, fin)) {
        t->fin_seen = true;
        t->rcv.fin = fin;
    }
    if (!t->fin_seen || !seq_eq(t->rcv.fin, t->rcv.nxt)) {
        if ((seg->flags & TCP_FIN) && seg->text_len == 0)
            ackdelay_duplicate(&t->ackdelay); /* not taken, as text would be: RFC 5681 4.2 */
        return GO_ON;
    }
    t->rcv.nxt = seq_add(t->rcv.nxt, 1);
    t->events |= TCB_EV_ARRIVED;
    ackdelay_now(&t->ackdelay);
    switch (t->state) {
    case STATE_ESTABLISHED:
        state_set(t, STATE_CLOSE_WAIT, "FIN", now_ns);
        break;
    case STATE_FIN_WAIT_1:
        state_set(t, STATE_CLOSING, "FIN crosses FIN", now_ns);
        fin_again(t);
        break;
    default:
        state_set(t, STATE_TIME_WAIT, "FIN", now_ns);
        break;
    }
    return GO_ON;
}

enum arrives tcp_arrives_rest(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    enum step step = sixth_urg(t, seg);
    if (step == GO_ON)
        step = seventh_text(t, seg, now_ns);
    if (step == GO_ON)
        step = eighth_fin(t, seg, now_ns);
    return step == ANSWER_RST ? ARRIVES_ANSWER_RST : ARRIVES_TAKEN;
}

/* Simultaneous open, 3.5 figure 8 line 6: the peer's SYN again, now with the ACK of ours. What lies
 * left of the window is trimmed, which here is the SYN; the ACK counts (MUST-10). */
static bool trim_syn(const struct tcb *t, const struct seg *seg, struct seg *trimmed)
{
    if (t->state != STATE_SYN_RECEIVED || t->passive || !seq_eq(seg->seq, t->rcv.irs) ||
        (seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != (TCP_SYN | TCP_ACK))
        return false;
    *trimmed = *seg;
    trimmed->seq = seg_text_start(seg);
    trimmed->flags &= (uint8_t)~TCP_SYN;
    if (trimmed->up > 0)
        trimmed->up--; /* it counts from the SYN */
    return true;
}

enum arrives tcp_arrives_sync(struct tcb *t, const struct seg *seg, uint64_t now_ns)
{
    struct seg trimmed;
    const struct seg *whole = seg;
    if (trim_syn(t, seg, &trimmed)) {
        tcp_ecn_take_syn(t, seg);
        seg = &trimmed;
    }
    bool opening = t->state == STATE_SYN_RECEIVED;
    enum step step = first_timestamp(t, seg, now_ns);
    if (step == GO_ON)
        step = first_sequence(t, seg, now_ns);
    if (step == ONLY_ACK) {
        fifth_ack(t, seg, now_ns);
        return ARRIVES_DONE;
    }
    if (step == GO_ON)
        step = second_rst(t, seg, now_ns);
    if (step == GO_ON)
        step = fourth_syn(t, seg, now_ns);
    if (step == GO_ON)
        step = fifth_ack(t, seg, now_ns);
    if (opening && tcb_synchronized(t))
        tcp_ackin_window(t, whole); /* with the SYN it is not scaled (RFC 7323 2.2) */
    if (step == GO_ON)
        return tcp_arrives_rest(t, seg, now_ns);
    return step == ANSWER_RST ? ARRIVES_ANSWER_RST : ARRIVES_DONE;
}
