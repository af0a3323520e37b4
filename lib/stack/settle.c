/*
 * What follows from a call on a connection: invariants, events to the user, output, the timer, and
 * the end of a connection that nobody needs any more.
 */
#include "check.h"
#include "sock.h"
#include "timeout.h"

static void check(struct conn *c, uint64_t now_ns)
{
    const char *why = tcb_check(&c->tcb);
    if (!why)
        return;
    TCB_TRACE(&c->tcb, TRACE_INVARIANT, now_ns, .text = why);
    if (!CHECK(why == NULL)) {
        conn_stack(c)->counters.invariants++;
        c->tcb.reset_peer = c->tcb.state >= STATE_SYN_RECEIVED;
        state_fail(&c->tcb, ERR_ABORTED, why, now_ns);
    }
}

/* TCB_EV_* and SOCK_EV_* are the same bits but for their place in the story. */
_Static_assert(TCB_EV_ESTABLISHED == SOCK_EV_COMPLETED && TCB_EV_ACKED == SOCK_EV_ACKED &&
                   TCB_EV_ARRIVED == SOCK_EV_ARRIVED && TCB_EV_CLOSED == SOCK_EV_CLOSED &&
                   TCB_EV_TROUBLE == SOCK_EV_TROUBLE && TCB_EV_URGENT == SOCK_EV_URGENT,
               "events are passed on as they are");

static void pass_on(struct conn *c, uint64_t now_ns)
{
    unsigned what = c->tcb.events;
    c->tcb.events = 0;
    if (c->tcb.no_room) {
        c->tcb.no_room = false;
        conn_stack(c)->counters.no_memory++;
    }
    /* Not for a SYN that nobody has vouched for: from an address that does not answer anybody could
     * make us doubt our gateway. */
    if (c->tcb.advise && c->sock.stage != CONN_HALF_OPEN) {
        const struct ip_addr hop = conn_first_hop(c);
        stack_advise(conn_stack(c), &hop);
    }
    c->tcb.advise = false;
    switch (c->sock.stage) {
    case CONN_HALF_OPEN:
        if (what & TCB_EV_ESTABLISHED)
            listener_completed(c, now_ns);
        c->sock.happened |= (uint8_t)(what & ~TCB_EV_ESTABLISHED);
        break;
    case CONN_COMPLETED:
        c->sock.happened |= (uint8_t)what; /* the user learns it after accept */
        break;
    case CONN_USED:
        if (what)
            sock_happened(&c->sock, what, now_ns);
        break;
    case CONN_LEFT:
        break;
    }
}

/* CLOSED, and nobody holds it: unaccepted connections that have ended wait for accept all the same,
 * as their listener has told of them. */
static bool is_over(const struct conn *c)
{
    return c->tcb.state == STATE_CLOSED && !c->tcb.reset_peer &&
           (c->sock.stage == CONN_HALF_OPEN || c->sock.stage == CONN_LEFT);
}

void conn_settle(struct conn *c, uint64_t now_ns)
{
    check(c, now_ns);
    pass_on(c, now_ns);
    conn_count(c);
    if (c->tcb.state == STATE_CLOSED)
        conn_unlist(c);
    if (is_over(c)) {
        conn_free(c);
        return;
    }
    if (c->tcb.state == STATE_TIME_WAIT && c->sock.stage == CONN_LEFT)
        time_wait_queue(c);
    if (!c->sock.listed)
        list_remove(&c->pending); /* from stack.ended */
    if (list_empty(&c->pending))
        list_push_back(&conn_stack(c)->pending, &c->pending);
}

void conn_rest(struct conn *c, uint64_t now_ns)
{
    pass_on(c, now_ns);
    conn_count(c);
    if (is_over(c)) {
        conn_free(c);
        return;
    }
    heap_set(&conn_stack(c)->timers, &c->timer,
             c->sock.in_turn ? TIME_NEVER : tcp_deadline(&c->tcb));
    conn_may_rest(c, now_ns);
    if (!c->sock.listed)
        list_push_back(&conn_stack(c)->ended, &c->pending);
}
