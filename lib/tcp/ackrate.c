/* See ackrate.h. Called by cc_cubic. */
#include "ackrate.h"

#include "cc.h"
#include "minmax.h"
#include "nstime.h"

/* ACKs that come no further apart are of one train, as HyStart has it. */
#define CLOSE_US 2000

/* A train that is shorter than a quarter of a round trip, and this, says nothing: timers are late,
 * and ACKs come together. */
#define LATE_US 1000

static void train_begins(struct ackrate *r, seq_t una, uint32_t now_us)
{
    r->train_una = una;
    r->train_us = now_us;
}

static void round_begins(struct ackrate *r, const struct cc_ack *ack, uint32_t now_us)
{
    r->begun = true;
    r->room = false;
    r->round_end = ack->nxt;
    train_begins(r, ack->una, now_us);
}

static void take_sample(struct ackrate *r, uint64_t rtt_ns)
{
    uint32_t us = (uint32_t)min_u64(max_u64(rtt_ns / NS_PER_US, 1), UINT32_MAX);
    r->least_us = r->least_us > 0 ? min_u32(r->least_us, us) : us;
}

/* The train's octets in a round trip's time, and a quarter. */
static void estimate(struct ackrate *r, seq_t una, uint32_t now_us)
{
    uint32_t took_us = now_us - r->train_us;
    if (r->least_us == 0 || took_us < r->least_us / 4 + LATE_US)
        return;
    uint64_t octets = (uint32_t)seq_diff(una, r->train_una);
    r->most = (uint32_t)min_u64(octets * r->least_us / took_us * 5 / 4, CC_CWND_MAX);
}

bool ackrate_acked(struct ackrate *r, uint32_t cwnd, const struct cc_ack *ack)
{
    uint32_t now_us = (uint32_t)(ack->now_ns / NS_PER_US);
    bool round_over = !r->begun || seq_lt(r->round_end, ack->una);
    bool over = r->begun && round_over && !r->room;
    if (ack->rtt_ns > 0)
        take_sample(r, ack->rtt_ns);
    if (round_over)
        round_begins(r, ack, now_us);
    if (!ack->used)
        r->most = 0; /* who sends decides how much comes back */
    if (!ack->used || now_us - r->last_us > CLOSE_US)
        train_begins(r, ack->una, now_us);
    else
        estimate(r, ack->una, now_us);
    r->last_us = now_us;
    r->room |= ackrate_room(r, cwnd) > 0;
    return over;
}
