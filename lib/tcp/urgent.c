/*
 * Urgent data. See urgent.h. Called by the trunk of tcp/ and by stack/. Sends nothing and decides
 * nothing about when: output.c asks.
 */
#include "urgent.h"

#include "minmax.h"
#include "user.h"

int64_t tcp_urgent_send(struct tcb *t, const void *data, size_t len)
{
    int64_t taken = tcp_send(t, data, len);
    if (taken > 0) {
        /* Only that there is urgent data at all is news: where it ends now "will be invisible to
         * the user" (3.8.5) before it comes there; and many ACKs would look like duplicates. */
        t->up_news |= !tcp_urgent_from(t, t->snd.una);
        if (!tcp_urgent_from(t, t->snd.nxt))
            t->busy->up_from = t->snd.nxt;
        t->snd.up = tcb_text_end(t);
    }
    return taken;
}

bool tcp_urgent_from(const struct tcb *t, seq_t from)
{
    return seq_lt(from, t->snd.up);
}

void tcp_urgent_point(struct tcb *t, struct seg *seg)
{
    t->up_news = false;
    if (!tcp_urgent_from(t, seg->seq))
        return;
    /* What the field can't reach is for later segments: the one that brings the octet which this
     * pointer makes the last points further, so that no receiver ever stops there. One that went
     * before there was urgent data did not, so none that goes again may point into it (Linux lets
     * none point into what has been sent at all). */
    uint32_t ahead = (uint32_t)seq_diff(t->snd.up, seg->seq);
    if (ahead > UINT16_MAX && !seq_lt(t->busy->up_from, seq_add(seg->seq, UINT16_MAX)))
        return;
    seg->flags |= TCP_URG;
    seg->up = (uint16_t)min_u32(ahead, UINT16_MAX);
}

/* RFC 9293 3.8.5: the pointer "cannot recede", but a receiver should be robust to one that does. */
bool tcp_urgent_arrives(struct tcb *t, const struct seg *seg)
{
    seq_t up = seq_add(seg->seq, seg->up);
    if (!seq_lt(t->rcv.nxt, up))
        return true; /* nothing is urgent, or has arrived already without being so */
    uint64_t at = tcb_stream_offset(t, up);
    if (at <= t->busy->rcv_up)
        return true;
    struct busy *b = tcb_busy(t);
    if (!b)
        return false;
    /* There is one place for an octet out of band, and this is another. The last one, whether it
     * was taken or not, is lost if nothing is unread before it: Linux has it so, and so do we. */
    if (tcp_urgent_passes_over(t) && rcvq_len(&t->rcvq) > 0)
        rcvq_consume(&t->rcvq, 1);
    b->rcv_up = at;
    t->up_taken = false;
    t->events |= TCB_EV_URGENT;
    return true;
}

uint64_t tcp_urgent_left(const struct tcb *t)
{
    return t->busy->rcv_up > t->rcvq.start ? t->busy->rcv_up - t->rcvq.start : 0;
}

bool tcp_urgent_passes_over(const struct tcb *t)
{
    return !t->settings->oobinline && tcp_urgent_left(t) == 1;
}

static bool has_arrived(const struct tcb *t)
{
    return tcp_urgent_left(t) <= rcvq_len(&t->rcvq);
}

/* Linux's poll() waits for the octet; of the pointer a signal tells. We send none, so that a user
 * who has to make room before the octet can come would never hear of it (MUST-32). What is less
 * than a unit of the window field keeps the peer out as nothing does. */
bool tcp_urgent_ready(const struct tcb *t)
{
    bool kept_out = tcb_receives(t) && tcb_rcv_wnd(t) >> t->rcvwnd.shift == 0;
    return tcp_urgent_left(t) > 0 && !t->up_taken && (has_arrived(t) || kept_out);
}

int tcp_urgent_receive(struct tcb *t, uint8_t *octet, bool peek)
{
    uint64_t left = tcp_urgent_left(t);
    bool complete = tcb_fin_taken(t);
    if (t->settings->oobinline || left == 0 || t->up_taken)
        return ERR_INVAL;
    if (t->state == STATE_CLOSED && !complete)
        return ERR_NOT_CONNECTED;
    if (!has_arrived(t))
        return complete || t->no_receive ? 0 : ERR_AGAIN;
    rcvq_peek(&t->rcvq, (size_t)left - 1, octet, 1);
    t->up_taken = !peek;
    return 1;
}
