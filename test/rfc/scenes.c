/* See scenes.h. */
#include "scenes.h"

#include "segments.h"
#include "steps.h"

static void established(struct rfc_tcb *t)
{
    step_established(t, SCENE_PEER_WND);
}

static void scene_closed(struct rfc_tcb *t)
{
    step_opened(t);
    user_close();
    t->state = RFC_CLOSED;
}

static void scene_syn_received_closed(struct rfc_tcb *t)
{
    step_syn_received(t);
    assert_int_equal(user_close(), ERR_NONE);
    t->close_queued = true;
}

static void scene_established_flight(struct rfc_tcb *t)
{
    established(t);
    step_in_flight(t);
}

static void scene_established_unread(struct rfc_tcb *t)
{
    established(t);
    step_in_flight(t);
    step_unread(t, SCENE_MSS);
}

static void scene_established_shut(struct rfc_tcb *t)
{
    established(t);
    step_unread(t, SCENE_WND);
}

static void scene_established_shut_flight(struct rfc_tcb *t)
{
    established(t);
    step_unread(t, SCENE_WND);
    step_in_flight(t);
}

static void scene_established_hole(struct rfc_tcb *t)
{
    established(t);
    step_hole(t, 0);
}

static void scene_established_held_fin(struct rfc_tcb *t)
{
    established(t);
    step_hole(t, FIN);
}

static void scene_established_unacknowledged(struct rfc_tcb *t)
{
    established(t);
    step_unacknowledged(t);
}

static void scene_established_shrunk(struct rfc_tcb *t)
{
    established(t);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = 400);
    t->snd_wnd = 400;
    t->snd_wl1 = t->rcv_nxt;
}

static void scene_established_small(struct rfc_tcb *t)
{
    step_established(t, 50);
}

static void scene_established_peer_shut(struct rfc_tcb *t)
{
    established(t);
    receive(.flags = ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    t->snd_wnd = 0;
    t->snd_wl1 = t->rcv_nxt;
    t->snd_wl2 = t->snd_una;
}

static void scene_established_urgent(struct rfc_tcb *t)
{
    established(t);
    step_urgent(t);
}

static void scene_established_throttled(struct rfc_tcb *t)
{
    established(t);
    step_throttled(t);
}

static void scene_fin_wait_1(struct rfc_tcb *t)
{
    established(t);
    step_fin_sent(t);
}

static void scene_fin_wait_1_queued(struct rfc_tcb *t)
{
    scene_syn_received_closed(t);
    step_syn_acked(t);
}

static void scene_fin_wait_1_flight(struct rfc_tcb *t)
{
    established(t);
    step_in_flight(t);
    step_fin_sent(t);
}

static void scene_fin_wait_1_shut(struct rfc_tcb *t)
{
    established(t);
    step_unread(t, SCENE_WND);
    step_fin_sent(t);
}

static void scene_fin_wait_1_hole(struct rfc_tcb *t)
{
    scene_established_hole(t);
    step_fin_sent(t);
}

static void scene_fin_wait_1_held_fin(struct rfc_tcb *t)
{
    scene_established_held_fin(t);
    step_fin_sent(t);
}

static void scene_fin_wait_1_left(struct rfc_tcb *t)
{
    established(t);
    step_left(t);
}

static void scene_fin_wait_2(struct rfc_tcb *t)
{
    scene_fin_wait_1(t);
    step_fin_acked(t);
}

static void scene_fin_wait_2_unread(struct rfc_tcb *t)
{
    scene_fin_wait_2(t);
    step_unread(t, SCENE_MSS);
}

static void scene_fin_wait_2_shut(struct rfc_tcb *t)
{
    scene_fin_wait_1_shut(t);
    step_fin_acked(t);
}

static void scene_fin_wait_2_held_fin(struct rfc_tcb *t)
{
    scene_fin_wait_2(t);
    step_hole(t, FIN);
}

static void scene_fin_wait_2_left(struct rfc_tcb *t)
{
    scene_fin_wait_1_left(t);
    step_fin_acked(t);
}

static void scene_close_wait(struct rfc_tcb *t)
{
    established(t);
    step_fin_received(t);
}

static void scene_close_wait_flight(struct rfc_tcb *t)
{
    established(t);
    step_in_flight(t);
    step_fin_received(t);
}

static void scene_close_wait_unread(struct rfc_tcb *t)
{
    established(t);
    step_unread(t, SCENE_MSS);
    step_fin_received(t);
}

static void scene_close_wait_shut(struct rfc_tcb *t)
{
    established(t);
    step_unread(t, SCENE_WND);
    step_fin_received(t);
}

static void scene_closing(struct rfc_tcb *t)
{
    scene_fin_wait_1(t);
    step_fin_received(t);
}

static void scene_closing_flight(struct rfc_tcb *t)
{
    scene_fin_wait_1_flight(t);
    step_fin_received(t);
}

static void scene_closing_unread(struct rfc_tcb *t)
{
    established(t);
    step_unread(t, SCENE_MSS);
    step_fin_sent(t);
    step_fin_received(t);
}

static void scene_closing_shut(struct rfc_tcb *t)
{
    scene_fin_wait_1_shut(t);
    step_fin_received(t);
}

static void scene_last_ack(struct rfc_tcb *t)
{
    scene_close_wait(t);
    step_fin_sent(t);
}

static void scene_last_ack_flight(struct rfc_tcb *t)
{
    scene_close_wait_flight(t);
    step_fin_sent(t);
}

static void scene_last_ack_unread(struct rfc_tcb *t)
{
    scene_close_wait_unread(t);
    step_fin_sent(t);
}

static void scene_last_ack_shut(struct rfc_tcb *t)
{
    scene_close_wait_shut(t);
    step_fin_sent(t);
}

static void scene_time_wait(struct rfc_tcb *t)
{
    scene_fin_wait_2(t);
    step_fin_received(t);
}

static void scene_time_wait_by_closing(struct rfc_tcb *t)
{
    scene_closing(t);
    step_fin_acked(t);
}

static void scene_time_wait_unread(struct rfc_tcb *t)
{
    scene_fin_wait_2_unread(t);
    step_fin_received(t);
}

static void scene_time_wait_shut(struct rfc_tcb *t)
{
    scene_fin_wait_2_shut(t);
    step_fin_received(t);
}

#define ACTIVE  SCENE_ACTIVE
#define PASSIVE SCENE_PASSIVE
#define BOTH    (SCENE_ACTIVE | SCENE_PASSIVE)

const struct scene scenes[] = {
    {"CLOSED", scene_closed, BOTH},
    {"LISTEN", step_opened, PASSIVE},
    {"SYN-SENT", step_opened, ACTIVE},
    {"SYN-RECEIVED", step_syn_received, BOTH},
    {"SYN-RECEIVED, CLOSE queued", scene_syn_received_closed, BOTH},
    {"ESTABLISHED", established, BOTH},
    {"ESTABLISHED, text in flight", scene_established_flight, BOTH},
    {"ESTABLISHED, unread, text in flight", scene_established_unread, BOTH},
    {"ESTABLISHED, window shut", scene_established_shut, BOTH},
    {"ESTABLISHED, window shut, text in flight", scene_established_shut_flight, BOTH},
    {"ESTABLISHED, a hole", scene_established_hole, BOTH},
    {"ESTABLISHED, a FIN beyond a hole", scene_established_held_fin, BOTH},
    {"ESTABLISHED, an ACK delayed", scene_established_unacknowledged, BOTH},
    {"ESTABLISHED, the peer's window has shrunk", scene_established_shrunk, BOTH},
    {"ESTABLISHED, the peer's window is small", scene_established_small, BOTH},
    {"ESTABLISHED, the peer's window is shut", scene_established_peer_shut, BOTH},
    {"ESTABLISHED, urgent mode", scene_established_urgent, BOTH},
    {"ESTABLISHED, challenges used up", scene_established_throttled, BOTH},
    {"FIN-WAIT-1", scene_fin_wait_1, BOTH},
    {"FIN-WAIT-1, CLOSE was queued", scene_fin_wait_1_queued, BOTH},
    {"FIN-WAIT-1, text in flight", scene_fin_wait_1_flight, BOTH},
    {"FIN-WAIT-1, window shut", scene_fin_wait_1_shut, BOTH},
    {"FIN-WAIT-1, a hole", scene_fin_wait_1_hole, BOTH},
    {"FIN-WAIT-1, a FIN beyond a hole", scene_fin_wait_1_held_fin, BOTH},
    {"FIN-WAIT-1, the user has left", scene_fin_wait_1_left, BOTH},
    {"FIN-WAIT-2", scene_fin_wait_2, BOTH},
    {"FIN-WAIT-2, unread", scene_fin_wait_2_unread, BOTH},
    {"FIN-WAIT-2, window shut", scene_fin_wait_2_shut, BOTH},
    {"FIN-WAIT-2, a FIN beyond a hole", scene_fin_wait_2_held_fin, BOTH},
    {"FIN-WAIT-2, the user has left", scene_fin_wait_2_left, BOTH},
    {"CLOSE-WAIT", scene_close_wait, BOTH},
    {"CLOSE-WAIT, text in flight", scene_close_wait_flight, BOTH},
    {"CLOSE-WAIT, unread", scene_close_wait_unread, BOTH},
    {"CLOSE-WAIT, window shut", scene_close_wait_shut, BOTH},
    {"CLOSING", scene_closing, BOTH},
    {"CLOSING, text in flight", scene_closing_flight, BOTH},
    {"CLOSING, unread", scene_closing_unread, BOTH},
    {"CLOSING, window shut", scene_closing_shut, BOTH},
    {"LAST-ACK", scene_last_ack, BOTH},
    {"LAST-ACK, text in flight", scene_last_ack_flight, BOTH},
    {"LAST-ACK, unread", scene_last_ack_unread, BOTH},
    {"LAST-ACK, window shut", scene_last_ack_shut, BOTH},
    {"TIME-WAIT", scene_time_wait, BOTH},
    {"TIME-WAIT, by CLOSING", scene_time_wait_by_closing, BOTH},
    {"TIME-WAIT, unread", scene_time_wait_unread, BOTH},
    {"TIME-WAIT, window shut", scene_time_wait_shut, BOTH},
};
const unsigned n_scenes = sizeof scenes / sizeof *scenes;
