/* See scenes.h. Each step is taken by the engine, and written down for the oracle. */
#include "scenes.h"

#include "segments.h"

struct scene_numbers scene_numbers;

static void opened(struct rfc_tcb *t, bool passive)
{
    the.iss = scene_numbers.iss;
    the.irs = scene_numbers.irs;
    the.path.mtu = SCENE_MSS + 40;
    the.config.rcvbuf = the.config.rcvbuf_max = SCENE_WND;
    ladder_open(HERE, passive);
    *t = (struct rfc_tcb){.state = passive ? RFC_LISTEN : RFC_SYN_SENT,
                          .passive = passive,
                          .rmss = SCENE_MSS,
                          .iss = the.iss,
                          .snd_una = the.iss,
                          .snd_nxt = the.iss + 1,
                          .rcv_wnd = SCENE_WND};
    if (!passive)
        expect(.flags = SYN, .seq = 0);
}

static void numbers_agreed(struct rfc_tcb *t, unsigned ack)
{
    t->irs = the.irs;
    t->rcv_nxt = t->rcv_up = the.irs + 1;
    t->snd_wnd = t->max_snd_wnd = SCENE_PEER_WND;
    t->snd_wl1 = the.irs;
    t->snd_wl2 = ack ? the.iss + ack : 0;
}

static void syn_received(struct rfc_tcb *t, bool passive)
{
    opened(t, passive);
    receive(.flags = SYN, .seq = 0, .wnd = SCENE_PEER_WND, .mss = SCENE_MSS);
    expect(.flags = SYN | ACK, .seq = 0, .ack = 1);
    numbers_agreed(t, 0);
    t->state = RFC_SYN_RECEIVED;
}

static void established_by(struct rfc_tcb *t, bool passive)
{
    if (passive) {
        syn_received(t, true);
        receive(.flags = ACK, .seq = 1, .ack = 1);
        t->snd_wl1 = the.irs + 1;
        t->snd_wl2 = the.iss + 1;
    } else {
        opened(t, false);
        receive(.flags = SYN | ACK, .ack = 1, .wnd = SCENE_PEER_WND, .mss = SCENE_MSS);
        expect(.flags = ACK, .seq = 1, .ack = 1);
        numbers_agreed(t, 1);
    }
    t->state = RFC_ESTABLISHED;
    t->snd_una = the.iss + 1;
}

static void established(struct rfc_tcb *t)
{
    established_by(t, false);
}

/* Two segments, not acknowledged. */
static void in_flight(struct rfc_tcb *t)
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

/* Text arrives and is acknowledged; nobody reads it. */
static void unread(struct rfc_tcb *t, uint32_t n)
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

/* Text that waits for its ACK. */
static void unacknowledged(struct rfc_tcb *t)
{
    receive(.flags = ACK, .seq = next(t), .ack = acked(t), .text = SCENE_MSS);
    t->snd_wl1 = t->rcv_nxt;
    for (uint32_t i = 0; i < SCENE_MSS; i++)
        t->arrived[t->rcv_nxt++ - the.irs - 1] = true;
    t->rcv_wnd -= SCENE_MSS;
    t->unacked = SCENE_MSS;
}

/* Octets 50 to 99 of the window are here, those before are not; and perhaps the FIN. */
static void hole(struct rfc_tcb *t, unsigned fin)
{
    receive(.flags = ACK | fin, .seq = next(t) + 50, .ack = acked(t), .text = 50);
    expect(.flags = ACK, .seq = ours(), .ack = next(t));
    for (uint32_t i = 50; i < 100; i++)
        t->arrived[t->rcv_nxt - the.irs - 1 + i] = true;
    t->snd_wl1 = t->rcv_nxt + 50;
    t->fin_held = fin;
    t->fin = fin ? t->rcv_nxt + 100 : 0;
}

/* As many challenge ACKs as there are in 5 seconds (RFC 5961 7). */
static void throttled(struct rfc_tcb *t)
{
    for (int i = 0; i < 10; i++) {
        receive(.flags = RST, .seq = next(t) + 1);
        expect(.flags = ACK, .seq = ours(), .ack = next(t));
    }
    t->throttled = true;
}

/* The user has CLOSEd and will not RECEIVE (3.6.1, MAY-1). */
static void left(struct rfc_tcb *t)
{
    user_leave();
    ignore();
    t->user_gone = t->fin_sent = true;
    t->snd_nxt++;
    t->state = RFC_FIN_WAIT_1;
}

static void fin_sent(struct rfc_tcb *t)
{
    assert_int_equal(user_close(), ERR_NONE);
    ignore();
    t->fin_sent = true;
    t->snd_nxt++;
    t->state = t->state == RFC_CLOSE_WAIT ? RFC_LAST_ACK : RFC_FIN_WAIT_1;
}

static void fin_acked(struct rfc_tcb *t)
{
    receive(.flags = ACK, .seq = next(t), .ack = ours());
    t->snd_una = t->snd_nxt;
    t->snd_wl1 = t->rcv_nxt;
    t->snd_wl2 = t->snd_una;
    t->state = t->state == RFC_CLOSING ? RFC_TIME_WAIT : RFC_FIN_WAIT_2;
}

static void fin_received(struct rfc_tcb *t)
{
    receive(.flags = FIN | ACK, .seq = next(t), .ack = acked(t));
    expect(.flags = ACK, .seq = ours(), .ack = next(t) + 1);
    t->snd_wl1 = t->rcv_nxt;
    t->fin = t->rcv_nxt++;
    t->fin_held = t->fin_taken = true;
    t->rcv_wnd = the.edge.v - t->rcv_nxt; /* as the ACK has it; a FIN takes no room */
    t->state = t->state == RFC_ESTABLISHED  ? RFC_CLOSE_WAIT
               : t->state == RFC_FIN_WAIT_1 ? RFC_CLOSING
                                            : RFC_TIME_WAIT;
}

/* ---- The scenes ---- */

static void scene_closed(struct rfc_tcb *t)
{
    opened(t, true);
    user_close();
    t->state = RFC_CLOSED;
}

static void scene_listen(struct rfc_tcb *t)
{
    opened(t, true);
}

static void scene_syn_sent(struct rfc_tcb *t)
{
    opened(t, false);
}

static void scene_syn_received_passive(struct rfc_tcb *t)
{
    syn_received(t, true);
}

static void scene_syn_received_active(struct rfc_tcb *t)
{
    syn_received(t, false);
}

static void scene_syn_received_closed(struct rfc_tcb *t)
{
    syn_received(t, false);
    assert_int_equal(user_close(), ERR_NONE);
    t->close_queued = true;
}

static void scene_established_passive(struct rfc_tcb *t)
{
    established_by(t, true);
}

static void scene_established_flight(struct rfc_tcb *t)
{
    established(t);
    in_flight(t);
}

static void scene_established_unread(struct rfc_tcb *t)
{
    established(t);
    in_flight(t);
    unread(t, SCENE_MSS);
}

static void scene_established_shut(struct rfc_tcb *t)
{
    established(t);
    unread(t, SCENE_WND);
}

static void scene_established_shut_flight(struct rfc_tcb *t)
{
    established(t);
    unread(t, SCENE_WND);
    in_flight(t);
}

static void scene_established_hole(struct rfc_tcb *t)
{
    established(t);
    hole(t, 0);
}

static void scene_established_held_fin(struct rfc_tcb *t)
{
    established(t);
    hole(t, FIN);
}

static void scene_established_unacknowledged(struct rfc_tcb *t)
{
    established(t);
    unacknowledged(t);
}

static void scene_established_throttled(struct rfc_tcb *t)
{
    established(t);
    throttled(t);
}

static void scene_fin_wait_1(struct rfc_tcb *t)
{
    established(t);
    fin_sent(t);
}

static void scene_fin_wait_1_flight(struct rfc_tcb *t)
{
    established(t);
    in_flight(t);
    fin_sent(t);
}

static void scene_fin_wait_1_shut(struct rfc_tcb *t)
{
    established(t);
    unread(t, SCENE_WND);
    fin_sent(t);
}

static void scene_fin_wait_1_hole(struct rfc_tcb *t)
{
    scene_established_hole(t);
    fin_sent(t);
}

static void scene_fin_wait_1_held_fin(struct rfc_tcb *t)
{
    scene_established_held_fin(t);
    fin_sent(t);
}

static void scene_fin_wait_1_left(struct rfc_tcb *t)
{
    established(t);
    left(t);
}

static void scene_fin_wait_2(struct rfc_tcb *t)
{
    scene_fin_wait_1(t);
    fin_acked(t);
}

static void scene_fin_wait_2_unread(struct rfc_tcb *t)
{
    scene_fin_wait_2(t);
    unread(t, SCENE_MSS);
}

static void scene_fin_wait_2_shut(struct rfc_tcb *t)
{
    scene_fin_wait_1_shut(t);
    fin_acked(t);
}

static void scene_fin_wait_2_held_fin(struct rfc_tcb *t)
{
    scene_fin_wait_2(t);
    hole(t, FIN);
}

static void scene_fin_wait_2_left(struct rfc_tcb *t)
{
    scene_fin_wait_1_left(t);
    fin_acked(t);
}

static void scene_close_wait(struct rfc_tcb *t)
{
    established(t);
    fin_received(t);
}

static void scene_close_wait_flight(struct rfc_tcb *t)
{
    established(t);
    in_flight(t);
    fin_received(t);
}

static void scene_close_wait_unread(struct rfc_tcb *t)
{
    established(t);
    unread(t, SCENE_MSS);
    fin_received(t);
}

static void scene_close_wait_shut(struct rfc_tcb *t)
{
    established(t);
    unread(t, SCENE_WND);
    fin_received(t);
}

static void scene_closing(struct rfc_tcb *t)
{
    scene_fin_wait_1(t);
    fin_received(t);
}

static void scene_closing_flight(struct rfc_tcb *t)
{
    scene_fin_wait_1_flight(t);
    fin_received(t);
}

static void scene_closing_unread(struct rfc_tcb *t)
{
    established(t);
    unread(t, SCENE_MSS);
    fin_sent(t);
    fin_received(t);
}

static void scene_closing_shut(struct rfc_tcb *t)
{
    scene_fin_wait_1_shut(t);
    fin_received(t);
}

static void scene_last_ack(struct rfc_tcb *t)
{
    scene_close_wait(t);
    fin_sent(t);
}

static void scene_last_ack_flight(struct rfc_tcb *t)
{
    scene_close_wait_flight(t);
    fin_sent(t);
}

static void scene_last_ack_unread(struct rfc_tcb *t)
{
    scene_close_wait_unread(t);
    fin_sent(t);
}

static void scene_last_ack_shut(struct rfc_tcb *t)
{
    scene_close_wait_shut(t);
    fin_sent(t);
}

static void scene_time_wait(struct rfc_tcb *t)
{
    scene_fin_wait_2(t);
    fin_received(t);
}

static void scene_time_wait_by_closing(struct rfc_tcb *t)
{
    scene_closing(t);
    fin_acked(t);
}

static void scene_time_wait_unread(struct rfc_tcb *t)
{
    scene_fin_wait_2_unread(t);
    fin_received(t);
}

static void scene_time_wait_shut(struct rfc_tcb *t)
{
    scene_fin_wait_2_shut(t);
    fin_received(t);
}

const struct scene scenes[] = {
    {"CLOSED", scene_closed},
    {"LISTEN", scene_listen},
    {"SYN-SENT", scene_syn_sent},
    {"SYN-RECEIVED, passive", scene_syn_received_passive},
    {"SYN-RECEIVED, active", scene_syn_received_active},
    {"SYN-RECEIVED, CLOSE queued", scene_syn_received_closed},
    {"ESTABLISHED", established},
    {"ESTABLISHED, passive", scene_established_passive},
    {"ESTABLISHED, text in flight", scene_established_flight},
    {"ESTABLISHED, unread, text in flight", scene_established_unread},
    {"ESTABLISHED, window shut", scene_established_shut},
    {"ESTABLISHED, window shut, text in flight", scene_established_shut_flight},
    {"ESTABLISHED, a hole", scene_established_hole},
    {"ESTABLISHED, a FIN beyond a hole", scene_established_held_fin},
    {"ESTABLISHED, an ACK delayed", scene_established_unacknowledged},
    {"ESTABLISHED, challenges used up", scene_established_throttled},
    {"FIN-WAIT-1", scene_fin_wait_1},
    {"FIN-WAIT-1, text in flight", scene_fin_wait_1_flight},
    {"FIN-WAIT-1, window shut", scene_fin_wait_1_shut},
    {"FIN-WAIT-1, a hole", scene_fin_wait_1_hole},
    {"FIN-WAIT-1, a FIN beyond a hole", scene_fin_wait_1_held_fin},
    {"FIN-WAIT-1, the user has left", scene_fin_wait_1_left},
    {"FIN-WAIT-2", scene_fin_wait_2},
    {"FIN-WAIT-2, unread", scene_fin_wait_2_unread},
    {"FIN-WAIT-2, window shut", scene_fin_wait_2_shut},
    {"FIN-WAIT-2, a FIN beyond a hole", scene_fin_wait_2_held_fin},
    {"FIN-WAIT-2, the user has left", scene_fin_wait_2_left},
    {"CLOSE-WAIT", scene_close_wait},
    {"CLOSE-WAIT, text in flight", scene_close_wait_flight},
    {"CLOSE-WAIT, unread", scene_close_wait_unread},
    {"CLOSE-WAIT, window shut", scene_close_wait_shut},
    {"CLOSING", scene_closing},
    {"CLOSING, text in flight", scene_closing_flight},
    {"CLOSING, unread", scene_closing_unread},
    {"CLOSING, window shut", scene_closing_shut},
    {"LAST-ACK", scene_last_ack},
    {"LAST-ACK, text in flight", scene_last_ack_flight},
    {"LAST-ACK, unread", scene_last_ack_unread},
    {"LAST-ACK, window shut", scene_last_ack_shut},
    {"TIME-WAIT", scene_time_wait},
    {"TIME-WAIT, by CLOSING", scene_time_wait_by_closing},
    {"TIME-WAIT, unread", scene_time_wait_unread},
    {"TIME-WAIT, window shut", scene_time_wait_shut},
};
const unsigned n_scenes = sizeof scenes / sizeof *scenes;
