/* Autocorking. See autocork.h. */
#include "autocork.h"

#include "loss.h"
#include "nstime.h"
#include "pacing.h"

#define MAX_NS NS_PER_MS

/* busy.autocork_due_ns: TIME_NEVER when nothing has waited, and this when the time is over. */
#define OVER 0

bool autocork_holds(struct tcb *t, uint32_t unsent, uint32_t most, uint64_t now_ns)
{
    if (unsent >= most || most <= t->snd.mss || loss_flight(t) < most || loss_suspected(t) ||
        !pacing_at_once(t))
        return false;
    if (t->busy->autocork_due_ns == TIME_NEVER)
        t->busy->autocork_due_ns = now_ns + MAX_NS;
    return t->busy->autocork_due_ns > now_ns;
}

void autocork_sent(struct tcb *t)
{
    t->busy->autocork_due_ns = TIME_NEVER;
}

uint64_t autocork_deadline(const struct tcb *t)
{
    return t->busy->autocork_due_ns == OVER ? TIME_NEVER : t->busy->autocork_due_ns;
}

void autocork_tick(struct tcb *t, uint64_t now_ns)
{
    if (t->busy->autocork_due_ns <= now_ns)
        t->busy->autocork_due_ns = OVER;
}
