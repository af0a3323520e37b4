/* See reaction.h. */
#include "reaction.h"

#include "scenes.h"
#include "segments.h"
#include "timeout.h"
#include "urgent.h"

static void forget_the_tcb(struct reaction *r)
{
    r->snd_una = r->snd_nxt = r->snd_wnd = r->snd_wl1 = r->snd_wl2 = r->max_snd_wnd = 0;
    r->rcv_nxt = r->rcv_wnd = r->urgent = 0;
    r->closing = r->ts_ok = false;
}

/* Variables that the state gives no meaning are not compared. */
static struct reaction meaningful(struct reaction r, bool user_gone, bool to_the_end)
{
    if (r.state < RFC_SYN_RECEIVED)
        forget_the_tcb(&r);
    if (!r.ts_ok)
        r.ts_recent = 0;
    if (r.closing)
        r.rcv_wnd = 0;
    if (r.state < RFC_ESTABLISHED || user_gone || !to_the_end)
        r.stream = 0;
    if (r.state ==
        RFC_TIME_WAIT) /* nothing will be sent; RFC 5961 5.2 lets the largest window grow */
        r.snd_wnd = r.snd_wl1 = r.snd_wl2 = r.max_snd_wnd = 0;
    return r;
}

struct reaction reaction_of_oracle(const struct oracle *o, bool to_the_end)
{
    const struct rfc_tcb *t = &o->t;
    struct reaction r = {
        .state = t->state,
        .n_answers = o->n_answers,
        .signals = o->signals,
        .error = o->error,
        .two_msl = o->two_msl,
        .unread = oracle_unread(t),
        .held = oracle_held(t),
        .snd_una = t->snd_una,
        .snd_nxt = t->snd_nxt,
        .snd_wnd = t->snd_wnd,
        .snd_wl1 = t->snd_wl1,
        .snd_wl2 = t->snd_wl2,
        .max_snd_wnd = t->max_snd_wnd,
        .rcv_nxt = t->rcv_nxt,
        .rcv_wnd = t->rcv_wnd,
        .urgent = oracle_urgent(t),
        .closing = t->fin_taken,
        .ts_ok = t->ts_ok,
        .ts_recent = t->ts_recent,
        .stream = t->fin_held ? t->fin - t->irs - 1 - t->read : STREAM_GOES_ON,
    };
    memcpy(r.answer, o->answer, sizeof r.answer);
    return meaningful(r, t->user_gone, to_the_end);
}

/* ---- The engine's ---- */

static const enum rfc_state states[] = {
    [STATE_CLOSED] = RFC_CLOSED,           [STATE_LISTEN] = RFC_LISTEN,
    [STATE_SYN_SENT] = RFC_SYN_SENT,       [STATE_SYN_RECEIVED] = RFC_SYN_RECEIVED,
    [STATE_ESTABLISHED] = RFC_ESTABLISHED, [STATE_FIN_WAIT_1] = RFC_FIN_WAIT_1,
    [STATE_FIN_WAIT_2] = RFC_FIN_WAIT_2,   [STATE_CLOSE_WAIT] = RFC_CLOSE_WAIT,
    [STATE_CLOSING] = RFC_CLOSING,         [STATE_LAST_ACK] = RFC_LAST_ACK,
    [STATE_TIME_WAIT] = RFC_TIME_WAIT,
};

static unsigned signals_of(unsigned events)
{
    static const struct {
        unsigned event, signal;
    } map[] = {
        {TCB_EV_ESTABLISHED, RFC_SIG_OPEN}, {TCB_EV_ACKED, RFC_SIG_OK},
        {TCB_EV_ARRIVED, RFC_SIG_ARRIVED},  {TCB_EV_URGENT, RFC_SIG_URGENT},
        {TCB_EV_CLOSED, RFC_SIG_OVER},
    };
    unsigned signals = 0;
    for (size_t i = 0; i < sizeof map / sizeof *map; i++) {
        if (events & map[i].event) {
            signals |= map[i].signal;
            events &= ~map[i].event;
        }
    }
    assert_int_equal(events, 0);
    return signals;
}

static enum rfc_error error_of(int err)
{
    switch (err) {
    case ERR_NONE:
        return RFC_NO_ERROR;
    case ERR_RESET:
        return RFC_RESET;
    case ERR_REFUSED:
        return RFC_REFUSED;
    default:
        assert_int_equal(err, ERR_ABORTED);
        return RFC_ABORTED;
    }
}

/* A D-SACK, which comes first, tells of what has come twice (RFC 2883 4). */
static uint32_t sacked_by(const struct seg *seg)
{
    const struct sack_block *b = seg->opts.sack;
    unsigned n = seg->opts.n_sack;
    bool twice =
        n > 0 && (seq_leq(b[0].right, seg->ack) ||
                  (n > 1 && seq_leq(b[1].left, b[0].left) && seq_leq(b[0].right, b[1].right)));
    uint32_t sum = 0;
    for (unsigned i = twice; i < n; i++)
        sum += (uint32_t)seq_diff(b[i].right, b[i].left);
    return sum;
}

static void take_answers(struct reaction *r, enum rfc_when when)
{
    struct seg seg;
    while (ladder_take(HERE, &seg)) {
        assert_true(r->n_answers < RFC_ANSWERS);
        assert_int_equal(seg.text_len, 0);
        assert_int_equal(seg.ecn, ECN_NOT_ECT);
        r->answer[r->n_answers++] = (struct rfc_answer){
            .ctl = seg.flags,
            .seq = seg.seq.v,
            .ack = seg.flags & ACK ? seg.ack.v : 0,
            .sacked = sacked_by(&seg),
            .when = when,
            .ts = seg.opts.has_ts,
            .tsecr = seg.opts.ts_ecr,
        };
    }
}

/* No timer but that of the delayed ACK is as short. */
static void wait_for_delayed_ack(struct reaction *r)
{
    the.now_ns += the.config.ack_delay_ns;
    tcp_timeout(&the.tcb, the.now_ns);
    take_answers(r, RFC_DELAYED);
}

/* The user RECEIVEs all there is, or `closing` when it is the end. */
static uint32_t read_all(bool *closing)
{
    uint32_t sum = 0;
    int64_t got;
    while ((got = user_receive(RFC_STREAM)) > 0) { /* the ladder looks at each octet */
        sum += (uint32_t)got;
        batch();
    }
    *closing = got == 0;
    ignore();
    return sum;
}

/* No FIN of the test's lies further away. */
#define STREAM_SEEN (2 * SCENE_WND + SCENE_TEXT_MAX)

static uint32_t stream_of(const struct reaction *r, bool to_the_end)
{
    bool closing;
    uint32_t sum = read_all(&closing);
    if (r->state < RFC_ESTABLISHED || the.tcb.orphan || !to_the_end)
        return 0;
    while (!closing && sum < STREAM_SEEN) {
        receive(.flags = ACK, .seq = theirs(), .ack = the.tcb.snd.una.v - the.iss,
                .text = SCENE_WND);
        ignore();
        uint32_t more = read_all(&closing);
        assert_true(more > 0 || closing);
        sum += more;
    }
    return closing ? sum : STREAM_GOES_ON;
}

struct reaction reaction_of_engine(uint64_t linger_ns, bool to_the_end)
{
    const struct tcb *t = &the.tcb;
    struct reaction r = {0};
    take_answers(&r, RFC_AT_ONCE);
    wait_for_delayed_ack(&r);
    r.state = states[t->state];
    r.signals = signals_of(t->events);
    r.error = error_of(t->error);
    r.two_msl = t->state == STATE_TIME_WAIT && t->linger_due_ns != linger_ns;
    r.unread = (uint32_t)rcvq_len(&t->rcvq);
    r.held = (uint32_t)ranges_total(&t->rcvq.held->beyond);
    r.snd_una = t->snd.una.v;
    r.snd_nxt = t->snd.nxt.v;
    r.snd_wnd = t->snd.wnd;
    r.snd_wl1 = t->snd.wl1.v;
    r.snd_wl2 = t->snd.wl2.v;
    r.max_snd_wnd = t->snd.wnd_max;
    r.rcv_nxt = t->rcv.nxt.v;
    r.rcv_wnd = tcb_rcv_wnd(t);
    r.urgent = (uint32_t)tcp_urgent_left(t);
    r.closing = tcb_fin_taken(t);
    r.ts_ok = t->ts;
    r.ts_recent = t->timestamps.recent;
    r.stream = stream_of(&r, to_the_end);
    return meaningful(r, t->orphan, to_the_end);
}

/* ---- Comparing ---- */

static bool same_answers(const struct reaction *a, const struct reaction *b)
{
    if (a->n_answers != b->n_answers)
        return false;
    for (unsigned i = 0; i < a->n_answers; i++) {
        const struct rfc_answer *x = &a->answer[i], *y = &b->answer[i];
        if (x->ctl != y->ctl || x->seq != y->seq || x->ack != y->ack || x->sacked != y->sacked ||
            x->when != y->when)
            return false;
        if (x->ts != y->ts || (x->ts && x->tsecr != y->tsecr))
            return false;
    }
    return true;
}

bool reaction_same(const struct reaction *a, const struct reaction *b)
{
    return a->state == b->state && same_answers(a, b) && a->signals == b->signals &&
           a->error == b->error && a->two_msl == b->two_msl && a->unread == b->unread &&
           a->held == b->held && a->snd_una == b->snd_una && a->snd_nxt == b->snd_nxt &&
           a->snd_wnd == b->snd_wnd && a->snd_wl1 == b->snd_wl1 && a->snd_wl2 == b->snd_wl2 &&
           a->max_snd_wnd == b->max_snd_wnd && a->rcv_nxt == b->rcv_nxt &&
           a->rcv_wnd == b->rcv_wnd && a->urgent == b->urgent && a->closing == b->closing &&
           a->ts_ok == b->ts_ok && a->ts_recent == b->ts_recent && a->stream == b->stream;
}
