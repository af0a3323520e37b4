/* See line.h. */
#include "line.h"

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
        at = put(buf, at, "up", l->up);
    if (l->ecn != ECN_NOT_ECT)
        at = put(buf, at, "ecn", l->ecn);
    if (l->sack_ok > 0)
        at = put(buf, at, "sackOK", 1);
    if (l->ts > 0) {
        at = put(buf, at, "val", l->ts_val);
        at = put(buf, at, "ecr", l->ts_ecr);
    }
    for (int i = 0; i < l->n_sack; i++) {
        at = put(buf, at, "sack", l->sack[i].left);
        at = put(buf, at, "to", l->sack[i].right);
    }
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
    struct line l = {
        .flags = seg->flags,
        .seq = of_nobody ? 0 : seg->seq.v - iss,
        .ack = seg->flags & ACK ? seg->ack.v - irs : 0,
        .text = seg->text_len,
        .wnd = said(seg->wnd),
        .mss = seg->opts.has_mss ? said(seg->opts.mss) : NONE,
        .scale = seg->opts.has_wscale ? said(seg->opts.wscale) : NONE,
        .gso = said(seg->gso_size),
        .up = seg->up,
        .ecn = seg->ecn,
        .sack_ok = seg->opts.has_sack_permitted ? 1 : NONE,
        .n_sack = seg->opts.n_sack > 0 ? seg->opts.n_sack : NONE,
        .ts = seg->opts.has_ts ? 1 : NONE,
        .ts_val = seg->opts.has_ts ? seg->opts.ts_val : 0,
        .ts_ecr = seg->opts.has_ts ? seg->opts.ts_ecr : 0,
    };
    for (unsigned i = 0; i < seg->opts.n_sack; i++) {
        l.sack[i].left = seg->opts.sack[i].left.v - irs;
        l.sack[i].right = seg->opts.sack[i].right.v - irs;
    }
    return l;
}

struct seg line_seg(const struct line *l, uint32_t iss, uint32_t irs)
{
    struct seg seg = {
        .flags = (uint8_t)l->flags,
        .seq = seq(l->flags == (RST | ACK) ? l->seq : iss + l->seq),
        .ack = seq(l->flags & ACK ? irs + l->ack : 0),
        .wnd = (uint32_t)meant(l->wnd),
        .up = l->up,
        .ecn = l->ecn,
        .text_len = l->text,
        .gso_size = (uint16_t)meant(l->gso),
    };
    seg.opts.has_mss = l->mss > 0 || l->mss == ZERO;
    seg.opts.mss = seg.opts.has_mss ? (uint16_t)meant(l->mss) : 0;
    seg.opts.has_wscale = l->scale > 0 || l->scale == ZERO;
    seg.opts.wscale = seg.opts.has_wscale ? (uint8_t)meant(l->scale) : 0;
    seg.opts.has_sack_permitted = l->sack_ok > 0;
    seg.opts.has_ts = l->ts > 0;
    seg.opts.ts_val = l->ts_val;
    seg.opts.ts_ecr = l->ts_ecr;
    seg.opts.n_sack = (uint8_t)(l->n_sack > 0 ? l->n_sack : 0);
    for (unsigned i = 0; i < seg.opts.n_sack; i++) {
        seg.opts.sack[i].left = seq(irs + l->sack[i].left);
        seg.opts.sack[i].right = seq(irs + l->sack[i].right);
    }
    return seg;
}

void line_ts_relative(struct line *l, uint32_t clock, uint32_t peer_clock)
{
    if (l->ts <= 0)
        return;
    l->ts_val -= clock;
    if (l->flags & ACK)
        l->ts_ecr -= peer_clock;
}

void line_ts_absolute(struct line *l, uint32_t clock, uint32_t peer_clock)
{
    line_ts_relative(l, -clock, -peer_clock);
}

static bool fits(int expected, int is)
{
    return expected == 0 || expected == is;
}

static bool sack_fits(const struct line *e, const struct line *is)
{
    if (!fits(e->n_sack, is->n_sack))
        return false;
    for (int i = 0; i < e->n_sack; i++) {
        if (e->sack[i].left != is->sack[i].left || e->sack[i].right != is->sack[i].right)
            return false;
    }
    return true;
}

static bool ts_fits(const struct line *e, const struct line *is)
{
    return fits(e->ts, is->ts) &&
           (e->ts <= 0 || (e->ts_val == is->ts_val && e->ts_ecr == is->ts_ecr));
}

bool line_fits(const struct line *e, const struct line *is)
{
    return e->flags == is->flags && e->seq == is->seq && e->ack == is->ack && e->text == is->text &&
           e->up == is->up && e->ecn == is->ecn && fits(e->wnd, is->wnd) && fits(e->mss, is->mss) &&
           fits(e->scale, is->scale) && fits(e->gso, is->gso) && fits(e->sack_ok, is->sack_ok) &&
           sack_fits(e, is) && ts_fits(e, is);
}
