/*
 * The transmission control block: making, ending and checking one. See tcb.h. Nothing here acts on
 * a segment or on time.
 */
#include "tcb.h"

#include "ip.h"
#include "loss.h"
#include "minmax.h"
#include "tcp.h"

uint32_t tcb_options_len(const struct tcb *t)
{
    return t->ts ? TCP_TS_LEN : 0;
}

uint32_t tcb_path_mss(const struct tcb *t)
{
    return t->pmtu.first - (uint32_t)ip_hdr_len(&t->flow->remote) - TCP_HDR_LEN;
}

uint32_t tcb_mss_max(const struct tcb *t)
{
    uint32_t mss = tcb_path_mss(t), wanted = t->settings->mss_max;
    return wanted > 0 && wanted < mss ? wanted : mss;
}

void tcb_init(struct tcb *t, const struct flow *flow, uint16_t first_mtu, struct tcp_common *common,
              uint32_t id, struct busy *busy)
{
    const struct tcp_config *config = common->config;
    *t = (struct tcb){
        .state = STATE_CLOSED,
        .busy = (struct busy *)&busy_none,
        .flow = flow,
        .pmtu.first = first_mtu,
        .common = common,
        .id = id,
        .settings = shared_again(&common->defaults.value),
    };
    t->snd.mss = t->pmtu.mss_max = (uint16_t)tcb_path_mss(t);
    rcvq_init(&t->rcvq);
    rcvwnd_init(&t->rcvwnd, config->rcvbuf, config->rcvbuf_max, t->snd.mss);
    t->rcvwnd.fixed = !config->moderate_rcvbuf;
    rto_init(&t->rto, config->rto_initial_ns);
    struct cc cc;
    cc_init(&cc, config->cc, t->snd.mss, false);
    cc_rest(&cc, &t->cc_rest);
    ackdelay_init(&t->ackdelay, t->snd.mss);
    ackdelay_quick(&t->ackdelay, config->quickacks);
    if (busy)
        tcb_begin_busy(t, busy);
}

void tcb_finish(struct tcb *t)
{
    tcb_unbusy(t);
    rcvq_finish(&t->rcvq);
    shared_put(&t->common->settings, t->settings);
}

seq_t tcb_text_start(const struct tcb *t)
{
    /* Not by comparing numbers: SND.UNA comes by ISS again every 2^32 octets. */
    return tcb_synchronized(t) ? t->snd.una : seq_add(t->snd.iss, 1);
}

seq_t tcb_text_head(const struct tcb *t)
{
    return seq_sub(t->rcv.nxt, tcb_fin_taken(t));
}

seq_t tcb_text_end(const struct tcb *t)
{
    return seq_add(tcb_text_start(t), (uint32_t)t->busy->sndq.len);
}

bool tcb_fin_acked(const struct tcb *t)
{
    return t->fin_sent && seq_lt(t->snd.fin, t->snd.una);
}

bool tcb_fin_taken(const struct tcb *t)
{
    return t->fin_seen && seq_lt(t->rcv.fin, t->rcv.nxt);
}

bool tcb_has_room(const struct tcb *t)
{
    return t->busy->sndq.len < tcb_sndbuf(t) - tcb_sndbuf(t) / 3;
}

bool tcb_lingers(const struct tcb *t)
{
    return t->state == STATE_TIME_WAIT || (t->state == STATE_FIN_WAIT_2 && t->orphan);
}

bool tcb_synchronized(const struct tcb *t)
{
    return t->state >= STATE_ESTABLISHED;
}

bool tcb_idle(const struct tcb *t)
{
    return tcb_synchronized(t) && t->state != STATE_TIME_WAIT && seq_eq(t->snd.una, t->snd.nxt) &&
           t->busy->sndq.len == 0 && t->fin_queued == t->fin_sent;
}

bool tcb_receives(const struct tcb *t)
{
    return t->state == STATE_ESTABLISHED || t->state == STATE_FIN_WAIT_1 ||
           t->state == STATE_FIN_WAIT_2;
}

uint32_t tcb_rcv_wnd(const struct tcb *t)
{
    return (uint32_t)(t->rcvwnd.edge - t->rcvq.head);
}

uint64_t tcb_stream_offset(const struct tcb *t, seq_t s)
{
    return t->rcvq.head + (uint64_t)(int64_t)seq_diff(s, t->rcv.nxt);
}

uint32_t tcb_sndbuf(const struct tcb *t)
{
    if (t->settings->sndbuf)
        return t->settings->sndbuf;
    return max_u32(t->common->config->sndbuf, t->busy->sndbuf);
}

void tcb_trouble(struct tcb *t, int err)
{
    t->events |= TCB_EV_TROUBLE;
    if (tcp_settings_ip(t->settings, &t->flow->remote)->report)
        t->report = (int8_t)err;
}

uint64_t tcb_rto_ns(const struct tcb *t)
{
    return rto_get(&t->rto, t->common->config->rto_max_ns);
}

/* As it is, or, in *resumed, as it would go on. */
static const struct cc *congestion_control(const struct tcb *t, struct cc *resumed)
{
    if (tcb_is_busy(t))
        return &t->busy->cc;
    cc_resume(resumed, &t->cc_rest, t->settings->cc, t->snd.mss);
    return resumed;
}

static const char *check_sender(const struct tcb *t)
{
    uint32_t in_flight = (uint32_t)seq_diff(t->snd.nxt, tcb_text_start(t));
    bool fin_in_flight = t->fin_sent && !tcb_fin_acked(t);
    if (!seq_leq(t->snd.una, t->snd.nxt))
        return "SND.UNA =< SND.NXT";
    if (t->fin_sent && !t->fin_queued)
        return "FIN is sent only after CLOSE";
    if (t->fin_sent && !seq_eq(t->snd.nxt, seq_add(t->snd.fin, 1)))
        return "FIN is the last that is sent";
    if (in_flight < (uint32_t)fin_in_flight || in_flight - fin_in_flight > t->busy->sndq.len)
        return "what is in flight is in the send queue";
    if (seq_lt(t->snd.up, t->snd.una) || seq_lt(tcb_text_end(t), t->snd.up))
        return "SND.UNA =< SND.UP =< the end of what was SENT";
    if ((t->probe || t->loss_probe) && !tcb_is_busy(t))
        return "a probe is of something";
    struct cc resumed;
    const struct cc *cc = congestion_control(t, &resumed);
    if (t->snd.mss > t->pmtu.mss_max || cc->mss != t->snd.mss)
        return "the MSS is one that peer and path take";
    if (cc->cwnd < cc->mss)
        return "cwnd >= 1 SMSS";
    if (seq_lt(t->snd.una, t->snd.nxt) && t->busy->rtx_due_ns == TIME_NEVER &&
        !persist_on(&t->busy->persist))
        return "a timer runs while something is unacknowledged";
    if (seq_eq(t->snd.una, t->snd.nxt) && t->busy->give_up_due_ns != TIME_NEVER)
        return "the user timeout runs only while something is unacknowledged";
    return loss_check(t);
}

static const char *check_receiver(const struct tcb *t)
{
    if (t->rcvwnd.edge < t->rcvq.head)
        return "RCV.NXT =< right edge of the window";
    if (t->rcvq.start > t->rcvq.head)
        return "nothing is read before it has arrived";
    if (t->busy->rcv_up > t->rcvwnd.edge + UINT16_MAX)
        return "RCV.UP is one that a segment in the window can point to";
    uint32_t taken = (uint32_t)t->rcvq.head + (uint32_t)tcb_fin_taken(t);
    if (tcb_synchronized(t) && !seq_eq(t->rcv.nxt, seq_add(t->rcv.irs, 1 + taken)))
        return "RCV.NXT = IRS + 1 + text and FIN";
    if (t->ecn_echo && !t->ecn)
        return "marks are echoed where ECN is agreed upon";
    return NULL;
}

const char *tcb_check(const struct tcb *t)
{
    if (t->state == STATE_CLOSED || t->state == STATE_LISTEN) {
        if (t->busy->rtx_due_ns != TIME_NEVER || t->busy->give_up_due_ns != TIME_NEVER ||
            persist_on(&t->busy->persist))
            return "no timer runs without a connection";
        return NULL;
    }
    if (t->state == STATE_TIME_WAIT)
        return t->linger_due_ns != TIME_NEVER ? check_receiver(t) : "TIME-WAIT ends";
    if (!tcb_synchronized(t))
        return t->rcvwnd.edge >= t->rcvq.head ? NULL : "RCV.NXT =< right edge of the window";
    const char *why = check_sender(t);
    return why ? why : check_receiver(t);
}

const char *tcb_check_deep(const struct tcb *t)
{
    if (!sndq_check(&t->busy->sndq))
        return "the send queue is whole";
    if (!rcvq_check(&t->rcvq))
        return "the receive queue is whole";
    if (loss_by_sack(t) && tcb_is_busy(t) &&
        !scoreboard_check(&t->busy->sack_recovery.board, t->snd.una, t->snd.nxt))
        return "the scoreboard covers what is in flight";
    return tcb_check(t);
}

/* Text in flight, without SYN and FIN. */
static uint32_t text_in_flight(const struct tcb *t)
{
    if (!tcb_synchronized(t))
        return 0;
    return (uint32_t)seq_diff(t->snd.nxt, t->snd.una) - (t->fin_sent && !tcb_fin_acked(t));
}

void tcb_status(const struct tcb *t, struct tcp_status *status)
{
    uint32_t in_flight = text_in_flight(t);
    struct cc resumed;
    const struct cc *cc = congestion_control(t, &resumed);
    *status = (struct tcp_status){
        .state = t->state,
        .flow = *t->flow,
        .snd_wnd = t->snd.wnd,
        .rcv_wnd = tcb_rcv_wnd(t),
        .snd_mss = t->snd.mss,
        .rcv_mss = t->rcvwnd.mss - (tcb_synchronized(t) ? tcb_options_len(t) : 0),
        .rcv_largest = t->ackdelay.largest,
        .path_mtu = t->pmtu.mtu ? t->pmtu.mtu : t->pmtu.first,
        .snd_shift = t->snd.shift,
        .rcv_shift = t->rcvwnd.shift,
        .scaled = t->shift_offered && tcb_synchronized(t),
        .sack = loss_by_sack(t),
        .timestamps = t->ts && tcb_synchronized(t),
        .ecn = t->ecn && tcb_synchronized(t),
        .ecn_seen = t->ecn_seen,
        .sacked = t->busy->sack_recovery.board.sacked,
        .lost = t->busy->sack_recovery.board.lost,
        .sndbuf = tcb_sndbuf(t),
        .rcvbuf = t->rcvwnd.size,
        .cwnd = cc->cwnd,
        .pacing_rate = pacing_rate(t, cc),
        .max_pacing_rate = t->settings->max_pacing_rate,
        .ssthresh = cc->ssthresh,
        .flight = (uint32_t)seq_diff(t->snd.nxt, t->snd.una),
        .unsent_or_unacked = t->busy->sndq.len,
        .unsent = t->busy->sndq.len > in_flight ? t->busy->sndq.len - in_flight : 0,
        .unread = rcvq_len(&t->rcvq),
        .srtt_ns = rto_srtt_ns(&t->rto),
        .rto_ns = tcb_rto_ns(t),
        .rttvar_ns = rto_rttvar_ns(&t->rto),
        .ack_delay_ns = ackdelay_max(t->common->config->ack_delay_ns),
        .text_sent_ns = tcb_lingers(t) ? 0 : t->last_sent_ns,
        .heard_ns = t->keepalive.heard_ns,
        .retries = t->busy->retries,
        .backoff = t->rto.backoff,
        .probes = t->keepalive.unanswered,
        .resent = t->resent,
        .dsack_dups = t->dsack_dups,
        .segs_in = t->segs_in,
        .segs_out = t->segs_out,
        .octets_acked = t->octets_acked,
        .octets_received = t->rcvq.head,
        .octets_sent = t->octets_acked + in_flight + t->octets_resent,
        .octets_resent = t->octets_resent,
        .soft_error = t->soft_error,
    };
}
