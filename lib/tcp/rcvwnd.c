/*
 * The receive window (RFC 9293 3.8.6, 3.8.6.2.2; scaling: RFC 7323 2).
 *
 * Called by the trunk of tcp/ only. Decides what to announce and when an announcement is worth a
 * segment of its own; does not test whether a segment lies in the window.
 */
#include "rcvwnd.h"

#include "minmax.h"
#include "tcp.h"

/* The largest window that the header's field can carry. */
static uint32_t field_max(const struct rcvwnd *w)
{
    return UINT32_C(65535) << w->shift;
}

static uint64_t round_down(uint64_t wnd, uint8_t shift)
{
    return wnd >> shift << shift;
}

static uint64_t round_up(uint64_t wnd, uint8_t shift)
{
    return round_down(wnd + (UINT64_C(1) << shift) - 1, shift);
}

/* What RFC 9293 3.8.6.2.2 calls RCV.BUFF, as far as it can be announced: without window scaling a
 * step measured against a buffer of megabytes would be more than the whole window. */
static uint32_t buff(const struct rcvwnd *w)
{
    return min_u32(w->size, field_max(w));
}

/* The octets that the peer may send by what was announced. */
static uint64_t announced(const struct rcvwnd *w, uint64_t head)
{
    return w->edge > head ? w->edge - head : 0;
}

/* The window that the free part of the buffer allows, RCV.BUFF - RCV.USER. */
static uint32_t allowed(const struct rcvwnd *w, uint64_t start, uint64_t head)
{
    uint64_t end = start + w->size;
    uint64_t room = end > head ? end - head : 0;
    return (uint32_t)round_down(room < field_max(w) ? room : field_max(w), w->shift);
}

uint8_t rcvwnd_shift_for(uint32_t size_max)
{
    uint8_t shift = 0;
    while (shift < TCP_SHIFT_MAX && size_max > UINT32_C(65535) << shift)
        shift++;
    return shift;
}

void rcvwnd_init(struct rcvwnd *w, uint32_t size, uint32_t size_max, uint16_t mss)
{
    /* A buffer of less than two units of the scaled field could never be announced. */
    size = max_u32(size, UINT32_C(2) << rcvwnd_shift_for(size_max));
    *w = (struct rcvwnd){.size = size, .size_max = max_u32(size, size_max), .mss = mss};
}

void rcvwnd_resize(struct rcvwnd *w, uint32_t size)
{
    w->size = w->size_max = max_u32(size, UINT32_C(2) << w->shift);
}

uint32_t rcvwnd_offer(const struct rcvwnd *w, uint64_t start, uint64_t head)
{
    uint64_t keep = announced(w, head);
    uint32_t open = allowed(w, start, head);
    if (open >= keep + min_u32(buff(w) / 2, w->mss)) /* MUST-39 */
        return open;

    /* RFC 7323 2.4: where the edge does not fall on a unit of the scaled field, what is announced
     * is either beyond it or short of it. SHLD-14 asks for beyond, which moves the edge by less
     * than a unit. But a peer that sends a little less than a unit at a time would then push the
     * edge before itself for ever, whether the user reads or not, and the queue with it (Linux
     * does so, and throws away what its memory does not hold). So we go beyond only up to the next
     * unit after the end of the buffer, and short of the edge from there on, as RFC 7323 2.4
     * allows; what was once announced stays acceptable, as it demands: w->edge does not move. */
    uint64_t up = round_up(keep, w->shift);
    if (head + up >= start + w->size + (UINT64_C(1) << w->shift))
        up = round_down(keep, w->shift);
    return (uint32_t)min_u64(up, field_max(w));
}

void rcvwnd_announced(struct rcvwnd *w, uint64_t start, uint64_t head, uint32_t wnd)
{
    rcvwnd_announced_syn(w, head, wnd);
    if (wnd == field_max(w))
        w->edge = max_u64(w->edge, start + w->size);
}

void rcvwnd_announced_syn(struct rcvwnd *w, uint64_t head, uint32_t wnd)
{
    w->edge = max_u64(w->edge, head + wnd);
}

uint32_t rcvwnd_again(const struct rcvwnd *w, uint64_t head)
{
    return (uint32_t)min_u64(round_down(announced(w, head), w->shift), field_max(w));
}

void rcvwnd_whole(struct rcvwnd *w, uint32_t mss)
{
    if (w->size <= mss)
        return;
    uint64_t whole = ((uint64_t)w->size + mss - 1) / mss * mss;
    w->size = (uint32_t)min_u64(whole, UINT32_MAX);
    w->size_max = max_u32(w->size, w->size_max);
}

/* RFC 9293 3.8.6.2.2 says when the edge may move; when that deserves a segment of its own is left
 * to us. ACKs of arriving text carry the window anyway, so only a peer that has (nearly) used up
 * its window may be waiting for us. Hence: an update must at least double what the peer has (Linux
 * asks for the same; BSD for a quarter of the buffer), and be worth two segments, or one when the
 * peer has less than one. And it must be a sixteenth of the buffer (Linux too opens a shut window
 * by no less): with a reader slower than its peer the buffer is always full, and an update for
 * every 2 MSS read would cost an ACK per 3 KB and make the peer send 3 KB at a time. Waiting delays
 * nobody, because the user still has fifteen sixteenths to read. It cannot lock up: once the user
 * has read everything, the step is at most half of what is free. */
bool rcvwnd_update_due(const struct rcvwnd *w, uint64_t start, uint64_t head)
{
    uint64_t keep = min_u64(announced(w, head), field_max(w));
    uint32_t open = allowed(w, start, head);
    uint32_t segments = keep < w->mss ? w->mss : 2u * w->mss;
    uint32_t step = min_u32(buff(w) / 2, max_u32(segments, buff(w) / 16));
    return open >= keep + step && open >= 2 * keep;
}

/* What lies beyond the edge was let in by an announcement of later, so it takes a round trip at
 * least, and exactly one when the window is what bounds the peer. Hence the least counts. Linux
 * waits for text up to the edge, which may be on its way already. */
void rcvwnd_arrived(const struct rcvwnd *w, struct rcvwnd_growth *g, uint64_t head, uint64_t now_ns)
{
    if (head <= g->rtt_edge)
        return;
    uint64_t took_ns = max_u64(now_ns - g->rtt_at_ns, 1);
    if (g->rtt_at_ns > 0)
        g->rtt_ns = g->rtt_ns > 0 ? min_u64(g->rtt_ns, took_ns) : took_ns;
    g->rtt_edge = w->edge;
    g->rtt_at_ns = now_ns;
}

/* A mark needs an estimate of the round trip: without one nothing grows, and measuring begins at
 * the read that first brings one. Reads are looked at once per round trip at the earliest; a longer
 * interval counts in full, because what a slow application takes in one burst is what the next
 * burst should find room for, and the size it leads to is at most four times the burst. */
void rcvwnd_read(struct rcvwnd *w, struct rcvwnd_growth *g, uint64_t start, uint64_t rtt_ns,
                 uint64_t now_ns)
{
    if (rtt_ns == 0)
        rtt_ns = g->rtt_ns;
    bool measuring = rtt_ns > 0 && g->mark_ns > 0;
    if (measuring && now_ns - g->mark_ns < rtt_ns)
        return;
    uint64_t wanted = measuring ? 4 * (start - g->mark_start) : 0;
    if (wanted > w->size && !w->fixed)
        w->size = (uint32_t)min_u64(wanted, w->size_max);
    g->mark_start = start;
    g->mark_ns = rtt_ns > 0 ? now_ns : 0;
}
