/* See steps.h. */
#include "steps.h"

#include "scenes.h"
#include "segments.h"

struct scene_numbers scene_numbers;
bool scene_stamped;
bool scene_ecn;

/* Timestamps take 12 octets off the text. */
static int announced_mss(void)
{
    return SCENE_MSS + (scene_stamped ? 12 : 0);
}

/* Of a SYN: these flags, when both agree on ECN. */
static unsigned ecn(unsigned flags)
{
    return scene_ecn ? flags : 0;
}

void step_opened(struct rfc_tcb *t)
{
    bool passive = t->passive;
    the.iss = scene_numbers.iss;
    the.irs = scene_numbers.irs;
    the.path.mtu = (uint16_t)(announced_mss() + 40);
    the.config.rcvbuf = the.config.rcvbuf_max = SCENE_WND;
    the.stamped = scene_stamped;
    the.config.sack = scene_numbers.sack;
    the.config.ecn = scene_ecn ? TCP_ECN_ASK : TCP_ECN_ANSWER;
    ladder_open(HERE, passive);
    *t = (struct rfc_tcb){.state = passive ? RFC_LISTEN : RFC_SYN_SENT,
                          .passive = passive,
                          .sack = scene_numbers.sack,
                          .ecn = scene_ecn,
                          .rmss = SCENE_MSS,
                          .iss = the.iss,
                          .snd_una = the.iss,
                          .snd_nxt = the.iss + 1,
                          .rcv_wnd = SCENE_WND};
    if (!passive)
        expect(.flags = SYN | ecn(TCP_ECE | TCP_CWR), .seq = 0);
}

/* The peer's SYN, or SYN,ACK. */
static struct line peers_syn(unsigned flags, uint32_t wnd)
{
    return (struct line){.flags = flags,
                         .ack = 1,
                         .wnd = (int)wnd,
                         .mss = announced_mss(),
                         .sack_ok = scene_numbers.sack ? 1 : NONE};
}

static void numbers_agreed(struct rfc_tcb *t, unsigned ack, uint32_t wnd)
{
    t->irs = the.irs;
    t->rcv_nxt = t->rcv_up = the.irs + 1;
    t->snd_wnd = t->max_snd_wnd = wnd;
    t->snd_wl1 = the.irs;
    t->snd_wl2 = ack ? the.iss + ack : 0;
    t->ts_ok = the.stamped;
    t->ts_recent = the.irs + the.peer_val;
}

static void syn_received(struct rfc_tcb *t, uint32_t wnd)
{
    step_opened(t);
    ladder_receive(HERE, peers_syn(SYN | ecn(TCP_ECE | TCP_CWR), wnd));
    expect(.flags = SYN | ACK | ecn(TCP_ECE), .seq = 0, .ack = 1);
    numbers_agreed(t, 0, wnd);
    t->state = RFC_SYN_RECEIVED;
}

void step_syn_received(struct rfc_tcb *t)
{
    syn_received(t, SCENE_PEER_WND);
}

void step_syn_acked(struct rfc_tcb *t)
{
    receive(.flags = ACK, .seq = 1, .ack = 1);
    t->state = RFC_ESTABLISHED;
    t->snd_una = the.iss + 1;
    t->snd_wl1 = the.irs + 1;
    t->snd_wl2 = the.iss + 1;
    if (t->close_queued) {
        expect(.flags = FIN | ACK, .seq = 1, .ack = 1);
        t->fin_sent = true;
        t->snd_nxt++;
        t->state = RFC_FIN_WAIT_1;
    }
}

void step_established(struct rfc_tcb *t, uint32_t wnd)
{
    if (t->passive) {
        syn_received(t, wnd);
        step_syn_acked(t);
        return;
    }
    step_opened(t);
    ladder_receive(HERE, peers_syn(SYN | ACK | ecn(TCP_ECE), wnd));
    expect(.flags = ACK, .seq = 1, .ack = 1);
    numbers_agreed(t, 1, wnd);
    t->state = RFC_ESTABLISHED;
    t->snd_una = the.iss + 1;
}

void step_in_flight(struct rfc_tcb *t)
{
    user_sends(2 * SCENE_MSS);
    ignore();
    t->snd_nxt += 2 * SCENE_MSS;
}

/* The number of the next segment the peer sends, when it is in order. */
static uint32_t next(const struct rfc_tcb *t)
{
    return t->rcv_nxt - the.irs;
}

static uint32_t acked(const struct rfc_tcb *t)
{
    return t->snd_una - the.iss;
}

void step_unread(struct rfc_tcb *t, uint32_t n)
{
    while (n > 0) {
        uint32_t now = n < SCENE_MSS ? n : SCENE_MSS;
        receive(.flags = ACK, .seq = next(t), .ack = acked(t), .text = now);
        ignore();
        later(40); /* a delayed ACK */
        ignore();
        for (uint32_t i = 0; i < now; i++)
            t->arrived[t->rcv_nxt - the.irs - 1 + i] = true;
        t->snd_wl1 = t->rcv_nxt;
        t->rcv_nxt += now;
        t->rcv_wnd -= now;
        n -= now;
    }
}

void step_unacknowledged(struct rfc_tcb *t)
{
    receive(.flags = ACK, .seq = next(t), .ack = acked(t), .text = SCENE_MSS);
    t->snd_wl1 = t->rcv_nxt;
    for (uint32_t i = 0; i < SCENE_MSS; i++)
        t->arrived[t->rcv_nxt++ - the.irs - 1] = true;
    t->rcv_wnd -= SCENE_MSS;
    t->unacked = SCENE_MSS;
}

void step_hole(struct rfc_tcb *t, unsigned fin)
{
    receive(.flags = ACK | fin, .seq = next(t) + 50, .ack = acked(t), .text = 50);
    expect(.flags = ACK, .seq = ours(), .ack = next(t));
    for (uint32_t i = 50; i < 100; i++)
        t->arrived[t->rcv_nxt - the.irs - 1 + i] = true;
    t->snd_wl1 = t->rcv_nxt + 50;
    t->fin_held = fin;
    t->fin = fin ? t->rcv_nxt + 100 : 0;
}

void step_urgent(struct rfc_tcb *t)
{
    receive(.flags = URG | ACK, .seq = next(t), .ack = acked(t), .up = 2);
    t->snd_wl1 = t->rcv_nxt;
    t->rcv_up = t->rcv_nxt + 2;
    t->urgent = true;
}

void step_throttled(struct rfc_tcb *t)
{
    for (int i = 0; i < 10; i++) {
        receive(.flags = RST, .seq = next(t) + 1);
        expect(.flags = ACK, .seq = ours(), .ack = next(t));
    }
    t->throttled = true;
}

void step_left(struct rfc_tcb *t)
{
    user_leave();
    ignore();
    t->user_gone = t->fin_sent = true;
    t->snd_nxt++;
    t->state = RFC_FIN_WAIT_1;
}

void step_fin_sent(struct rfc_tcb *t)
{
    assert_int_equal(user_close(), ERR_NONE);
    ignore();
    t->fin_sent = true;
    t->snd_nxt++;
    t->state = t->state == RFC_CLOSE_WAIT ? RFC_LAST_ACK : RFC_FIN_WAIT_1;
}

void step_fin_acked(struct rfc_tcb *t)
{
    receive(.flags = ACK, .seq = next(t), .ack = ours());
    t->snd_una = t->snd_nxt;
    t->snd_wl1 = t->rcv_nxt;
    t->snd_wl2 = t->snd_una;
    t->state = t->state == RFC_CLOSING ? RFC_TIME_WAIT : RFC_FIN_WAIT_2;
}

void step_fin_received(struct rfc_tcb *t)
{
    receive(.flags = FIN | ACK, .seq = next(t), .ack = acked(t));
    ignore();
    t->snd_wl1 = t->rcv_nxt;
    t->fin = t->rcv_nxt++;
    t->fin_held = t->fin_taken = true;
    t->rcv_wnd = the.edge.v - t->rcv_nxt; /* as the ACK has it; a FIN takes no room */
    t->state = t->state == RFC_ESTABLISHED  ? RFC_CLOSE_WAIT
               : t->state == RFC_FIN_WAIT_1 ? RFC_CLOSING
                                            : RFC_TIME_WAIT;
}
