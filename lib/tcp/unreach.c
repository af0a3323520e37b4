/*
 * What ICMP errors do to a connection. See unreach.h. Called by stack/.
 *
 * Linux lets a connect() fail at once for soft errors as well. That is what MUST-56 forbids: the
 * host may only be coming up, and the next SYN may find it.
 */
#include "unreach.h"

void tcp_unreachable(struct tcb *t, int err, bool hard, uint64_t now_ns)
{
    if (hard && !tcb_synchronized(t)) {
        state_fail(t, err, "ICMP: hard error", now_ns);
        return;
    }
    t->soft_error = (int8_t)err;
    tcb_trouble(t, err);
}
