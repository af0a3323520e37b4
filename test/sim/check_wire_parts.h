/* What check_wire.c and check_wire_arrived.c share. */
#ifndef CHECK_WIRE_PARTS_H
#define CHECK_WIRE_PARTS_H

#include "check_wire.h"

#define MSS_DEFAULT 536 /* RFC 9293 3.7.1 (MUST-15); the simulator's IPv6 ends always announce */

/* The 64-bit offset near `base` that a sequence number stands for. */
static inline uint64_t wire_unwrap(seq_t s, seq_t iss, uint64_t base)
{
    seq_t near = seq_add(iss, (uint32_t)base);
    return base + (uint64_t)(int64_t)seq_diff(s, near);
}

static inline int wire_scale(const struct wire_end *me, const struct wire_end *peer)
{
    return me->shift >= 0 && peer->shift >= 0 ? me->shift : 0;
}

/* Octets of options in every segment. */
static inline uint32_t wire_options(const struct wire_end *me, const struct wire_end *peer)
{
    return ts_agreed(&me->ts, &peer->ts) ? TS_OPTION_LEN : 0;
}

/* Of an MSS that a SYN cookie has kept (tcp/cookie.c). */
static inline uint32_t wire_mss_kept(bool v6, uint32_t mss)
{
    static const uint16_t kept[2][7] = {{8960, 1460, 1440, 1400, 1300, 1220, 536},
                                        {8940, 1440, 1420, 1360, 1280, 1220, 536}};
    for (int i = 0; i < 7; i++)
        if (mss >= kept[v6][i])
            return kept[v6][i];
    return 48;
}

static inline uint32_t wire_mss_limit(const struct wire_end *me, const struct wire_end *peer)
{
    uint32_t said = peer->mss_sent ? peer->mss_sent : MSS_DEFAULT;
    if (me->cookie)
        said = wire_mss_kept(me->head > 40, said);
    return (said < me->mss ? said : me->mss) - wire_options(me, peer);
}

static inline struct resend_seen wire_seen(const struct wire_end *me, const struct wire_end *peer)
{
    return (struct resend_seen){me->acked_new, me->acked, me->sent, wire_mss_limit(me, peer)};
}

static inline bool wire_sacks(const struct wire_end *me, const struct wire_end *peer)
{
    return me->sack_permitted && peer->sack_permitted;
}

/* The blocks of a segment from `me`, in the peer's offsets. */
static inline unsigned wire_spans(const struct seg *seg, seq_t iss, uint64_t base,
                                  struct sack_span *out)
{
    for (unsigned i = 0; i < seg->opts.n_sack; i++) {
        out[i].left = wire_unwrap(seg->opts.sack[i].left, iss, base);
        out[i].right = wire_unwrap(seg->opts.sack[i].right, iss, base);
    }
    return seg->opts.n_sack;
}

#endif
