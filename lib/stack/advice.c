/*
 * Negative advice to IP (RFC 9293 3.8.3 (b), MUST-20; RFC 1122 3.3.1.4): what is on the way to an
 * address may be dead. Pulled by the caller, like everything that leaves the engine. Called by
 * settle.
 */
#include "sock.h"

void stack_advise(struct stack *s, const struct ip_addr *hop)
{
    uint32_t i = 0;
    while (i < s->n_advice && !ip_addr_eq(&s->advice[i], hop))
        i++;
    if (i == STACK_ADVICE)
        return;
    s->advice[i] = *hop;
    s->n_advice = i == s->n_advice ? i + 1 : s->n_advice;
}

bool stack_next_advice(struct stack *s, struct ip_addr *hop)
{
    if (s->n_advice == 0)
        return false;
    *hop = s->advice[--s->n_advice];
    return true;
}
