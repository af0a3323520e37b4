/* pipeline.c - the stages a packet goes through, one function each, in the order of a real path:
 *
 *     mtu      the router compares the length with the next link's before it queues anything; what
 *              is too long is dropped, IPv4 packets without DF as well: none is fragmented;
 *     rate     the bottleneck: a queue, and behind it a link that takes its time for each packet;
 *     loss     on the wire, so that what is lost has taken its time and its place in the queue;
 *     corrupt  the same;
 *     dup      behind the bottleneck: a copy costs no rate;
 *     delay    propagation, and jitter, which keeps the order;
 *     reorder  some are late on top of that, and nobody waits for them.
 *
 * netem(8) loses first and paces last, so that its lost packets never fill the queue, counts those
 * in propagation against the queue's limit, and lets jitter reorder whatever is sent faster than
 * the jitter is long: with it neither a bottleneck nor jitter can be had alone.
 *
 * A stage's chance is a function of the seed, the direction, the stage and the packet's number in
 * its direction, and of nothing else. It is drawn for every packet, dropped before or not: the
 * same seed makes the same decisions whatever the other direction, the other stages and the clock
 * do. No socket, no clock.
 */
#include "pipeline.h"

#include "nstime.h"
#include "siphash.h"
#include "units.h"

enum stage { LOSS, CORRUPT, WHICH_BIT, DUP, JITTER, REORDER };

struct parcel {
    const struct impair_way *way;
    uint64_t seed, direction;
    uint64_t number; /* of the packet in its direction, from 0 */
    uint64_t at;     /* where in time it is, stage by stage; ns */
    uint32_t len;    /* octets of the IP packet */
};

/* A number of 64 random bits. */
static uint64_t draw(const struct parcel *parcel, enum stage stage)
{
    const struct siphash_key key = {.k0 = parcel->seed};
    const uint64_t what[] = {stage, parcel->direction, parcel->number};
    return siphash(&key, what, sizeof(what));
}

/* True with the probability part / whole, to 2^-32; part is below 2^32. */
static bool chance(const struct parcel *parcel, enum stage stage, uint64_t part, uint64_t whole)
{
    return part > 0 && draw(parcel, stage) >> 32 < (part << 32) / whole;
}

/* Each packet for itself; or, with a mean burst, Gilbert's model (1960): a chain of two states, of
 * which the bad one loses every packet and the good one none. It ends with 1 / burst, and begins so
 * often that the share lost is `loss`: loss / (1 - loss) / burst. */
static bool doomed(struct pipeline *p, const struct parcel *parcel)
{
    const struct impair_way *way = parcel->way;
    if (way->burst == 0)
        return chance(parcel, LOSS, way->loss, UNITS_WHOLE);
    if (p->bad)
        p->bad = !chance(parcel, LOSS, 1000, way->burst);
    else
        p->bad = chance(parcel, LOSS, UINT64_C(1000) * way->loss,
                        (uint64_t)way->burst * (UNITS_WHOLE - way->loss));
    return p->bad;
}

static bool too_long(const struct parcel *parcel)
{
    return parcel->way->mtu > 0 && parcel->len > parcel->way->mtu;
}

static uint64_t sending_time(const struct parcel *parcel, uint64_t octets)
{
    return octets * 8 * NS_PER_S / parcel->way->rate;
}

/* Those whose sending has begun are no longer in the queue. */
static void leave_queue(struct pipeline *p, uint64_t now)
{
    while (p->count > 0 && p->queued[p->first].begins <= now) {
        p->octets -= p->queued[p->first].len;
        p->first = (p->first + 1) % PIPELINE_QUEUE_MAX;
        p->count--;
    }
}

static bool has_room(const struct pipeline *p, const struct impair_way *way, uint32_t frame)
{
    uint64_t filled = way->queue_in_packets ? p->count + 1U : p->octets + frame;
    return p->count < PIPELINE_QUEUE_MAX && filled <= way->queue;
}

/* A token bucket behind a drop-tail queue, in one formula. Without a bucket, `ends` is when a link
 * that sends one packet after the other has sent this one. A bucket of B octets lets everything go
 * earlier by the time that B octets take, though not before it came. A bucket and no queue is a
 * policer; neither, a link that drops what comes while it is sending. False: the queue is full. */
static bool send_by_rate(struct pipeline *p, struct parcel *parcel)
{
    const struct impair_way *way = parcel->way;
    if (way->rate == 0)
        return true;
    const uint32_t frame = parcel->len + PIPELINE_FRAME;
    const uint64_t now = parcel->at, bucket = sending_time(parcel, way->bucket);
    const uint64_t takes = sending_time(parcel, frame);
    const uint64_t ends = time_max(now, p->busy_until) + takes;
    const uint64_t early = time_max(bucket, takes);
    const uint64_t begins = ends > now + early ? ends - early : now;
    leave_queue(p, now);
    if (begins > now) {
        if (!has_room(p, way, frame))
            return false;
        uint32_t last = (p->first + p->count++) % PIPELINE_QUEUE_MAX;
        p->queued[last].begins = begins;
        p->queued[last].len = frame;
        p->octets += frame;
    }
    p->busy_until = ends;
    parcel->at = ends > now + bucket ? ends - bucket : now;
    return true;
}

/* The delay, and uniformly up to `jitter` more or less. What would overtake comes along with the
 * one before it. */
static void travel(struct pipeline *p, struct parcel *parcel)
{
    const struct impair_way *way = parcel->way;
    parcel->at += way->delay_ns - way->jitter_ns;
    if (way->jitter_ns > 0)
        parcel->at += draw(parcel, JITTER) % (2 * way->jitter_ns + 1);
    parcel->at = time_max(parcel->at, p->last_due);
    p->last_due = parcel->at;
}

void pipeline_reset(struct pipeline *p)
{
    p->number = p->busy_until = p->last_due = p->octets = 0;
    p->first = p->count = 0;
    p->bad = false;
}

struct pipeline_fate pipeline_pass(struct pipeline *p, const struct impair_settings *settings,
                                   int direction, uint64_t now, uint32_t len,
                                   struct impair_counters *counters)
{
    const struct impair_way *way = &settings->way[direction];
    struct parcel parcel = {.way = way,
                            .seed = settings->seed,
                            .direction = (uint64_t)direction,
                            .number = p->number++,
                            .at = now,
                            .len = len};
    const struct pipeline_fate dropped = {.what = PIPELINE_DROP};
    const bool lost = doomed(p, &parcel);
    counters->packets++;
    if (too_long(&parcel)) {
        counters->mtu++;
        return way->black_hole ? dropped : (struct pipeline_fate){.what = PIPELINE_TOO_LONG};
    }
    if (!send_by_rate(p, &parcel)) {
        counters->queue++;
        return dropped;
    }
    if (lost) {
        counters->lost++;
        return dropped;
    }
    struct pipeline_fate fate = {.corrupt = chance(&parcel, CORRUPT, way->corrupt, UNITS_WHOLE),
                                 .twice = chance(&parcel, DUP, way->dup, UNITS_WHOLE)};
    if (fate.corrupt)
        fate.bit = (uint32_t)(draw(&parcel, WHICH_BIT) % (len * UINT64_C(8)));
    travel(p, &parcel);
    const bool late = chance(&parcel, REORDER, way->reorder, UNITS_WHOLE);
    fate.due = parcel.at + (late ? way->late_ns : 0);
    counters->corrupt += fate.corrupt;
    counters->dup += fate.twice;
    counters->late += late;
    counters->out += 1U + fate.twice;
    return fate;
}
