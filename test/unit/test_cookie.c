/* cookie.c: SYN cookies (RFC 4987 3.6, appendix A). */
#include "cookie.h"
#include "isn.h"
#include "nstime.h"
#include "support.h"

static const struct siphash_key secret = {UINT64_C(0x0706050403020100),
                                          UINT64_C(0x0f0e0d0c0b0a0908)};

static struct ip_addr any_addr(struct rnd *p, bool v6)
{
    uint8_t a[16];
    rnd_fill(p, a, sizeof a);
    a[0] = 0xfd;
    return v6 ? ip_addr_v6_bytes(a) : ip_addr_v4((uint32_t)rnd_u64(p));
}

static struct flow any_flow(struct rnd *p)
{
    bool v6 = rnd_below(p, 2);
    struct flow f;
    memset(&f, 0, sizeof f);
    f.local = any_addr(p, v6);
    f.remote = any_addr(p, v6);
    f.local_port = (uint16_t)rnd_u64(p);
    f.remote_port = (uint16_t)rnd_u64(p);
    return f;
}

static struct seg any_syn(struct rnd *p)
{
    struct seg s = {.flags = TCP_SYN, .seq = seq((uint32_t)rnd_u64(p))};
    s.opts.has_mss = rnd_below(p, 8);
    s.opts.mss = (uint16_t)rnd_u64(p);
    s.opts.has_ts = rnd_below(p, 2);
    s.opts.ts_val = (uint32_t)rnd_u64(p);
    s.opts.has_sack_permitted = rnd_below(p, 2);
    s.opts.has_wscale = rnd_below(p, 2);
    s.opts.wscale = (uint8_t)rnd_below(p, 16);
    s.flags |= rnd_below(p, 2) ? TCP_ECE | TCP_CWR : 0;
    return s;
}

/* The ACK of a SYN-ACK with this number and TSval. */
static struct seg ack_of(const struct seg *kept, seq_t iss, uint32_t ts_val)
{
    struct seg ack = {.flags = TCP_ACK, .seq = seq_add(kept->seq, 1), .ack = seq_add(iss, 1)};
    ack.opts.has_ts = kept->opts.has_ts;
    ack.opts.ts_val = kept->opts.ts_val;
    ack.opts.ts_ecr = ts_val;
    return ack;
}

static void same(const struct seg *a, const struct seg *b)
{
    assert_int_equal(a->seq.v, b->seq.v);
    assert_int_equal(a->flags, b->flags);
    assert_memory_equal(&a->opts, &b->opts, sizeof a->opts);
}

/* 3.6, A (4): the MSS is the largest of the table that is not above what the peer takes (RFC 9293
 * MUST-16); one that says nothing takes 536, or 1220 (MUST-15). One for each family. */
static void keeps_the_mss(void **state)
{
    (void)state;
    static const uint16_t v4[] = {48, 536, 1220, 1300, 1400, 1440, 1460, 8960};
    static const uint16_t v6[] = {48, 536, 1220, 1280, 1360, 1420, 1440, 8940};
    struct rnd p = rnd_start(__func__);
    const struct ip_addr four = any_addr(&p, false), six = any_addr(&p, true);
    struct seg syn = {.flags = TCP_SYN};
    assert_int_equal(cookie_keeps(&syn, &four, true).opts.mss, 536);
    assert_int_equal(cookie_keeps(&syn, &six, true).opts.mss, 1220);
    syn.opts.has_mss = true;
    for (uint32_t mss = 0, i4 = 0, i6 = 0; mss <= UINT16_MAX; mss++) {
        i4 += i4 < 7 && mss == v4[i4 + 1];
        i6 += i6 < 7 && mss == v6[i6 + 1];
        syn.opts.mss = (uint16_t)mss;
        assert_int_equal(cookie_keeps(&syn, &four, true).opts.mss, v4[i4]);
        assert_int_equal(cookie_keeps(&syn, &six, true).opts.mss, v6[i6]);
    }
}

/* 3.6: window scale and SACK-permitted are kept in the timestamp, so only where there is one: in
 * the SYN, and in what we answer. RFC 7323 2.3: a shift above 14 is 14. */
static void keeps_options_with_timestamps(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    struct ip_addr remote = any_addr(&p, false);
    struct seg syn = {.seq = seq(77), .flags = TCP_SYN, .wnd = 5000, .text_len = 3};
    syn.opts = (struct tcp_opts){.has_sack_permitted = true, .has_wscale = true, .wscale = 15};
    struct seg bare = {.seq = seq(77), .flags = TCP_SYN, .opts = {.has_mss = true, .mss = 536}};
    struct seg kept = cookie_keeps(&syn, &remote, true);
    same(&kept, &bare);
    assert_int_equal(kept.text_len + kept.wnd, 0);
    syn.opts.has_ts = true;
    syn.opts.ts_val = 99;
    kept = cookie_keeps(&syn, &remote, false);
    same(&kept, &bare);
    kept = cookie_keeps(&syn, &remote, true);
    syn.opts.has_mss = true;
    syn.opts.mss = 536;
    syn.opts.wscale = 14;
    same(&kept, &syn);
}

/* 3.6, RFC 3168 6.1.1: an ECN-setup SYN has both flags and is not ECT itself. */
static void keeps_ecn(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    struct ip_addr remote = any_addr(&p, false);
    struct seg syn = {.flags = TCP_SYN | TCP_ECE | TCP_CWR, .opts = {.has_ts = true}};
    assert_int_equal(cookie_keeps(&syn, &remote, true).flags, TCP_SYN | TCP_ECE | TCP_CWR);
    assert_int_equal(cookie_keeps(&syn, &remote, false).flags, TCP_SYN);
    syn.ecn = ECN_ECT0;
    assert_int_equal(cookie_keeps(&syn, &remote, true).flags, TCP_SYN);
    syn.ecn = ECN_NOT_ECT;
    syn.flags = TCP_SYN | TCP_ECE;
    assert_int_equal(cookie_keeps(&syn, &remote, true).flags, TCP_SYN);
    syn.flags = TCP_SYN | TCP_CWR;
    assert_int_equal(cookie_keeps(&syn, &remote, true).flags, TCP_SYN);
}

/* What is kept comes back with the ACK, for one period at least and two at most, and no longer. */
static void comes_back_in_time(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    for (int i = 0; i < 20000; i++) {
        struct flow f = any_flow(&p);
        struct seg syn = any_syn(&p), kept = cookie_keeps(&syn, &f.remote, true), is;
        uint64_t at = rnd_magnitude(&p) >> 1, period = at / COOKIE_PERIOD_NS;
        seq_t iss = cookie_make(&secret, &f, &kept, at);
        struct seg ack = ack_of(&kept, iss, cookie_ts_val(&kept, (uint32_t)rnd_u64(&p)));
        uint64_t last = (period + 2) * COOKIE_PERIOD_NS - 1,
                 when = at + rnd_u64(&p) % (last - at + 1);
        assert_true(cookie_returns(&secret, &f, &ack, true, when, &is));
        same(&is, &kept);
        assert_true(cookie_returns(&secret, &f, &ack, true, last, &is));
        same(&is, &kept);
        assert_false(cookie_returns(&secret, &f, &ack, true, last + 1, &is));
    }
}

/* 3.6: it can't be replayed: not later, nor when the count comes round again, nor from before. */
static void not_replayed(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    unsigned good = 0;
    for (int i = 0; i < 2000; i++) {
        struct flow f = any_flow(&p);
        struct seg syn = any_syn(&p), kept = cookie_keeps(&syn, &f.remote, true), is;
        uint64_t at = (1000 + rnd_below(&p, 1000)) * COOKIE_PERIOD_NS;
        seq_t iss = cookie_make(&secret, &f, &kept, at);
        struct seg ack = ack_of(&kept, iss, cookie_ts_val(&kept, 0));
        for (int64_t n = -257; n <= 600; n++) {
            uint64_t when = at + (uint64_t)(n * (int64_t)COOKIE_PERIOD_NS);
            good += cookie_returns(&secret, &f, &ack, true, when, &is);
        }
    }
    assert_int_equal(good, 2 * 2000); /* n 0 and 1 */
}

/* Changes one thing that the cookie is of. */
static void change(struct rnd *p, struct siphash_key *k, struct flow *f, struct seg *ack)
{
    uint8_t bit = (uint8_t)(1u << rnd_below(p, 8));
    switch (rnd_below(p, 9)) {
    case 0:
        f->local.b[12 + rnd_below(p, 4)] ^= bit;
        break;
    case 1:
        f->remote.b[12 + rnd_below(p, 4)] ^= bit;
        break;
    case 2:
        f->local_port ^= bit;
        break;
    case 3:
        f->remote_port ^= bit;
        break;
    case 4:
        ack->seq.v += rnd_below(p, 1000) + 1;
        break;
    case 5:
        ack->ack.v += rnd_below(p, UINT16_MAX) + 8; /* less is another MSS, perhaps */
        break;
    case 6: { /* both, by as much */
        uint32_t n = rnd_below(p, 1000) + 1;
        ack->seq.v += n;
        ack->ack.v += n;
        break;
    }
    case 7:
        k->k0 ^= bit;
        break;
    default: /* the options that the timestamp tells, or whether there is one */
        if (ack->opts.has_ts && rnd_below(p, 2))
            ack->opts.ts_ecr ^= 1u << rnd_below(p, 5);
        else
            ack->opts.has_ts = !ack->opts.has_ts;
        break;
    }
}

/* 3.6, RFC 6528: nobody makes one but who has the key, or has seen it: it is of the four-tuple, the
 * SYN's number, and all that the timestamp tells. */
static void of_everything(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    unsigned good = 0;
    for (int i = 0; i < 200000; i++) {
        struct siphash_key k = secret;
        struct flow f = any_flow(&p);
        struct seg syn = any_syn(&p), kept = cookie_keeps(&syn, &f.remote, true), is;
        seq_t iss = cookie_make(&k, &f, &kept, 0);
        struct seg ack = ack_of(&kept, iss, cookie_ts_val(&kept, (uint32_t)rnd_u64(&p)));
        change(&p, &k, &f, &ack);
        good += cookie_returns(&k, &f, &ack, true, 0, &is);
    }
    assert_in_range(good, 0, 2); /* some changes are right once in 2^21 */
}

/* 5: guesses at the number: one in 2^28 is right, here none of 2^20. */
static void not_guessed(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    struct flow f = any_flow(&p);
    unsigned good = 0;
    for (uint32_t i = 0; i < 1u << 20; i++) {
        struct seg is, ack = {.flags = TCP_ACK, .ack = seq((uint32_t)rnd_u64(&p))};
        good += cookie_returns(&secret, &f, &ack, true, 0, &is);
    }
    assert_in_range(good, 0, 1);
}

/* Cookies have a key of their own: one is no ISN plus a number that all have in common. */
static void tells_no_isn(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    struct siphash_key key = cookie_key(&secret), other = secret;
    other.k1 ^= 1;
    struct siphash_key other_key = cookie_key(&other);
    assert_true(key.k0 != secret.k0 && key.k1 != secret.k1 && key.k0 != key.k1);
    assert_true(key.k0 != other_key.k0 && key.k1 != other_key.k1);
    unsigned near = 0;
    uint32_t before = 0;
    for (int i = 0; i < 1000; i++) {
        struct flow f = any_flow(&p);
        struct seg syn = {.flags = TCP_SYN}, kept = cookie_keeps(&syn, &f.remote, true);
        uint32_t ahead = cookie_make(&key, &f, &kept, 0).v - isn_choose(&secret, &f, 0).v;
        near += ahead - before < 1u << 25;
        before = ahead;
    }
    assert_in_range(near, 0, 30); /* one in 128 by chance */
}

/* RFC 9293 3.4.1: numbers of one four-tuple go on, with time and with the peer's. */
static void goes_on(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    for (int i = 0; i < 10000; i++) {
        struct flow f = any_flow(&p);
        struct seg syn = any_syn(&p), kept = cookie_keeps(&syn, &f.remote, true);
        uint64_t at = rnd_magnitude(&p) >> 1;
        seq_t first = cookie_make(&secret, &f, &kept, at);
        assert_int_equal(cookie_make(&secret, &f, &kept, at).v, first.v);
        kept.seq = seq_add(kept.seq, 1u << 24);
        assert_true(seq_lt(first, cookie_make(&secret, &f, &kept, at)));
        kept.seq = seq_sub(kept.seq, 1u << 24);
        assert_true(seq_lt(first, cookie_make(&secret, &f, &kept, at + 2 * COOKIE_PERIOD_NS)));
    }
}

/* RFC 7323 5.4: TSval does not run ahead, and never back: not against what goes after it. */
static void ts_val_goes_on(void **state)
{
    (void)state;
    struct rnd p = rnd_start(__func__);
    for (int i = 0; i < 10000; i++) {
        struct flow f = any_flow(&p);
        struct seg syn = any_syn(&p);
        syn.opts.has_ts = true;
        struct seg kept = cookie_keeps(&syn, &f.remote, true);
        uint32_t now = (uint32_t)rnd_magnitude(&p), later = now + rnd_below(&p, 200);
        uint32_t val = cookie_ts_val(&kept, now);
        assert_in_range(now - val, 0, 63);
        assert_in_range(cookie_ts_val(&kept, later) - val, 0, 263);
        assert_int_equal((val & 0x20) != 0, (kept.flags & TCP_ECE) != 0);
        assert_int_equal(val & 0x0f, syn.opts.has_wscale ? kept.opts.wscale : 0x0f);
        assert_int_equal((val & 0x10) != 0, syn.opts.has_sack_permitted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_mss),      cmocka_unit_test(keeps_options_with_timestamps),
        cmocka_unit_test(comes_back_in_time), cmocka_unit_test(not_replayed),
        cmocka_unit_test(of_everything),      cmocka_unit_test(not_guessed),
        cmocka_unit_test(tells_no_isn),       cmocka_unit_test(goes_on),
        cmocka_unit_test(ts_val_goes_on),     cmocka_unit_test(keeps_ecn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
