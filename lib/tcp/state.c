/* The states of RFC 9293 3.3.2: the only writer of tcb.state. Does not decide when to move. */
#include "state.h"

#include "loss.h"

const char *state_name(enum tcp_state s)
{
    static const char *const names[] = {
        [STATE_CLOSED] = "CLOSED",           [STATE_LISTEN] = "LISTEN",
        [STATE_SYN_SENT] = "SYN-SENT",       [STATE_SYN_RECEIVED] = "SYN-RECEIVED",
        [STATE_ESTABLISHED] = "ESTABLISHED", [STATE_FIN_WAIT_1] = "FIN-WAIT-1",
        [STATE_FIN_WAIT_2] = "FIN-WAIT-2",   [STATE_CLOSE_WAIT] = "CLOSE-WAIT",
        [STATE_CLOSING] = "CLOSING",         [STATE_LAST_ACK] = "LAST-ACK",
        [STATE_TIME_WAIT] = "TIME-WAIT",
    };
    return names[s];
}

/* Nothing is sent or sent again any more. */
static void stop_sending(struct tcb *t)
{
    struct busy *b = t->busy;
    t->probe = false;
    t->ecn = t->ecn_echo = false; /* RFC 3168 6.1.1 */
    if (!tcb_is_busy(t))
        return;
    b->rtx_due_ns = TIME_NEVER;
    b->give_up_due_ns = TIME_NEVER;
    b->paused_ns = TIME_NEVER;
    b->autocork_due_ns = TIME_NEVER;
    persist_stop(&b->persist);
    recovery_init(&b->recovery, t->snd.nxt);
    loss_end(b);
    sndq_finish(&b->sndq);
}

void state_set_at(struct tcb *t, enum tcp_state to, const char *why, uint64_t now_ns,
                  const char *file, int line)
{
    TRACE_AT(t->common->trace, TRACE_STATE, file, line, .now_ns = now_ns, .sock_id = t->id,
             .flow = t->flow, .from = state_name(t->state), .to = state_name(to), .text = why);
    t->state = to;
    switch (to) {
    case STATE_ESTABLISHED:
        t->report = ERR_NONE; /* what was said of the SYN has turned out not to matter */
        t->events |= TCB_EV_ESTABLISHED;
        keepalive_heard(&t->keepalive, now_ns);
        break;
    case STATE_FIN_WAIT_2:
        t->events |= TCB_EV_ACKED; /* of the FIN: whoever lingers waits for it */
        if (t->orphan)
            state_orphan_lingers(t, now_ns);
        break;
    case STATE_TIME_WAIT:
        stop_sending(t);
        t->linger_due_ns = now_ns + 2 * t->common->config->msl_ns;
        t->events |= TCB_EV_CLOSED;
        break;
    case STATE_CLOSED:
        t->report = ERR_NONE; /* t->error says more */
        stop_sending(t);
        ackdelay_init(&t->ackdelay, t->rcvwnd.mss);
        t->events |= TCB_EV_CLOSED;
        break;
    default:
        break;
    }
}

void state_orphan_lingers(struct tcb *t, uint64_t now_ns)
{
    uint32_t ms = t->settings->orphan_ms;
    if (ms == ORPHAN_NONE) {
        t->reset_peer = true;
        state_fail(t, ERR_ABORTED, "no user for FIN-WAIT-2", now_ns);
        return;
    }
    t->linger_due_ns = now_ns + (ms > 0 ? ms * NS_PER_MS : t->common->config->orphan_ns);
}

void state_fail_at(struct tcb *t, int err, const char *why, uint64_t now_ns, const char *file,
                   int line)
{
    t->error = (int8_t)err;
    state_set_at(t, STATE_CLOSED, why, now_ns, file, line);
}
