/* RFC 9293 3.10.7.1 to 3.10.7.3, and what all states share. See oracle.h. */
#include "oracle.h"

#include <assert.h>

/* All that is here beyond the hole; a FIN too, when the text before it is. */
static uint32_t beyond_a_hole(const struct rfc_tcb *t)
{
    uint32_t before_fin = t->fin - 1 - t->irs - 1;
    bool fin = t->fin_held && !t->fin_taken && before_fin < RFC_STREAM && t->arrived[before_fin];
    return oracle_held(t) + fin;
}

void oracle_answer(struct oracle *o, unsigned ctl, uint32_t seq, uint32_t ack)
{
    bool sacks = o->t.sack && (ctl & (RFC_SYN | RFC_RST | RFC_ACK)) == RFC_ACK;
    assert(o->n_answers < RFC_ANSWERS);
    o->answer[o->n_answers++] = (struct rfc_answer){
        .ctl = ctl,
        .seq = seq,
        .ack = ctl & RFC_ACK ? ack : 0,
        .sacked = sacks ? beyond_a_hole(&o->t) : 0,
    };
}

void oracle_signal(struct oracle *o, unsigned signal)
{
    o->signals |= signal;
}

uint32_t oracle_unread(const struct rfc_tcb *t)
{
    if (t->rcv_nxt == t->irs)
        return 0; /* no SYN has come */
    return t->rcv_nxt - t->irs - 1 - (t->fin_taken ? 1 : 0) - t->read;
}

uint32_t oracle_urgent(const struct rfc_tcb *t)
{
    uint32_t consumed = t->irs + 1 + t->read;
    return rfc_before(consumed, t->rcv_up) ? t->rcv_up - consumed : 0;
}

uint32_t oracle_held(const struct rfc_tcb *t)
{
    uint32_t n = 0;
    for (uint32_t i = t->rcv_nxt - t->irs - 1; i < RFC_STREAM; i++)
        n += t->arrived[i];
    return n;
}

void oracle_over(struct oracle *o, enum rfc_error error)
{
    struct rfc_tcb *t = &o->t;
    t->state = RFC_CLOSED;
    o->error = error;
    oracle_signal(o, RFC_SIG_OVER);
    if (oracle_unread(t) + oracle_held(t) > 0 && leaves_rfc(&o->dev, DEV_KEEPS_UNREAD))
        return;
    /* "All segment queues should be flushed." */
    t->read += oracle_unread(t);
    for (uint32_t i = 0; i < RFC_STREAM; i++)
        t->arrived[i] = false;
}

void oracle_window(struct oracle *o, const struct rfc_seg *seg)
{
    o->t.snd_wnd = seg->wnd;
    o->t.snd_wl1 = seg->seq;
    o->t.snd_wl2 = seg->ack;
    if (o->t.max_snd_wnd < seg->wnd)
        o->t.max_snd_wnd = seg->wnd;
}

void oracle_ts_recent(struct oracle *o, const struct rfc_seg *seg)
{
    struct rfc_tcb *t = &o->t;
    if (t->ts_ok && seg->ts && !rfc_before(seg->tsval, t->ts_recent) &&
        !rfc_before(t->last_ack_sent, seg->seq))
        t->ts_recent = seg->tsval;
}

void oracle_ecn_syn(struct oracle *o, const struct rfc_seg *seg)
{
    unsigned flags = seg->ctl & (RFC_ECE | RFC_CWR);
    o->t.ecn = o->t.ecn && flags == (seg->ctl & RFC_ACK ? RFC_ECE : RFC_ECE | RFC_CWR);
}

/* 3.10.7.1 */
static void closed(struct oracle *o, const struct rfc_seg *seg)
{
    if (seg->ctl & RFC_RST)
        return;
    if (!(seg->ctl & RFC_ACK))
        oracle_answer(o, RFC_RST | RFC_ACK, 0, seg->seq + rfc_len(seg));
    else
        oracle_answer(o, RFC_RST, seg->ack, 0);
}

/* "any other control or text should be queued for processing later" */
static void queue_what_the_syn_carries(struct oracle *o, const struct rfc_seg *seg)
{
    struct rfc_tcb *t = &o->t;
    if (seg->text == 0 || o->no_memory || (t->passive && leaves_rfc(&o->dev, DEV_SYN_TEXT)))
        return;
    uint32_t fits = seg->text < t->rcv_wnd ? seg->text : t->rcv_wnd;
    for (uint32_t i = 0; i < fits; i++)
        t->arrived[i] = true;
}

static void take_syn(struct oracle *o, const struct rfc_seg *seg)
{
    o->t.irs = seg->seq;
    o->t.rcv_nxt = seg->seq + 1;
    o->t.rcv_up = o->t.rcv_nxt;
    o->t.ts_ok = seg->ts; /* RFC 7323 D: "if one is found"; we have offered it, or would */
    o->t.ts_recent = seg->tsval;
    oracle_ecn_syn(o, seg);
    oracle_window(o, seg);
}

/* 3.10.7.2 */
static void listening(struct oracle *o, const struct rfc_seg *seg)
{
    struct rfc_tcb *t = &o->t;
    if (seg->ctl & RFC_RST)
        return;
    if (seg->ctl & RFC_ACK) {
        oracle_answer(o, RFC_RST, seg->ack, 0);
        return;
    }
    if (!(seg->ctl & RFC_SYN))
        return;
    take_syn(o, seg);
    t->snd_nxt = t->iss + 1;
    t->snd_una = t->iss;
    t->state = RFC_SYN_RECEIVED;
    oracle_answer(o, RFC_SYN | RFC_ACK, t->iss, t->rcv_nxt);
    queue_what_the_syn_carries(o, seg);
}

static void syn_sent_syn(struct oracle *o, const struct rfc_seg *seg)
{
    struct rfc_tcb *t = &o->t;
    take_syn(o, seg);
    if (seg->ctl & RFC_ACK)
        t->snd_una = seg->ack;
    if (rfc_before(t->iss, t->snd_una)) {
        t->state = RFC_ESTABLISHED;
        oracle_signal(o, RFC_SIG_OPEN);
        o->ack_at_once = true;
        oracle_sixth_on(o, seg);
        return;
    }
    t->state = RFC_SYN_RECEIVED;
    oracle_answer(o, RFC_SYN | RFC_ACK, t->iss, t->rcv_nxt);
    queue_what_the_syn_carries(o, seg);
}

/* 3.10.7.3 */
static void syn_sent(struct oracle *o, const struct rfc_seg *seg)
{
    struct rfc_tcb *t = &o->t;
    bool ack = seg->ctl & RFC_ACK;
    if (ack && (!rfc_before(t->iss, seg->ack) || rfc_before(t->snd_nxt, seg->ack))) {
        if (!(seg->ctl & RFC_RST))
            oracle_answer(o, RFC_RST, seg->ack, 0);
        return;
    }
    if (seg->ctl & RFC_RST) {
        if (ack)
            oracle_over(o, leaves_rfc(&o->dev, DEV_REFUSED) ? RFC_REFUSED : RFC_RESET);
        return;
    }
    if (seg->ctl & RFC_SYN)
        syn_sent_syn(o, seg);
}

static uint32_t ack_number(struct oracle *o)
{
    uint32_t number = o->t.snd_nxt, edge = o->t.snd_una + o->t.snd_wnd;
    return rfc_before(edge, number) && leaves_rfc(&o->dev, DEV_BEYOND_WINDOW) ? edge : number;
}

/* RFC 2018 4, RFC 2883 4: an ACK has to tell of text beyond a hole, or of what has come twice. */
static bool has_blocks(const struct oracle *o)
{
    return o->t.sack && (oracle_held(&o->t) > 0 || o->twice);
}

/* One ACK for all that the segment asked for (MUST-58). */
static void acknowledge(struct oracle *o)
{
    const struct rfc_tcb *t = &o->t;
    if ((o->fin_goes || o->fin_again) && o->ack_at_once && has_blocks(o) &&
        leaves_rfc(&o->dev, DEV_SACK_ALONE))
        oracle_answer(o, RFC_ACK, ack_number(o), t->rcv_nxt);
    if (o->synack_again) {
        oracle_answer(o, RFC_SYN | RFC_ACK, t->iss, t->rcv_nxt);
        return;
    }
    if (o->fin_goes) {
        oracle_answer(o, RFC_FIN | RFC_ACK, o->t.snd_nxt++, t->rcv_nxt);
        return;
    }
    if (o->fin_again) {
        oracle_answer(o, RFC_FIN | RFC_ACK, t->snd_nxt - 1, t->rcv_nxt);
        return;
    }
    if (!o->ack_at_once && !o->ack_delayed)
        return;
    oracle_answer(o, RFC_ACK, ack_number(o), t->rcv_nxt);
    o->answer[o->n_answers - 1].when = o->ack_at_once ? RFC_AT_ONCE : RFC_DELAYED;
}

/* RFC 3168 6.1.1 for a SYN,ACK, 6.1.3 for an ACK; in TIME-WAIT nothing of that is known (6.1.1). */
static void put_ecn(struct oracle *o)
{
    for (unsigned i = 0; i < o->n_answers; i++) {
        unsigned *ctl = &o->answer[i].ctl;
        bool syn = *ctl & RFC_SYN, rst = *ctl & RFC_RST;
        if (syn ? o->t.ecn : !rst && o->t.echo && o->t.state != RFC_TIME_WAIT)
            *ctl |= RFC_ECE;
    }
}

/* RFC 7323 3.2; 5.2 for a RST, which here always answers a segment. */
static void stamp(struct oracle *o, const struct rfc_seg *seg)
{
    for (unsigned i = 0; i < o->n_answers; i++) {
        bool rst = o->answer[i].ctl & RFC_RST;
        o->answer[i].ts = rst ? seg->ts && !leaves_rfc(&o->dev, DEV_RST_WITHOUT_TS) : o->t.ts_ok;
        o->answer[i].tsecr = rst ? seg->tsval : o->t.ts_recent;
    }
}

/* The segment's text, up to a FIN that is here, begins or ends with some that is here. (What it has
 * twice in its middle only, filling holes on both sides, is not reported.) */
static bool comes_twice(const struct rfc_tcb *t, const struct rfc_seg *seg)
{
    uint32_t first = seg->seq + (seg->ctl & RFC_SYN ? 1 : 0) - t->irs - 1;
    uint32_t last = first + seg->text - 1;
    if (t->fin_held && rfc_before(t->fin - t->irs - 2, last))
        last = t->fin - t->irs - 2;
    return seg->text > 0 &&
           ((first < RFC_STREAM && t->arrived[first]) || (last < RFC_STREAM && t->arrived[last]));
}

void oracle_arrives(struct oracle *o, const struct rfc_seg *seg)
{
    o->twice = comes_twice(&o->t, seg);
    o->ack_delayed = o->t.unacked > 0;
    switch (o->t.state) {
    case RFC_CLOSED:
        closed(o, seg);
        break;
    case RFC_LISTEN:
        listening(o, seg);
        break;
    case RFC_SYN_SENT:
        syn_sent(o, seg);
        break;
    default:
        oracle_arrives_sync(o, seg);
        break;
    }
    if (o->t.state != RFC_CLOSED)
        acknowledge(o);
    stamp(o, seg);
    put_ecn(o);
}
