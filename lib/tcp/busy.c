/* What a connection needs while something goes on. See busy.h. Called by the trunk of tcp/, and by
 * stack/, which knows how long is a while. */
#include "busy.h"

#include "loss.h"
#include "reset.h"

/* A list of it that is empty. */
#define NONE(member)                                                                               \
    {                                                                                              \
        (struct list *)&busy_none.member, (struct list *)&busy_none.member                         \
    }

const struct busy busy_none = {
    .sndq.extents = NONE(sndq.extents),
    .sack_recovery.board.by_seq = NONE(sack_recovery.board.by_seq),
    .sack_recovery.board.flying = NONE(sack_recovery.board.flying),
    .sack_recovery.board.missing = NONE(sack_recovery.board.missing),
    .sack_recovery.rack = {.reo_due_ns = TIME_NEVER, .pto_due_ns = TIME_NEVER},
    .persist = PERSIST_OFF,
    .rtx_due_ns = TIME_NEVER,
    .paused_ns = TIME_NEVER,
    .autocork_due_ns = TIME_NEVER,
    .give_up_due_ns = TIME_NEVER,
};

bool tcb_is_busy(const struct tcb *t)
{
    return t->busy != &busy_none;
}

void tcb_begin_busy(struct tcb *t, struct busy *b)
{
    *b = busy_none;
    b->tcb = t;
    list_init(&b->resting);
    sndq_init(&b->sndq, t->common->mem);
    loss_begin(t, b);
    cc_resume(&b->cc, &t->cc_rest, t->settings->cc, t->snd.mss);
    b->up_from = b->small = b->full = t->snd.una;
    t->busy = b;
    t->common->n_busy++;
}

struct busy *tcb_busy(struct tcb *t)
{
    if (tcb_is_busy(t))
        return t->busy;
    struct busy *b = mem_alloc(t->common->mem, sizeof *b);
    if (b)
        tcb_begin_busy(t, b);
    else
        t->no_room = true;
    return b;
}

/* It has none any more. */
static void forget(struct tcb *t)
{
    list_remove(&t->busy->resting);
    loss_rest(t);
    sndq_finish(&t->busy->sndq);
    t->busy = (struct busy *)&busy_none;
    t->common->n_busy--;
}

struct busy *tcb_take_busy(struct tcb *t)
{
    struct busy *b = tcb_busy(t);
    if (b)
        forget(t);
    return b;
}

/* Whether nothing is to be sent, nor to be sent again, nor waited for. */
static bool all_sent(const struct tcb *t)
{
    return t->state == STATE_CLOSED || t->state == STATE_TIME_WAIT ||
           (tcb_idle(t) && loss_forgets(t) && t->busy->paused_ns == TIME_NEVER);
}

static bool all_read(const struct tcb *t)
{
    return rcvq_len(&t->rcvq) == 0 && !rcvq_has_hole(&t->rcvq) &&
           t->busy->rcv_up <= t->rcvq.start && !t->busy->receive;
}

bool tcb_rests(const struct tcb *t)
{
    return all_sent(t) && all_read(t) &&
           ackdelay_deadline(&t->ackdelay, t->busy->ack_due_ns) == TIME_NEVER;
}

#define DSACK_MAX_NS (5 * NS_PER_S)

/* A D-SACK of a probe, which was the last thing sent, may still come: a round trip after that. */
static bool awaits_dsack(const struct tcb *t, uint64_t now_ns)
{
    uint64_t most_ns = time_min(tcb_rto_ns(t), DSACK_MAX_NS);
    return loss_unclear(t) && !tcb_lingers(t) && now_ns < t->last_sent_ns + most_ns;
}

bool tcb_unspent(const struct tcb *t, uint64_t now_ns)
{
    const struct busy *b = t->busy;
    return !awaits_dsack(t, now_ns) && tcp_budget_unspent(&b->challenges, now_ns) &&
           tcp_budget_unspent(&b->probe_answers, now_ns) &&
           tcp_budget_unspent(&b->resent_for_mtu, now_ns) && pacing_unspent(t, now_ns);
}

void tcb_unbusy(struct tcb *t)
{
    struct busy *b = t->busy;
    if (!tcb_is_busy(t))
        return;
    forget(t);
    mem_free(t->common->mem, b, sizeof *b);
}
