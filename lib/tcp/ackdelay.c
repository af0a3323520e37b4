/*
 * When to acknowledge: RFC 9293 3.8.6.3 (SHLD-18, SHLD-19, MUST-40), RFC 5681 4.2. For the code
 * that takes segments in and the code that sends; neither makes the segment here, nor the timer.
 */
#include "ackdelay.h"

#include "minmax.h"
#include "nstime.h"

/* MUST-40: less than 0.5 s, whatever was asked for. */
#define ACKDELAY_MAX_NS (499 * NS_PER_MS)

/* Duplicate ACKs that one batch can make us send. The peer's fast retransmit needs three; each one
 * more lets it send one segment more, so a peer with a big window is answered in full, and a
 * hostile one gets a bounded burst out of us. */
#define ACKDELAY_OWED_MAX 64

/* What TCP_INFO shows before anything has arrived, as Linux: the MSS of a peer that named none (RFC
 * 9293 3.7.1). */
#define ACKDELAY_FIRST_LARGEST 536u

void ackdelay_init(struct ackdelay *a, uint16_t rmss)
{
    *a = (struct ackdelay){
        .rmss = rmss,
        .largest = (uint16_t)min_u32(ACKDELAY_FIRST_LARGEST, rmss),
    };
}

uint64_t ackdelay_max(uint64_t delay_ns)
{
    return time_min(delay_ns, ACKDELAY_MAX_NS);
}

void ackdelay_set_rmss(struct ackdelay *a, uint16_t rmss)
{
    a->rmss = rmss;
    a->largest = (uint16_t)min_u32(a->largest, rmss);
}

void ackdelay_quick(struct ackdelay *a, uint32_t n)
{
    a->quick = (uint16_t)min_u32(n, ACKDELAY_ALL);
    if (n > 0 && ackdelay_waits(a))
        ackdelay_now(a);
}

bool ackdelay_text(struct ackdelay *a, uint32_t len, uint32_t packet_len)
{
    uint32_t size = max_u32(min_u32(packet_len, a->rmss), 1);
    if (size > a->largest)
        a->largest = (uint16_t)size;
    a->segments = (uint8_t)min_u32(a->segments + (len - 1) / size + 1, 2);

    /* RCV.NXT has moved. Duplicates still owed would all carry its new value, and the peer would
     * count them against a segment that nobody misses. One ACK says it. */
    a->owed = a->owed > 0;

    bool quick = a->quick > 0;
    if (quick && a->quick != ACKDELAY_ALL)
        a->quick--;
    if (quick || a->segments >= 2)
        ackdelay_now(a);
    return a->owed == 0;
}

void ackdelay_now(struct ackdelay *a)
{
    if (a->owed == 0)
        a->owed = 1;
}

void ackdelay_duplicate(struct ackdelay *a)
{
    if (a->owed < ACKDELAY_OWED_MAX)
        a->owed++;
}

bool ackdelay_waits(const struct ackdelay *a)
{
    return a->owed == 0 && a->segments > 0;
}

bool ackdelay_due(const struct ackdelay *a, uint64_t due_ns, uint64_t now_ns)
{
    return ackdelay_deadline(a, due_ns) <= now_ns;
}

uint64_t ackdelay_deadline(const struct ackdelay *a, uint64_t due_ns)
{
    if (a->owed > 0)
        return 0;
    return ackdelay_waits(a) ? due_ns : TIME_NEVER;
}

void ackdelay_sent(struct ackdelay *a)
{
    if (a->owed > 0)
        a->owed--;
    a->segments = 0;
}
