/* RFC 9293 3.10.7.4, step by step, with the three defences of RFC 5961. See oracle.h. */
#include "oracle.h"

/* RFC 5961 7 */
static void challenge(struct oracle *o)
{
    if (!o->t.throttled)
        o->ack_at_once = true;
}

static bool in_window(const struct rfc_tcb *t, uint32_t s)
{
    return s - t->rcv_nxt < t->rcv_wnd;
}

static bool has_received_fin(const struct rfc_tcb *t)
{
    return t->state == RFC_CLOSE_WAIT || t->state == RFC_CLOSING || t->state == RFC_LAST_ACK ||
           t->state == RFC_TIME_WAIT;
}

/* Table 6. */
static bool acceptable(struct oracle *o, const struct rfc_seg *seg)
{
    const struct rfc_tcb *t = &o->t;
    uint32_t len = rfc_len(seg);
    bool yes;
    if (len == 0 && t->rcv_wnd == 0)
        yes = seg->seq == t->rcv_nxt;
    else if (len == 0)
        yes = in_window(t, seg->seq);
    else if (t->rcv_wnd == 0)
        yes = false;
    else
        yes = in_window(t, seg->seq) || in_window(t, seg->seq + len - 1);
    if (!yes && len == 0 && !(seg->ctl & RFC_RST) && seg->seq == t->rcv_nxt + t->rcv_wnd)
        yes = leaves_rfc(&o->dev, DEV_EDGE);
    return yes;
}

/* "the idealized segment": without what lies outside of the window, SYN and FIN included. */
static void trim(struct oracle *o, struct rfc_seg *seg)
{
    const struct rfc_tcb *t = &o->t;
    if (rfc_before(seg->seq, t->rcv_nxt)) {
        uint32_t cut = t->rcv_nxt - seg->seq;
        if (seg->ctl & RFC_SYN) {
            seg->seq++;
            cut--;
        }
        seg->seq += cut;
        seg->text -= cut;
    }
    if (t->fin_held && !t->fin_taken && rfc_before(t->fin, seg->seq + seg->text) &&
        leaves_rfc(&o->dev, DEV_TEXT_BEYOND_FIN))
        seg->text = rfc_before(t->fin, seg->seq) ? 0 : t->fin - seg->seq;
    uint32_t room = t->rcv_nxt + t->rcv_wnd - seg->seq;
    if (seg->text > room) {
        seg->text = room;
        seg->ctl &= ~(unsigned)RFC_FIN;
    } else if (seg->ctl & RFC_FIN && seg->text == room) {
        if (!leaves_rfc(&o->dev, DEV_FIN_AT_EDGE))
            seg->ctl &= ~(unsigned)RFC_FIN;
    }
}

/* The SYN that has opened the connection, once more. */
static bool syn_again(struct oracle *o, const struct rfc_seg *seg)
{
    const struct rfc_tcb *t = &o->t;
    return t->state == RFC_SYN_RECEIVED && seg->seq == t->irs &&
           (seg->ctl & (RFC_SYN | RFC_ACK | RFC_RST)) == RFC_SYN &&
           leaves_rfc(&o->dev, DEV_SYN_AGAIN);
}

/* "An acknowledgment should be sent in reply"; a RST is not asked for here. */
static void reply(struct oracle *o, const struct rfc_seg *seg)
{
    const struct rfc_tcb *t = &o->t;
    if (seg->ctl & RFC_SYN && !(seg->ctl & RFC_ACK && seg->seq == t->irs) && t->throttled)
        return; /* RFC 5961 4.2: a challenge whatever its number */
    if (rfc_len(seg) == 0 && seg->seq != t->rcv_nxt - 1 && t->throttled &&
        leaves_rfc(&o->dev, DEV_BUDGET))
        return;
    o->ack_at_once = true;
}

/* RFC 7323 5.3 R1, which "MUST take precedence", and 3.2 for what lacks the option. This and the
 * following steps: false when the segment is dropped. */
static bool paws(struct oracle *o, const struct rfc_seg *seg)
{
    const struct rfc_tcb *t = &o->t;
    if (!t->ts_ok || seg->ctl & RFC_RST)
        return true;
    if (!seg->ts)
        return seg->ctl & RFC_SYN && leaves_rfc(&o->dev, DEV_SYN_WITHOUT_TS);
    if (!rfc_before(seg->tsval, t->ts_recent))
        return true;
    reply(o, seg);
    return false;
}

/* RFC 7323 5.3 R3: of what is acceptable. */
static void r3(struct oracle *o, const struct rfc_seg *seg)
{
    bool matters = o->t.ts_ok && seg->ts && seg->tsval != o->t.ts_recent && !(seg->ctl & RFC_RST);
    if (matters && !leaves_rfc(&o->dev, DEV_TS_WITH_ACK))
        oracle_ts_recent(o, seg);
}

static bool first_sequence(struct oracle *o, const struct rfc_seg *seg)
{
    const struct rfc_tcb *t = &o->t;
    if (syn_again(o, seg)) {
        o->synack_again = true;
        oracle_ecn_syn(o, seg);
        oracle_ts_recent(o, seg);
        return false;
    }
    if (acceptable(o, seg)) {
        r3(o, seg);
        return true;
    }
    if (t->rcv_wnd == 0 && seg->seq == t->rcv_nxt) {
        /* "special allowance should be made to accept valid ACKs, URGs, and RSTs" */
        o->ack_at_once = !(seg->ctl & RFC_RST);
        r3(o, seg);
        return true;
    }
    if (seg->ctl & RFC_RST)
        return false;
    reply(o, seg);
    /* 3.10.7.4, fifth and eighth: a FIN that comes again lies left of the window, so here is where
     * TIME-WAIT begins again. */
    if (t->state == RFC_TIME_WAIT && seg->ctl & RFC_FIN && seg->seq + rfc_len(seg) == t->rcv_nxt)
        o->two_msl = true;
    if (t->state != RFC_SYN_RECEIVED && rfc_len(seg) > 0 && seg->seq + rfc_len(seg) == t->rcv_nxt &&
        !(seg->ctl & RFC_SYN))
        o->only_ack = leaves_rfc(&o->dev, DEV_OLD_ACK);
    return false;
}

/* "return this connection to LISTEN state" */
static void back_to_listen(struct oracle *o)
{
    if (leaves_rfc(&o->dev, DEV_BACK_TO_LISTEN))
        oracle_over(o, RFC_NO_ERROR);
    else
        o->t.state = RFC_LISTEN;
}

static void reset(struct oracle *o)
{
    const struct rfc_tcb *t = &o->t;
    switch (t->state) {
    case RFC_SYN_RECEIVED:
        if (t->passive)
            back_to_listen(o);
        else
            oracle_over(o, RFC_REFUSED);
        break;
    case RFC_TIME_WAIT:
        oracle_over(o, RFC_NO_ERROR);
        break;
    case RFC_CLOSING:
    case RFC_LAST_ACK:
        oracle_over(o, leaves_rfc(&o->dev, DEV_CLOSING_RST) ? RFC_RESET : RFC_NO_ERROR);
        break;
    default:
        oracle_over(o, RFC_RESET);
        break;
    }
}

static bool second_rst(struct oracle *o, const struct rfc_seg *seg)
{
    if (!(seg->ctl & RFC_RST))
        return true;
    if (o->t.state == RFC_TIME_WAIT && leaves_rfc(&o->dev, DEV_TIME_WAIT_RST))
        return false;
    if (seg->seq == o->t.rcv_nxt)
        reset(o);
    else if (in_window(&o->t, seg->seq))
        challenge(o);
    return false;
}

static bool fourth_syn(struct oracle *o, const struct rfc_seg *seg)
{
    struct rfc_tcb *t = &o->t;
    if (!(seg->ctl & RFC_SYN))
        return true;
    if (t->state == RFC_SYN_RECEIVED && t->passive && in_window(t, seg->seq))
        back_to_listen(o);
    else
        challenge(o); /* "irrespective of the sequence number" */
    return false;
}

/* ESTABLISHED STATE, and what the later ones do "in addition" to it. */
static void ack_established(struct oracle *o, const struct rfc_seg *seg)
{
    struct rfc_tcb *t = &o->t;
    bool advances = rfc_before(t->snd_una, seg->ack);
    if (advances) {
        if (!t->fin_sent || t->snd_una != t->snd_nxt - 1)
            oracle_signal(o, RFC_SIG_OK);
        t->snd_una = seg->ack;
    }
    if (rfc_before(seg->ack, t->snd_una))
        return;
    if (rfc_before(t->snd_wl1, seg->seq) ||
        (t->snd_wl1 == seg->seq && !rfc_before(seg->ack, t->snd_wl2)))
        oracle_window(o, seg);
    else if (advances && leaves_rfc(&o->dev, DEV_WINDOW_WITH_UNA))
        oracle_window(o, seg);
}

static void time_wait(struct oracle *o)
{
    o->t.state = RFC_TIME_WAIT;
    o->two_msl = true;
    oracle_signal(o, RFC_SIG_OVER);
}

/* The rest of step five: whether the segment goes on. */
static bool ack_by_state(struct oracle *o)
{
    struct rfc_tcb *t = &o->t;
    bool fin_acked = t->fin_sent && t->snd_una == t->snd_nxt;
    switch (t->state) {
    case RFC_FIN_WAIT_1:
        if (fin_acked) {
            t->state = RFC_FIN_WAIT_2;
            oracle_signal(o, RFC_SIG_OK);
        }
        return true;
    case RFC_CLOSING:
        if (fin_acked)
            time_wait(o);
        return fin_acked;
    case RFC_LAST_ACK:
        if (fin_acked)
            oracle_over(o, RFC_NO_ERROR);
        return !fin_acked;
    default:
        return true;
    }
}

static bool ack_syn_received(struct oracle *o, const struct rfc_seg *seg)
{
    struct rfc_tcb *t = &o->t;
    if (!rfc_before(t->snd_una, seg->ack) || rfc_before(t->snd_nxt, seg->ack)) {
        oracle_answer(o, RFC_RST, seg->ack, 0);
        return false;
    }
    t->state = RFC_ESTABLISHED;
    t->snd_una = seg->ack;
    oracle_ts_recent(o, seg);
    oracle_window(o, seg);
    if (t->close_queued) { /* 3.10.4, ESTABLISHED: FIN, which like text waits for the window */
        t->state = RFC_FIN_WAIT_1;
        t->fin_sent = o->fin_goes = t->snd_wnd > 0;
    }
    oracle_signal(o, RFC_SIG_OPEN);
    return true;
}

static bool fifth_ack(struct oracle *o, const struct rfc_seg *seg)
{
    struct rfc_tcb *t = &o->t;
    if (!(seg->ctl & RFC_ACK))
        return false;
    bool wild =
        rfc_before(seg->ack, t->snd_una - t->max_snd_wnd) || rfc_before(t->snd_nxt, seg->ack);
    if (wild && !(t->state == RFC_SYN_RECEIVED && leaves_rfc(&o->dev, DEV_SYN_RECEIVED_ACK))) {
        challenge(o);
        return false;
    }
    if (t->state == RFC_SYN_RECEIVED)
        return ack_syn_received(o, seg);
    oracle_ts_recent(o, seg);
    if (t->state == RFC_TIME_WAIT) {
        /* "the only thing that can arrive" is the FIN: see the first and the eighth */
        if ((rfc_len(seg) > 0 || seg->seq != t->rcv_nxt) &&
            leaves_rfc(&o->dev, DEV_TIME_WAIT_ANSWERS)) {
            if (rfc_len(seg) > 0)
                o->ack_at_once = true;
            else
                challenge(o);
        }
        return true;
    }
    ack_established(o, seg);
    return ack_by_state(o);
}

static void sixth_urg(struct oracle *o, const struct rfc_seg *seg)
{
    struct rfc_tcb *t = &o->t;
    if (!(seg->ctl & RFC_URG) || has_received_fin(t))
        return;
    uint32_t up = seg->seq + seg->up; /* 3.1: "offset from the sequence number in this segment" */
    if (!rfc_before(t->rcv_nxt, up) && leaves_rfc(&o->dev, DEV_OLD_URGENT))
        return;
    if (rfc_before(t->rcv_up, up)) {
        t->rcv_up = up;
        if (t->urgent && leaves_rfc(&o->dev, DEV_URGENT_ADVANCES))
            t->urgent = false;
    }
    if (oracle_urgent(t) > 0 && !t->urgent) {
        oracle_signal(o, RFC_SIG_URGENT);
        t->urgent = true;
    }
}

/* cut: the segment has carried more. RFC 3168 6.1.3, 6.1.6: what is acceptable, and so is a probe
 * of a window that is shut, is asked for its mark. */
static bool seventh_text(struct oracle *o, const struct rfc_seg *seg, bool cut)
{
    struct rfc_tcb *t = &o->t;
    if (has_received_fin(t))
        return true;
    t->echo |= t->ecn && seg->ce && (seg->text > 0 || cut);
    if (seg->text == 0) {
        o->ack_at_once |= cut; /* none of it can be taken: as for an unacceptable segment */
        return true;
    }
    if (t->user_gone) { /* 3.6.1, SHLD-3 */
        oracle_answer(o, RFC_RST, seg->ack, 0);
        oracle_over(o, RFC_ABORTED);
        return false;
    }
    if (o->no_memory) {
        o->ack_at_once = true;
        return false;
    }
    bool had_hole = oracle_held(t) > 0, in_order = seg->seq == t->rcv_nxt;
    uint32_t old = t->rcv_nxt, at = seg->seq - t->irs - 1;
    for (uint32_t i = 0; i < seg->text; i++)
        t->arrived[at + i] = true; /* SHLD-31 */
    while (t->arrived[t->rcv_nxt - t->irs - 1])
        t->rcv_nxt++;
    uint32_t n = t->rcv_nxt - old;
    t->rcv_wnd -= n;
    t->unacked += n;
    if (n > 0)
        oracle_signal(o, RFC_SIG_ARRIVED);
    /* 3.8.6.3: SHLD-18, SHLD-19; RFC 5681 4.2: out of order, or filling a gap: at once. A second
     * segment also when it is not full-sized. */
    if (!in_order || had_hole || t->unacked > n || n > t->rmss)
        o->ack_at_once = true;
    else if (cut && leaves_rfc(&o->dev, DEV_CUT_TEXT))
        o->ack_at_once = true;
    else
        o->ack_delayed = true;
    return true;
}

static void take_fin(struct oracle *o)
{
    struct rfc_tcb *t = &o->t;
    t->fin_taken = true;
    t->rcv_nxt++;
    oracle_signal(o, RFC_SIG_ARRIVED); /* "connection closing" */
    o->ack_at_once = true;
    switch (t->state) {
    case RFC_ESTABLISHED:
        t->state = RFC_CLOSE_WAIT;
        break;
    case RFC_FIN_WAIT_1: /* our FIN is not acknowledged, or this would be FIN-WAIT-2 by now */
        t->state = RFC_CLOSING;
        if (t->fin_sent && t->snd_una == t->snd_nxt - 1 && t->snd_wnd > 0)
            o->fin_again = leaves_rfc(&o->dev, DEV_FIN_AGAIN);
        break;
    default:
        time_wait(o);
        break;
    }
}

/* "Remain in the CLOSE-WAIT state", and so on: but it has advanced RCV.NXT before. */
static void second_fin(struct oracle *o)
{
    if (leaves_rfc(&o->dev, DEV_SECOND_FIN))
        return;
    o->t.rcv_nxt++;
    o->ack_at_once = true;
    o->two_msl = o->t.state == RFC_TIME_WAIT;
}

/* Whether a FIN with this number is believed. */
static bool fin_counts(struct oracle *o, uint32_t fin)
{
    const struct rfc_tcb *t = &o->t;
    if (t->fin_held && t->fin != fin && leaves_rfc(&o->dev, DEV_SECOND_FIN))
        return false;
    bool text_beyond = false;
    for (uint32_t i = fin - t->irs - 1; i < RFC_STREAM; i++)
        text_beyond = text_beyond || t->arrived[i];
    return !(text_beyond && leaves_rfc(&o->dev, DEV_FIN_BEFORE_TEXT));
}

static void eighth_fin(struct oracle *o, const struct rfc_seg *seg)
{
    struct rfc_tcb *t = &o->t;
    if (has_received_fin(t)) {
        if (seg->ctl & RFC_FIN && seg->seq == t->rcv_nxt)
            second_fin(o);
        return;
    }
    if (seg->ctl & RFC_FIN) {
        o->ack_at_once = true;
        if (fin_counts(o, seg->seq + seg->text)) {
            t->fin_held = true;
            t->fin = seg->seq + seg->text;
        }
    }
    if (t->fin_held && t->fin == t->rcv_nxt)
        take_fin(o);
}

void oracle_sixth_on(struct oracle *o, const struct rfc_seg *seg)
{
    struct rfc_seg s = *seg;
    sixth_urg(o, &s);
    if (s.ctl & RFC_SYN) { /* of the SYN,ACK: what follows it */
        s.seq++;
        s.ctl &= ~(unsigned)RFC_SYN;
    }
    trim(o, &s);
    if (seventh_text(o, &s, s.text < seg->text))
        eighth_fin(o, &s);
}

/* 3.5, figure 8, MUST-10: the SYN,ACK that ends a simultaneous open. Its SYN lies left of the
 * window and is trimmed. */
static bool trim_crossing_syn(const struct rfc_tcb *t, struct rfc_seg *seg)
{
    if (t->state != RFC_SYN_RECEIVED || t->passive || seg->seq != t->irs ||
        (seg->ctl & (RFC_SYN | RFC_ACK | RFC_RST)) != (RFC_SYN | RFC_ACK))
        return false;
    seg->seq++;
    seg->ctl &= ~(unsigned)RFC_SYN;
    if (seg->up > 0)
        seg->up--; /* it is an offset from the SYN */
    return true;
}

void oracle_arrives_sync(struct oracle *o, const struct rfc_seg *seg)
{
    struct rfc_seg s = *seg;
    bool crossing = trim_crossing_syn(&o->t, &s);
    if (crossing)
        oracle_ecn_syn(o, seg);
    bool go_on = paws(o, &s) && first_sequence(o, &s) && second_rst(o, &s) && fourth_syn(o, &s) &&
                 fifth_ack(o, &s);
    if (o->only_ack)
        fifth_ack(o, &s);
    if (crossing)
        o->t.snd_wl1 = seg->seq; /* the SYN's, whether it counted or not */
    if (go_on)
        oracle_sixth_on(o, &s);
}
