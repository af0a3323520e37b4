/*
 * Timestamps: RFC 7323 4.1, 4.3, 5.2 to 5.5. See timestamps.h. Knows neither segments nor states.
 *
 * The clock ticks once a ms, the fastest of the range that 5.4 chooses: it wraps its sign in 24.8
 * days, and ticks once for each 2^31 octets up to 17 Tbit/s.
 */
#include "timestamps.h"

#include "minmax.h"
#include "nstime.h"

#define OUTDATED_S (24 * 24 * 3600)

/* 5.2: s < t if 0 < t - s < 2^31 */
static bool before(uint32_t s, uint32_t t)
{
    uint32_t ahead = t - s;
    return 0 < ahead && ahead < UINT32_C(1) << 31;
}

static uint32_t seconds(uint64_t ns)
{
    return (uint32_t)(ns / NS_PER_S);
}

static void record(struct timestamps *ts, uint32_t val, uint64_t now_ns)
{
    ts->recent = val;
    ts->recent_s = seconds(now_ns);
}

uint32_t timestamps_val(const struct timestamps *ts, uint64_t now_ns)
{
    return (uint32_t)(now_ns / NS_PER_MS) + ts->offset;
}

void timestamps_begin(struct timestamps *ts, uint32_t val, seq_t rcv_nxt, uint64_t now_ns)
{
    record(ts, val, now_ns);
    ts->last_ack_sent = rcv_nxt;
}

bool timestamps_outdated(const struct timestamps *ts, uint32_t val, uint64_t now_ns)
{
    return before(val, ts->recent) && seconds(now_ns) - ts->recent_s <= OUTDATED_S;
}

uint32_t timestamps_age(const struct timestamps *ts, uint32_t val)
{
    return ts->recent - val;
}

bool timestamps_newer(const struct timestamps *ts, uint32_t val)
{
    return before(ts->recent, val);
}

void timestamps_arrived(struct timestamps *ts, uint32_t val, seq_t at, uint64_t now_ns)
{
    if (seq_leq(at, ts->last_ack_sent) && !timestamps_outdated(ts, val, now_ns))
        record(ts, val, now_ns);
}

uint64_t timestamps_rtt_ns(const struct timestamps *ts, uint32_t ecr, uint64_t now_ns)
{
    uint32_t now = timestamps_val(ts, now_ns);
    if (ecr == 0 || before(now, ecr))
        return 0;
    return max_u32(now - ecr, 1) * NS_PER_MS;
}

uint64_t timestamps_echo_end_ns(const struct timestamps *ts, uint32_t ecr, uint64_t now_ns)
{
    uint32_t now = timestamps_val(ts, now_ns);
    if (ecr == 0 || before(now, ecr))
        return TIME_NEVER;
    uint64_t tick = now_ns / NS_PER_MS + 1, ago = now - ecr;
    return tick > ago ? (tick - ago) * NS_PER_MS : 0;
}
