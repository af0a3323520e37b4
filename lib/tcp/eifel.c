/* RFC 3522. See eifel.h. Called by sack_recovery. */
#include "eifel.h"

void eifel_begin(struct eifel *e)
{
    e->stage = EIFEL_BEGUN;
}

void eifel_resent(struct eifel *e, bool before, uint64_t now_ns)
{
    if (e->stage != EIFEL_BEGUN)
        return;
    e->stage = before ? EIFEL_OFF : EIFEL_WAITS;
    e->retransmit_ns = now_ns;
}

void eifel_end(struct eifel *e)
{
    e->stage = EIFEL_OFF;
}

/* Step 5: what acknowledges everything may be the answer to what went again, with the timestamp of
 * a first sending whose own ACKs were all lost (3.3); a peer that has told D-SACKs before would
 * have told this one. */
bool eifel_acked(struct eifel *e, uint64_t echo_end_ns, bool advances, bool all, bool dsack)
{
    bool waits = e->stage == EIFEL_WAITS;
    bool earlier = echo_end_ns <= e->retransmit_ns;
    bool known = e->dsack_seen;
    e->dsack_seen |= dsack;
    if (!advances)
        return false;
    e->stage = EIFEL_OFF;
    return waits && earlier && !dsack && (known || !all);
}
