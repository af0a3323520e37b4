/*
 * Lines: segments as tests speak of them. See segments.h; the connection that goes with them is in
 * connection.c.
 */
#include "segments.h"

#include <stdio.h>

#include "tcp.h"

uint8_t stream_octet(bool by_peer, uint64_t n)
{
    uint64_t z = (n + (by_peer ? 77777 : 0)) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint8_t)(z >> 56);
}

static size_t put(char *buf, size_t at, const char *name, long v)
{
    int n = snprintf(buf + at, LINE_TEXT_MAX - at, " %s %ld", name, v);
    return n < 0 || at + (size_t)n >= LINE_TEXT_MAX ? at : at + (size_t)n;
}

static long meant(int v)
{
    return v == ZERO ? 0 : v;
}

const char *line_text(const struct line *l, char buf[LINE_TEXT_MAX])
{
    char flags[TCP_FLAGS_TEXT_MAX];
    int n = snprintf(buf, LINE_TEXT_MAX, "%s", tcp_flags_text((uint8_t)l->flags, flags));
    size_t at = put(buf, n < 0 ? 0 : (size_t)n, "seq", (long)l->seq);
    if (l->flags & ACK)
        at = put(buf, at, "ack", (long)l->ack);
    if (l->text)
        at = put(buf, at, "text", (long)l->text);
    if (l->wnd)
        at = put(buf, at, "wnd", meant(l->wnd));
    if (l->mss && l->mss != NONE)
        at = put(buf, at, "mss", meant(l->mss));
    if (l->scale && l->scale != NONE)
        at = put(buf, at, "scale", meant(l->scale));
    if (l->gso > 0)
        at = put(buf, at, "gso", l->gso);
    if (l->flags & URG)
        put(buf, at, "up", l->up);
    return buf;
}

static int said(uint32_t v)
{
    return v == 0 ? ZERO : (int)v;
}

struct line line_of(const struct seg *seg, uint32_t iss, uint32_t irs)
{
    /* RFC 9293 3.10.7.1: it is about no connection of ours. */
    bool of_nobody = seg->flags == (RST | ACK) && seg->seq.v == 0 && seg->wnd == 0;
    return (struct line){
        .flags = seg->flags,
        .seq = of_nobody ? 0 : seg->seq.v - iss,
        .ack = seg->flags & ACK ? seg->ack.v - irs : 0,
        .text = seg->text_len,
        .wnd = said(seg->wnd),
        .mss = seg->opts.has_mss ? said(seg->opts.mss) : NONE,
        .scale = seg->opts.has_wscale ? said(seg->opts.wscale) : NONE,
        .gso = said(seg->gso_size),
        .up = seg->up,
    };
}

struct seg line_seg(const struct line *l, uint32_t iss, uint32_t irs)
{
    struct seg seg = {
        .flags = (uint8_t)l->flags,
        .seq = seq(l->flags == (RST | ACK) ? l->seq : iss + l->seq),
        .ack = seq(l->flags & ACK ? irs + l->ack : 0),
        .wnd = (uint32_t)meant(l->wnd),
        .up = l->up,
        .text_len = l->text,
        .gso_size = (uint16_t)meant(l->gso),
    };
    seg.opts.has_mss = l->mss > 0 || l->mss == ZERO;
    seg.opts.mss = seg.opts.has_mss ? (uint16_t)meant(l->mss) : 0;
    seg.opts.has_wscale = l->scale > 0 || l->scale == ZERO;
    seg.opts.wscale = seg.opts.has_wscale ? (uint8_t)meant(l->scale) : 0;
    return seg;
}

static bool fits(int expected, int is)
{
    return expected == 0 || expected == is;
}

bool line_fits(const struct line *e, const struct line *is)
{
    return e->flags == is->flags && e->seq == is->seq && e->ack == is->ack && e->text == is->text &&
           e->up == is->up && fits(e->wnd, is->wnd) && fits(e->mss, is->mss) &&
           fits(e->scale, is->scale) && fits(e->gso, is->gso);
}
