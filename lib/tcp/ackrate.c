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

static void begin_train(struct ackrate *r, uint32_t now_us)
{
    r->train_octets = 0;
    r->train_us = now_us;
}

static void begin_round(struct ackrate *r, uint32_t now_us)
{
    if (!r->known)
        r->most = 0;
    r->known = r->room = false;
    begin_train(r, now_us);
}

/* The train's octets in a round trip's time, and a quarter. */
static void estimate(struct ackrate *r, uint32_t rtt_us, uint32_t now_us)
{
    uint32_t took_us = now_us - r->train_us;
    bool queued = UINT64_C(8) * rtt_us >= UINT64_C(9) * r->least_us;
    if (!queued || took_us < r->least_us / 4 + LATE_US)
        return;
    uint64_t octets = (uint64_t)r->train_octets * r->least_us / took_us * 5 / 4;
    r->most = (uint32_t)min_u64(max_u64(octets, 1), CC_CWND_MAX);
    r->known = true;
}

bool ackrate_acked(struct ackrate *r, uint32_t cwnd, bool round_begins, const struct cc_ack *ack)
{
    uint32_t now_us = (uint32_t)(ack->now_ns / NS_PER_US);
    uint32_t rtt_us = time_us(ack->rtt_ns);
    bool over = round_begins && r->known && !r->room;
    if (round_begins) {
        begin_round(r, now_us);
    } else if (!ack->used || now_us - r->last_us > CLOSE_US) {
        begin_train(r, now_us);
    } else {
        r->train_octets = min_u32(r->train_octets + min_u32(ack->octets, CC_CWND_MAX), CC_CWND_MAX);
    }
    if (rtt_us > 0) {
        r->least_us = r->least_us > 0 ? min_u32(r->least_us, rtt_us) : rtt_us;
        estimate(r, rtt_us, now_us);
    }
    r->last_us = now_us;
    r->room |= ackrate_room(r, cwnd) > 0;
    return over;
}
