/*
 * The persist timer: RFC 9293 3.8.6.1 (SHLD-29, SHLD-30) and 3.8.6.2.1 (4). For the connection's
 * output and timeouts. Does not decide when it is needed, what a probe looks like, nor when to give
 * up: a peer that answers probes may keep its window shut for ever (MUST-37).
 */
#include "persist.h"

#include "check.h"

void persist_start(struct persist *p, uint64_t rto_ns, uint64_t now_ns)
{
    if (persist_on(p))
        return;
    p->interval_ns = time_min(time_max(rto_ns, PERSIST_MIN_NS), PERSIST_MAX_NS);
    p->due_ns = now_ns + p->interval_ns;
    p->unanswered = 0;
}

void persist_stop(struct persist *p)
{
    p->due_ns = TIME_NEVER;
}

bool persist_on(const struct persist *p)
{
    return p->due_ns != TIME_NEVER;
}

bool persist_due(const struct persist *p, uint64_t now_ns)
{
    return persist_on(p) && p->due_ns <= now_ns;
}

void persist_probed(struct persist *p)
{
    p->unanswered++;
}

void persist_heard(struct persist *p)
{
    p->unanswered = 0;
}

void persist_backoff(struct persist *p, uint64_t now_ns)
{
    if (!CHECK(persist_on(p)))
        return;
    p->interval_ns = time_min(2 * p->interval_ns, PERSIST_MAX_NS);
    p->due_ns = now_ns + p->interval_ns;
}
