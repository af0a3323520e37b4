/*
 * TIMEOUTS (RFC 9293 3.10.8), the retransmission timer's rules (RFC 6298 5), keep-alives (3.8.4).
 * Called by stack/ when a connection's deadline has passed, and by the files that start and stop
 * timers.
 */
#include "timeout.h"

#include "autocork.h"
#include "loss.h"
#include "pmtu.h"

static uint64_t user_timeout_ns(const struct tcb *t)
{
    return t->settings->user_timeout_ms * NS_PER_MS;
}

/* No time: what R2 is for a SYN whose retransmissions are counted. */
#define UNLIMITED_NS (TIME_NEVER / 4)

/* R2. MUST-23 asks for three minutes at least for SYN; the user may want less (3.8.3). */
static uint64_t r2_ns(const struct tcb *t)
{
    if (t->settings->user_timeout_ms > 0)
        return user_timeout_ns(t);
    if (tcb_synchronized(t))
        return t->common->config->user_timeout_ns;
    if (t->settings->syn_retries > 0)
        return UNLIMITED_NS;
    return t->passive ? t->common->config->synack_timeout_ns : t->common->config->syn_timeout_ns;
}

static bool syn_given_up(const struct tcb *t)
{
    uint32_t most = t->settings->syn_retries;
    return !tcb_synchronized(t) && most > 0 && t->busy->retries >= most;
}

void tcp_timeout_set(struct tcb *t, const struct tcp_settings *settings)
{
    uint64_t was_ns = r2_ns(t);
    t->settings = settings;
    if (t->busy->give_up_due_ns != TIME_NEVER)
        t->busy->give_up_due_ns = t->busy->give_up_due_ns - was_ns + r2_ns(t);
}

void tcp_timeout_expect(struct tcb *t, uint64_t now_ns)
{
    if (t->busy->give_up_due_ns == TIME_NEVER)
        t->busy->give_up_due_ns = now_ns + r2_ns(t);
}

void tcp_timeout_arm_rtx(struct tcb *t, uint64_t now_ns)
{
    if (persist_on(&t->busy->persist))
        return;
    t->busy->rtx_due_ns = now_ns + tcb_rto_ns(t);
    tcp_timeout_expect(t, now_ns);
}

void tcp_timeout_progress(struct tcb *t, uint64_t now_ns)
{
    /* While the window is probed R2 counts from the first probe that is not answered: the interval
     * may be longer than R2 (MUST-37). */
    bool waiting = seq_lt(t->snd.una, t->snd.nxt) && !persist_on(&t->busy->persist);
    t->soft_error = ERR_NONE;
    t->busy->give_up_due_ns = waiting ? now_ns + r2_ns(t) : TIME_NEVER;
}

/* As Linux has it: what ICMP said says more than that nothing was heard (SHLD-25). */
static int silence_error(const struct tcb *t)
{
    return t->soft_error ? t->soft_error : ERR_TIMEDOUT;
}

/* R1: 3.8.3 (b) reaches or exceeds, (e). */
static void in_trouble(struct tcb *t)
{
    t->advise = true;
    if (!t->in_trouble)
        tcb_trouble(t, silence_error(t));
    t->in_trouble = true;
}

static void retransmission_timeout(struct tcb *t, uint64_t now_ns)
{
    if (syn_given_up(t)) {
        state_fail(t, silence_error(t), "no answer to the last SYN", now_ns);
        return;
    }
    if (tcb_synchronized(t) && t->snd.wnd == 0) {
        /* The peer has shut its window on what is in flight (3.8.6): from here on it is probed. */
        t->busy->rtx_due_ns = TIME_NEVER;
        persist_start(&t->busy->persist, tcb_rto_ns(t), now_ns);
        t->probe = true;
        return;
    }
    bool first = t->busy->retries == 0;
    t->syn_timed_out |= !tcb_synchronized(t);
    if (t->busy->retries < UINT8_MAX)
        t->busy->retries++;
    rto_backoff(&t->rto);
    bool r1 = t->busy->retries >= t->common->config->r1;
    if (r1 && t->common->config->mtu_probing)
        tcp_pmtu_full_stop(t, now_ns);
    loss_timeout(t, first, now_ns);
    t->busy->rtx_due_ns = now_ns + tcb_rto_ns(t);
    if (r1)
        in_trouble(t);
}

/* A probe that is not answered is sent again as lost text is: R1 counts both alike. */
static void persist_timeout(struct tcb *t, uint64_t now_ns)
{
    t->probe = true;
    persist_backoff(&t->busy->persist, now_ns);
    if (t->busy->persist.unanswered >= t->common->config->r1)
        in_trouble(t);
}

void tcp_timeout_silent(struct tcb *t, uint64_t now_ns)
{
    if (t->common->config->idle_restart && now_ns - t->last_sent_ns > tcb_rto_ns(t))
        cc_idle(&t->busy->cc);
}

void tcp_timeout(struct tcb *t, uint64_t now_ns)
{
    if (t->busy->give_up_due_ns <= now_ns) {
        state_fail(t, silence_error(t), "user timeout", now_ns);
        return;
    }
    if (tcb_lingers(t) && t->linger_due_ns <= now_ns) {
        state_set(t, STATE_CLOSED, "TIME-WAIT timeout, or no user for FIN-WAIT-2", now_ns);
        return;
    }
    if (t->busy->paused_ns <= now_ns)
        t->busy->paused_ns = TIME_NEVER;
    loss_tick(t, now_ns);
    pacing_tick(&t->busy->pacing, now_ns);
    autocork_tick(t, now_ns);
    if (t->busy->rtx_due_ns <= now_ns)
        retransmission_timeout(t, now_ns);
    if (persist_due(&t->busy->persist, now_ns))
        persist_timeout(t, now_ns);
    if (tcb_idle(t) &&
        keepalive_dead(&t->keepalive, &t->settings->keepalive, user_timeout_ns(t), now_ns)) {
        /* The RST is for a peer that lives and whose answers are lost; Linux sends one too. */
        t->reset_peer = true;
        state_fail(t, silence_error(t), "keep-alive", now_ns);
    }
}

bool tcp_timeout_keepalive(const struct tcb *t, uint64_t now_ns)
{
    return tcb_idle(t) &&
           keepalive_probe_due(&t->keepalive, &t->settings->keepalive, user_timeout_ns(t), now_ns);
}

uint64_t tcp_deadline(const struct tcb *t)
{
    uint64_t due = time_min(t->busy->rtx_due_ns, t->busy->give_up_due_ns);
    due = time_min(due, time_min(t->busy->paused_ns, autocork_deadline(t)));
    if (tcb_lingers(t))
        due = time_min(due, t->linger_due_ns);
    due = time_min(due, time_min(t->busy->persist.due_ns, loss_deadline(t)));
    due = time_min(due, pacing_deadline(&t->busy->pacing));
    if (tcb_idle(t))
        due = time_min(due, keepalive_deadline(&t->keepalive, &t->settings->keepalive));
    return time_min(due, ackdelay_deadline(&t->ackdelay, t->busy->ack_due_ns));
}
