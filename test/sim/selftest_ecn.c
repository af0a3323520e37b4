/* Self test of the checker of ECN. See selftest.h. */
#include "selftest_pair.h"

#define ECE TCP_ECE
#define CWR TCP_CWR

#define FULL(at, more, field)                                                                      \
    .flags = (uint8_t)(TCP_ACK | (more)), .seq = {at}, .ack = {1}, .wnd = 8000, .text_len = MSS,   \
    .ecn = (field)
#define ECHO(number) .flags = TCP_ACK | ECE, .seq = {1}, .ack = {number}, .wnd = 8000

/* Both SYNs were ECN-setup ones. */
static void agreed(struct pair *p)
{
    p->a.ecn = p->b.ecn = (struct ecn_watch){.setup = true, .peer_setup = true};
    p->a.ssthresh = 2000;
}

static void goes_on(struct pair *p)
{
    agreed(p);
    FROM_A(FULL(1, 0, ECN_ECT0));
    FROM_B(ACK(1001, 8000));
    FROM_A(FULL(1001, 0, ECN_ECT0));
    p->b.ecn.may_echo = p->b.ecn.must_echo = true; /* a router has marked it */
    FROM_B(ECHO(2001));
    FROM_A(FULL(2001, CWR, ECN_ECT0));
    FROM_A(FULL(3001, 0, ECN_ECT0));
    FROM_B(ACK(4001, 8000));
}

static void not_agreed(struct pair *p)
{
    FROM_A(FULL(1, 0, ECN_ECT0));
}

static void has_fallen_back(struct pair *p)
{
    agreed(p);
    p->a.ecn.other = true;
    FROM_A(FULL(1, 0, ECN_ECT0));
}

static void other_codepoint(struct pair *p)
{
    agreed(p);
    FROM_A(FULL(1, 0, ECN_ECT1));
}

static void without_ect(struct pair *p)
{
    agreed(p);
    FROM_A(FULL(1, 0, ECN_NOT_ECT));
}

static void pure_ack(struct pair *p)
{
    agreed(p);
    FROM_A(FULL(1, 0, ECN_ECT0));
    FROM_B(ACK(1001, 8000), .ecn = ECN_ECT0);
}

static void sent_again(struct pair *p, uint8_t ecn, unsigned flags)
{
    agreed(p);
    LOST_FROM_A(FULL(1, 0, ECN_ECT0));
    p->now_ns += 200 * NS_PER_MS;
    FROM_A(FULL(1, flags, ecn));
}

static void again(struct pair *p)
{
    sent_again(p, ECN_NOT_ECT, 0);
    FROM_B(ACK(1001, 8000));
    FROM_A(FULL(1001, CWR, ECN_ECT0));
}

static void again_with_ect(struct pair *p)
{
    sent_again(p, ECN_ECT0, 0);
}

static void again_with_cwr(struct pair *p)
{
    sent_again(p, ECN_NOT_ECT, CWR);
}

static void syn_with_one_flag(struct pair *p)
{
    p->now_ns += NS_PER_S;
    LOST_FROM_A(.flags = TCP_SYN | ECE, .wnd = 8000, .opts = {.has_mss = true, .mss = MSS});
}

static void syn_with_ect(struct pair *p)
{
    p->now_ns += NS_PER_S;
    LOST_FROM_A(.flags = TCP_SYN | ECE | CWR, .wnd = 8000, .opts = {.has_mss = true, .mss = MSS},
                .ecn = ECN_ECT0);
}

static void answered_unasked(struct pair *p)
{
    p->now_ns += NS_PER_S;
    LOST_FROM_B(.flags = TCP_SYN | TCP_ACK | ECE, .ack = {1}, .wnd = 8000,
                .opts = {.has_mss = true, .mss = MSS});
}

/* Seed 718041: A has fallen back to a SYN without ECN, which a cookie has answered, or a connection
 * has; then comes the one before it. A cookie is forgotten, and so nothing is outdated. */
static void late_setup_syn(struct pair *p, bool cookie)
{
    const struct tcp_opts opts = {
        .has_mss = true, .mss = MSS, .has_ts = true, .ts_val = 9, .ts_ecr = 9};
    const struct seg syn = {
        .flags = TCP_SYN | ECE | CWR, .seq = seq(ISS_A), .wnd = 8000, .opts = opts};
    p->now_ns += NS_PER_S;
    p->a.ts = (struct ts_watch){.offered = true, .sent = true, .val = 10};
    p->b.ts =
        (struct ts_watch){.offered = true, .sent = true, .heard = true, .least = 10, .most = 10};
    p->b.cookie = cookie;
    LOST_FROM_B(.flags = TCP_SYN | TCP_ACK, .ack = {1}, .wnd = 8000,
                .opts = {.has_mss = true, .mss = MSS, .has_ts = true, .ts_ecr = 10});
    wire_arrived(&p->b, &p->a, &syn, wire_epoch(&p->a), p->now_ns);
    LOST_FROM_B(.flags = TCP_SYN | TCP_ACK | ECE, .ack = {1}, .wnd = 8000,
                .opts = {.has_mss = true, .mss = MSS, .has_ts = true, .ts_ecr = cookie ? 9 : 10});
}

static void late_setup_syn_after_cookie(struct pair *p)
{
    late_setup_syn(p, true);
}

static void late_setup_syn_of_connection(struct pair *p)
{
    late_setup_syn(p, false);
}

static void echo_of_nothing(struct pair *p)
{
    agreed(p);
    FROM_A(FULL(1, 0, ECN_ECT0));
    FROM_B(ECHO(1001));
}

/* As a router hands it on. */
static void marked(struct pair *p, uint32_t at, unsigned flags)
{
    struct seg seg = {.flags = (uint8_t)(TCP_ACK | flags),
                      .seq = seq(ISS_A + at),
                      .ack = seq(ISS_B + 1),
                      .wnd = 8000,
                      .text_len = MSS,
                      .ecn = ECN_CE};
    LOST_FROM_A(FULL(at, flags, ECN_ECT0));
    wire_arrived(&p->b, &p->a, &seg, wire_epoch(&p->a), p->now_ns);
}

static void first_is_marked(struct pair *p)
{
    agreed(p);
    marked(p, 1, 0);
}

static void echoed(struct pair *p)
{
    first_is_marked(p);
    FROM_B(.flags = TCP_ACK | ECE, .seq = {1}, .ack = {1001}, .wnd = 8000);
}

static void not_echoed(struct pair *p)
{
    first_is_marked(p);
    FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {1001}, .wnd = 8000);
}

static void echoed_once_only(struct pair *p)
{
    echoed(p);
    p->a.ecn.may_cwr = p->a.ecn.must_cwr = false; /* it has not heard it */
    FROM_A(FULL(1001, 0, ECN_ECT0));
    FROM_B(.flags = TCP_ACK, .seq = {1}, .ack = {2001}, .wnd = 8000);
}

static void echoed_after_cwr(struct pair *p)
{
    echoed(p);
    FROM_A(FULL(1001, CWR, ECN_ECT0));
    FROM_B(.flags = TCP_ACK | ECE, .seq = {1}, .ack = {2001}, .wnd = 8000);
}

static void no_cwr(struct pair *p)
{
    echoed(p);
    FROM_A(FULL(1001, 0, ECN_ECT0));
}

static void cwr_for_nothing(struct pair *p)
{
    agreed(p);
    FROM_A(FULL(1, CWR, ECN_ECT0));
}

static void cwr_twice(struct pair *p)
{
    echoed(p);
    FROM_A(FULL(1001, CWR, ECN_ECT0));
    FROM_A(FULL(2001, CWR, ECN_ECT0));
}

static void not_reduced(struct pair *p)
{
    echoed(p);
    p->a.ssthresh = UINT32_MAX;
    FROM_A(FULL(1001, CWR, ECN_ECT0));
}

int selftest_ecn(void)
{
    static const struct pair_test tests[] = {
        {goes_on, NULL},
        {not_agreed, "ecn"},
        {has_fallen_back, "ecn"},
        {other_codepoint, "ecn"},
        {without_ect, "ecn"},
        {pure_ack, "ecn"},
        {again, NULL},
        {again_with_ect, "ecn"},
        {again_with_cwr, "ecn"},
        {syn_with_one_flag, "ecn"},
        {syn_with_ect, "ecn"},
        {answered_unasked, "ecn"},
        {late_setup_syn_after_cookie, NULL},
        {late_setup_syn_of_connection, "ecn"},
        {echo_of_nothing, "ecn"},
        {echoed, NULL},
        {not_echoed, "ecn"},
        {echoed_once_only, "ecn"},
        {echoed_after_cwr, "ecn"},
        {no_cwr, "ecn"},
        {cwr_for_nothing, "ecn"},
        {cwr_twice, "ecn"},
        {not_reduced, "ecn"},
    };
    return pair_run("ecn", tests, sizeof tests / sizeof *tests);
}
