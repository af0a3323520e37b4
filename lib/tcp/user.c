/*
 * The user calls of RFC 9293 3.10.1-6 on one connection, in the RFC's order. Called by stack/. They
 * change the connection and never send: tcp_output() does.
 */
#include "user.h"

#include "minmax.h"
#include "pmtu.h"
#include "timeout.h"
#include "urgent.h"

/* What our SYN says of a receive window that grows to `size` (RFC 7323 2.2). */
static void set_shift(struct tcb *t, uint32_t size)
{
    t->rcvwnd.shift = t->common->config->window_scaling ? rcvwnd_shift_for(size) : 0;
}

/* 3.10.1 OPEN */

static void open_with(struct tcb *t, seq_t iss, bool passive)
{
    struct busy *b = t->busy;
    t->passive = passive;
    t->snd.iss = t->snd.una = t->snd.nxt = iss;
    t->snd.up = b->up_from = b->small = b->full = t->snd.wl1 = t->snd.wl2 = iss;
    recovery_init(&b->recovery, iss);
}

void tcp_open_active(struct tcb *t, seq_t iss, uint64_t now_ns)
{
    open_with(t, iss, false);
    t->shift_offered = t->common->config->window_scaling;
    t->sack = t->common->config->sack;
    t->ts = t->common->config->timestamps;
    t->ecn = t->common->config->ecn == TCP_ECN_ASK;
    set_shift(t, t->rcvwnd.size_max);
    tcp_timeout_expect(t, now_ns);
    state_set(t, STATE_SYN_SENT, "active OPEN", now_ns);
}

void tcp_open_passive(struct tcb *t, seq_t iss, uint64_t now_ns)
{
    open_with(t, iss, true);
    state_set(t, STATE_LISTEN, "passive OPEN", now_ns);
}

/* 3.10.2 SEND */

bool tcp_can_send(const struct tcb *t)
{
    switch (t->state) {
    case STATE_SYN_SENT:
    case STATE_SYN_RECEIVED:
    case STATE_ESTABLISHED:
    case STATE_CLOSE_WAIT:
        return t->fin_queued || tcb_has_room(t);
    default:
        return true;
    }
}

int64_t tcp_send_room(const struct tcb *t)
{
    switch (t->state) {
    case STATE_CLOSED:
    case STATE_LISTEN:
        return ERR_NOT_CONNECTED;
    case STATE_SYN_SENT:
    case STATE_SYN_RECEIVED:
    case STATE_ESTABLISHED:
    case STATE_CLOSE_WAIT:
        break;
    default:
        return ERR_PIPE;
    }
    if (t->fin_queued)
        return ERR_PIPE;
    size_t sndbuf = tcb_sndbuf(t), len = t->busy->sndq.len;
    return len < sndbuf ? (int64_t)(sndbuf - len) : ERR_AGAIN;
}

static void sent(struct tcb *t)
{
    t->more = t->held = t->flushed = false;
}

/* take: of the send queue, what takes as much as memory allows. */
static int64_t send_by(struct tcb *t, const void *data, size_t len,
                       size_t (*take)(struct sndq *, const void *, size_t))
{
    int64_t room = tcp_send_room(t);
    if (len == 0)
        return room < 0 && room != ERR_AGAIN ? room : 0;
    if (room < 0)
        return room;
    struct busy *b = tcb_busy(t);
    size_t taken = b ? take(&b->sndq, data, min_u64(len, (uint64_t)room)) : 0;
    if (taken == 0)
        return ERR_NOMEM;
    sent(t);
    return (int64_t)taken;
}

int64_t tcp_send(struct tcb *t, const void *data, size_t len)
{
    return send_by(t, data, len, sndq_append);
}

int64_t tcp_lend(struct tcb *t, const void *data, size_t len)
{
    return send_by(t, data, len, sndq_lend);
}

size_t tcp_lent(const struct tcb *t)
{
    return t->busy->sndq.lent;
}

void tcp_keep(struct tcb *t)
{
    if (tcp_lent(t) > 0)
        sndq_keep(&t->busy->sndq);
}

int64_t tcp_send_block(struct tcb *t, void *block, size_t size, size_t len)
{
    int64_t room = tcp_send_room(t);
    if (room < 0 && room != ERR_AGAIN)
        return room;
    struct busy *b = tcb_busy(t);
    if (!b || !sndq_give(&b->sndq, block, size, len))
        return ERR_NOMEM;
    sent(t);
    return (int64_t)len;
}

void tcp_more(struct tcb *t)
{
    t->more = t->held = true;
}

void tcp_flush(struct tcb *t)
{
    t->held = false;
    t->flushed = true;
}

/* 3.10.3 RECEIVE */

/* There may be more room than the peer knows of. */
static void room_made(struct tcb *t)
{
    if (tcb_receives(t) && rcvwnd_update_due(&t->rcvwnd, t->rcvq.start, t->rcvq.head))
        ackdelay_now(&t->ackdelay);
}

/* The user has taken text away: the window may open. */
static void text_taken(struct tcb *t, uint64_t now_ns)
{
    if (tcb_is_busy(t))
        rcvwnd_read(&t->rcvwnd, &t->busy->growth, t->rcvq.start, rto_srtt_ns(&t->rto), now_ns);
    room_made(t);
}

/* The boundary of urgent data is told by ending there (3.9.1.4); as with Linux's sockets that is at
 * the mark, before the last urgent octet, and what follows comes with or without that octet. */
size_t tcp_receivable(const struct tcb *t)
{
    size_t unread = rcvq_len(&t->rcvq);
    uint64_t left = tcp_urgent_left(t);
    if (left > 1)
        return (size_t)min_u64(unread, left - 1);
    return unread - (unread > 0 && tcp_urgent_passes_over(t));
}

bool tcp_can_receive(const struct tcb *t)
{
    return tcp_receivable(t) > 0 || t->no_receive ||
           !(tcb_receives(t) || t->state == STATE_SYN_SENT || t->state == STATE_SYN_RECEIVED);
}

int64_t tcp_receive(struct tcb *t, void *buf, size_t len, bool peek, uint64_t now_ns)
{
    size_t unread = rcvq_len(&t->rcvq), n = tcp_receivable(t);
    size_t over = unread > 0 && len > 0 && tcp_urgent_passes_over(t);
    n = len < n ? len : n;
    rcvq_peek(&t->rcvq, over, buf, n);
    if (!peek && over + n > 0) {
        rcvq_consume(&t->rcvq, over + n);
        text_taken(t, now_ns);
    }
    if (n > 0 || (unread > 0 && len == 0))
        return (int64_t)n;
    switch (t->state) {
    case STATE_LISTEN:
        return ERR_NOT_CONNECTED;
    case STATE_SYN_SENT:
    case STATE_SYN_RECEIVED:
    case STATE_ESTABLISHED:
    case STATE_FIN_WAIT_1:
    case STATE_FIN_WAIT_2:
        return t->no_receive ? 0 : ERR_AGAIN;
    case STATE_CLOSED:
    case STATE_CLOSE_WAIT:
    case STATE_CLOSING:
    case STATE_LAST_ACK:
    case STATE_TIME_WAIT:
        break;
    }
    return 0;
}

bool tcp_receive_begin(struct tcb *t, struct receive *r)
{
    struct busy *b = tcb_busy(t);
    if (!b || b->receive)
        return false;
    b->receive = r;
    r->waits = true;
    return true;
}

static void forget_receive(struct tcb *t)
{
    if (!tcb_is_busy(t) || !t->busy->receive)
        return;
    t->busy->receive->waits = false;
    t->busy->receive = NULL;
}

void tcp_receive_end(struct tcb *t, struct receive *r, uint64_t now_ns)
{
    if (r->waits)
        forget_receive(t);
    if (r->done > 0)
        text_taken(t, now_ns);
}

void tcp_stop_receiving(struct tcb *t, uint64_t now_ns)
{
    t->no_receive = true;
    forget_receive(t);
    rcvq_consume(&t->rcvq, rcvq_len(&t->rcvq));
    text_taken(t, now_ns);
}

/* 3.10.4 CLOSE */

int tcp_close(struct tcb *t, uint64_t now_ns)
{
    if (t->fin_queued)
        return ERR_PIPE;
    switch (t->state) {
    case STATE_CLOSED:
        return ERR_NOT_CONNECTED;
    case STATE_LISTEN:
    case STATE_SYN_SENT:
        state_set(t, STATE_CLOSED, "CLOSE", now_ns);
        break;
    case STATE_SYN_RECEIVED:
        /* RFC 9293 sends the FIN at once when nothing is queued; we always queue the CLOSE until
         * ESTABLISHED, as the RFC has it for the other case: one rule, and no FIN in front of an
         * unacknowledged SYN. */
        t->fin_queued = true;
        break;
    case STATE_ESTABLISHED:
        if (!tcb_busy(t))
            return ERR_NOMEM;
        t->fin_queued = true;
        state_set(t, STATE_FIN_WAIT_1, "CLOSE", now_ns);
        break;
    case STATE_CLOSE_WAIT:
        if (!tcb_busy(t))
            return ERR_NOMEM;
        t->fin_queued = true; /* output() enters LAST-ACK when the FIN goes out */
        break;
    default:
        return ERR_PIPE;
    }
    return ERR_NONE;
}

void tcp_leave(struct tcb *t, uint64_t now_ns)
{
    if (t->orphan)
        return;
    t->orphan = true;
    forget_receive(t);
    tcp_keep(t);
    if (rcvq_len(&t->rcvq) > 0 && t->state != STATE_CLOSED && t->state != STATE_TIME_WAIT) {
        t->reset_peer = true;
        state_fail(t, ERR_ABORTED, "CLOSE with text unread", now_ns);
        return;
    }
    if (tcp_close(t, now_ns) == ERR_NOMEM) {
        /* Nobody could send the FIN again, nor is left to try once more. */
        t->reset_peer = true;
        state_fail(t, ERR_ABORTED, "no memory for the FIN", now_ns);
        return;
    }
    if (t->state == STATE_TIME_WAIT)
        rcvq_discard(&t->rcvq);
    if (t->state == STATE_FIN_WAIT_2)
        state_orphan_lingers(t, now_ns);
}

/* 3.10.5 ABORT */

void tcp_abort(struct tcb *t, uint64_t now_ns)
{
    forget_receive(t);
    switch (t->state) {
    case STATE_CLOSED:
        return;
    case STATE_SYN_RECEIVED:
    case STATE_ESTABLISHED:
    case STATE_FIN_WAIT_1:
    case STATE_FIN_WAIT_2:
    case STATE_CLOSE_WAIT:
        t->reset_peer = true;
        break;
    case STATE_CLOSING:
    case STATE_LAST_ACK:
        /* RFC 9293 sends no RST here, taking all text to be sent and heard of. When it is not, the
         * peer would wait for it for ever; Linux resets, and so do we. */
        t->reset_peer = t->busy->sndq.len > 0 || !t->fin_sent;
        break;
    default:
        break;
    }
    state_fail(t, ERR_ABORTED, "ABORT", now_ns);
}

/* Options: MUST-17, MUST-21, MUST-24 */

/* What the SYN carries (RFC 9293 3.7.1, RFC 7323 2.2) is not decided yet. */
static bool syn_waits(const struct tcb *t)
{
    return t->state < STATE_SYN_RECEIVED && seq_eq(t->snd.nxt, t->snd.iss);
}

/* The MSS to announce, which is also the most to be sent until the peer has announced its own. */
static void set_mss(struct tcb *t)
{
    t->rcvwnd.mss = (uint16_t)tcb_mss_max(t);
    ackdelay_set_rmss(&t->ackdelay, t->rcvwnd.mss);
    tcp_pmtu_limit(t, t->rcvwnd.mss);
}

static void change_cc(struct tcb *t, const struct cc_ops *ops)
{
    if (tcb_is_busy(t))
        cc_change(&t->busy->cc, ops);
    else
        t->cc_rest.w_max = 0; /* the other's */
}

int tcp_set(struct tcb *t, const struct tcp_settings *wanted)
{
    struct shared *all = &t->common->settings;
    const struct tcp_settings *old = t->settings, *settings = shared_get(all, wanted);
    if (!settings)
        return ERR_NOMEM;
    if (settings->rcvbuf > 0 && settings->rcvbuf != old->rcvbuf) {
        if (syn_waits(t))
            set_shift(t, settings->rcvbuf);
        rcvwnd_resize(&t->rcvwnd, settings->rcvbuf);
        room_made(t);
    }
    bool mss = settings->mss_max != old->mss_max && syn_waits(t);
    const struct ip_addr *peer = &t->flow->remote;
    bool discover =
        tcp_settings_ip(settings, peer)->pmtudisc != tcp_settings_ip(old, peer)->pmtudisc;
    if (old->cork && !settings->cork)
        tcp_flush(t);
    if (settings->cc != old->cc)
        change_cc(t, settings->cc);
    if (tcb_is_busy(t) && settings->max_pacing_rate != old->max_pacing_rate)
        pacing_begin(&t->busy->pacing);
    tcp_timeout_set(t, settings);
    shared_put(all, old);
    if (mss)
        set_mss(t);
    if (discover)
        tcp_pmtu_discover(t);
    return ERR_NONE;
}
