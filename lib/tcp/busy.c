/* What a connection needs while something goes on. See busy.h. Called by the trunk of tcp/, and by
 * stack/, which knows how long is a while. */
#include "busy.h"

#include "reset.h"

#define NO_EXTENTS ((struct list *)&busy_none.sndq.extents)

const struct busy busy_none = {
    .sndq.extents = {NO_EXTENTS, NO_EXTENTS},
    .persist.due_ns = TIME_NEVER,
    .rtx_due_ns = TIME_NEVER,
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
    recovery_init(&b->recovery, seq_sub(t->snd.una, 1));
    b->up_from = b->small = t->snd.una;
    t->busy = b;
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
    sndq_finish(&t->busy->sndq);
    t->busy = (struct busy *)&busy_none;
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
           (tcb_idle(t) && recovery_forgets(&t->busy->recovery, t->snd.una));
}

static bool all_read(const struct tcb *t)
{
    return rcvq_len(&t->rcvq) == 0 && !rcvq_has_hole(&t->rcvq) &&
           t->busy->rcv_up <= t->rcvq.start && !t->busy->receive;
}

bool tcb_rests(const struct tcb *t)
{
    return all_sent(t) && all_read(t) && !ackdelay_waits(&t->ackdelay);
}

bool tcb_unspent(const struct tcb *t, uint64_t now_ns)
{
    const struct busy *b = t->busy;
    return tcp_budget_unspent(&b->challenges, now_ns) &&
           tcp_budget_unspent(&b->probe_answers, now_ns) &&
           tcp_budget_unspent(&b->resent_for_mtu, now_ns);
}

void tcb_unbusy(struct tcb *t)
{
    struct busy *b = t->busy;
    if (!tcb_is_busy(t))
        return;
    forget(t);
    mem_free(t->common->mem, b, sizeof *b);
}
