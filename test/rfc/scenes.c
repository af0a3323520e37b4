/* See scenes.h. */
#include "scenes.h"

#include "segments.h"
#include "steps.h"

static void established(struct rfc_tcb *t)
{
    step_established_active(t, SCENE_PEER_WND);
}

static void scene_closed(struct rfc_tcb *t)
{
    step_opened(t, true);
    user_close();
    t->state = RFC_CLOSED;
}

static void scene_listen(struct rfc_tcb *t)
{
    step_opened(t, true);
}

static void scene_syn_sent(struct rfc_tcb *t)
{
    step_opened(t, false);
}

static void scene_syn_received_passive(struct rfc_tcb *t)
{
    step_syn_received(t, true);
}

static void scene_syn_received_active(struct rfc_tcb *t)
{
    step_syn_received(t, false);
}

static void scene_syn_received_closed(struct rfc_tcb *t)
{
    step_syn_received(t, false);
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
    step_established_active(t, 50);
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

const struct scene scenes[] = {
    {"CLOSED", scene_closed},
    {"LISTEN", scene_listen},
    {"SYN-SENT", scene_syn_sent},
    {"SYN-RECEIVED, passive", scene_syn_received_passive},
    {"SYN-RECEIVED, active", scene_syn_received_active},
    {"SYN-RECEIVED, CLOSE queued", scene_syn_received_closed},
    {"ESTABLISHED", established},
    {"ESTABLISHED, passive", step_established_passive},
    {"ESTABLISHED, text in flight", scene_established_flight},
    {"ESTABLISHED, unread, text in flight", scene_established_unread},
    {"ESTABLISHED, window shut", scene_established_shut},
    {"ESTABLISHED, window shut, text in flight", scene_established_shut_flight},
    {"ESTABLISHED, a hole", scene_established_hole},
    {"ESTABLISHED, a FIN beyond a hole", scene_established_held_fin},
    {"ESTABLISHED, an ACK delayed", scene_established_unacknowledged},
    {"ESTABLISHED, the peer's window has shrunk", scene_established_shrunk},
    {"ESTABLISHED, the peer's window is small", scene_established_small},
    {"ESTABLISHED, urgent mode", scene_established_urgent},
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
