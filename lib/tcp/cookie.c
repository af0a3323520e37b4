/*
 * SYN cookies: RFC 4987 appendix A, in the manner of Linux. See cookie.h.
 *
 *     cookie = F(four-tuple) + SYN's number + (periods << 24) + (G + index of the MSS) mod 2^24
 *
 * G is of everything: also of what the TSval tells, so that the ACK's echo has to be the one that
 * was sent, and of the SYN's number, so that one cookie does not tell another. As with ISNs (RFC
 * 6528) F gives each four-tuple a space of its own, in which time and the peer's numbers lead on.
 */
#include "cookie.h"

#include "isn.h"
#include "nstime.h"
#include "tcp.h"

#define COUNT_SHIFT 24
#define COUNT_MASK  0xffu
#define REST_MASK   0xffffffu

/* The TSval's low bits, as Linux has them. */
#define TS_MASK     0x3fu
#define TS_SCALE    0x0fu
#define TS_NO_SCALE 0x0fu
#define TS_SACK     0x10u
#define TS_ECN      0x20u
#define NO_TS       0xffu

/* Never more than the peer takes (MUST-16): so the first is the least that is sent to anybody, and
 * the others are those of common links: Ethernet, with tunnels and without, and jumbo frames. */
#define MSS_INDEXES 8
static const uint16_t mss_v4[MSS_INDEXES] = {TCP_MSS_FLOOR, 536,  1220, 1300,
                                             1400,          1440, 1460, 8960};
static const uint16_t mss_v6[MSS_INDEXES] = {TCP_MSS_FLOOR, 536,  1220, 1280,
                                             1360,          1420, 1440, 8940};

static const uint16_t *mss_table(const struct ip_addr *remote)
{
    return ip_addr_is_v4(remote) ? mss_v4 : mss_v6;
}

static uint32_t mss_index(const uint16_t *table, uint16_t mss)
{
    uint32_t i = MSS_INDEXES - 1;
    while (i > 0 && mss < table[i])
        i--;
    return i;
}

struct siphash_key cookie_key(const struct siphash_key *secret)
{
    static const char halves[2][12] = {"SYN cookie 0", "SYN cookie 1"};
    return (struct siphash_key){siphash(secret, halves[0], sizeof halves[0]),
                                siphash(secret, halves[1], sizeof halves[1])};
}

struct seg cookie_keeps(const struct seg *syn, const struct ip_addr *remote, bool ts)
{
    const uint16_t *table = mss_table(remote);
    struct seg kept = {.flags = TCP_SYN, .seq = syn->seq};
    uint16_t mss = syn->opts.has_mss ? syn->opts.mss : tcp_mss_default(remote);
    kept.opts.has_mss = true;
    kept.opts.mss = table[mss_index(table, mss)];
    if (!ts || !syn->opts.has_ts)
        return kept;
    if (tcp_is_ecn_setup(syn))
        kept.flags |= TCP_ECN_SETUP;
    kept.opts.has_ts = true;
    kept.opts.ts_val = syn->opts.ts_val;
    kept.opts.has_sack_permitted = syn->opts.has_sack_permitted;
    kept.opts.has_wscale = syn->opts.has_wscale;
    if (syn->opts.has_wscale)
        kept.opts.wscale = syn->opts.wscale > TCP_SHIFT_MAX ? TCP_SHIFT_MAX : syn->opts.wscale;
    return kept;
}

static uint8_t told_by_ts(const struct seg *kept)
{
    const struct tcp_opts *o = &kept->opts;
    unsigned bits = o->has_wscale ? o->wscale : TS_NO_SCALE;
    if (!o->has_ts)
        return NO_TS;
    bits |= o->has_sack_permitted ? TS_SACK : 0;
    return (uint8_t)(kept->flags & TCP_ECE ? bits | TS_ECN : bits);
}

uint32_t cookie_ts_val(const struct seg *kept, uint32_t val)
{
    uint32_t back = (val - told_by_ts(kept)) & TS_MASK;
    return val - back;
}

static uint32_t count_at(uint64_t now_ns)
{
    return (uint32_t)(now_ns / COOKIE_PERIOD_NS);
}

/* G */
static uint32_t vouch(const struct siphash_key *key, uint64_t f, const struct seg *kept,
                      uint32_t count)
{
    uint8_t id[17];
    struct writer w = writer(id, sizeof id);
    put_u32(&w, (uint32_t)(f >> 32));
    put_u32(&w, (uint32_t)f);
    put_u32(&w, kept->seq.v);
    put_u32(&w, count);
    put_u8(&w, told_by_ts(kept));
    return (uint32_t)siphash(key, id, sizeof id);
}

seq_t cookie_make(const struct siphash_key *key, const struct flow *flow, const struct seg *kept,
                  uint64_t now_ns)
{
    uint64_t f = isn_f(key, flow);
    uint32_t count = count_at(now_ns);
    uint32_t index = mss_index(mss_table(&flow->remote), kept->opts.mss);
    uint32_t rest = (vouch(key, f, kept, count) + index) & REST_MASK;
    return seq((uint32_t)f + kept->seq.v + (count << COUNT_SHIFT) + rest);
}

/* The SYN as the ACK's own fields have it, without the MSS. */
static struct seg syn_before(const struct seg *ack, bool ts)
{
    struct seg kept = {.flags = TCP_SYN, .seq = seq_sub(ack->seq, 1)};
    if (!ts || !ack->opts.has_ts)
        return kept;
    uint32_t bits = ack->opts.ts_ecr & TS_MASK;
    kept.flags |= bits & TS_ECN ? TCP_ECN_SETUP : 0;
    kept.opts.has_ts = true;
    kept.opts.ts_val = ack->opts.ts_val;
    kept.opts.has_sack_permitted = bits & TS_SACK;
    kept.opts.has_wscale = (bits & TS_SCALE) != TS_NO_SCALE;
    kept.opts.wscale = kept.opts.has_wscale ? (uint8_t)(bits & TS_SCALE) : 0;
    return kept;
}

bool cookie_returns(const struct siphash_key *key, const struct flow *flow, const struct seg *ack,
                    bool ts, uint64_t now_ns, struct seg *kept)
{
    *kept = syn_before(ack, ts);
    uint64_t f = isn_f(key, flow);
    uint32_t told = ack->ack.v - 1 - (uint32_t)f - kept->seq.v, now = count_at(now_ns);
    uint32_t age = (now - (told >> COUNT_SHIFT)) & COUNT_MASK;
    if (age >= COOKIE_PERIODS)
        return false;
    uint32_t index = (told - vouch(key, f, kept, now - age)) & REST_MASK;
    if (index >= MSS_INDEXES)
        return false;
    kept->opts.has_mss = true;
    kept->opts.mss = mss_table(&flow->remote)[index];
    return true;
}
