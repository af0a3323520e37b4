/* reset.c: RST generation (RFC 9293 3.5.2, 3.10.7.1) and the rate of challenge ACKs (RFC 5961 7).
 */
#include "reset.h"
#include "segments.h"

static struct seg answer_to(unsigned flags, uint32_t text)
{
    struct seg seg = {
        .flags = (uint8_t)flags, .seq = seq(0xfffffff0u), .ack = seq(777), .text_len = text};
    struct seg rst;
    memset(&rst, 0x5a, sizeof rst);
    assert_true(tcp_reset_answer(&seg, &rst));
    assert_int_equal(rst.text_len, 0);
    assert_int_equal(rst.n_text, 0);
    assert_int_equal(rst.gso_size, 0);
    assert_int_equal(rst.up, 0);
    assert_false(rst.opts.has_mss || rst.opts.has_wscale);
    return rst;
}

/* "If the ACK bit is on, <SEQ=SEG.ACK><CTL=RST>" */
static void with_ack(void **state)
{
    (void)state;
    const unsigned flags[] = {ACK, SYN | ACK, FIN | ACK, PSH | URG | ACK};
    for (unsigned i = 0; i < 4; i++) {
        struct seg rst = answer_to(flags[i], i);
        assert_int_equal(rst.flags, RST);
        assert_int_equal(rst.seq.v, 777);
        assert_int_equal(rst.ack.v, 0);
    }
}

/* "If the ACK bit is off, <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>": SYN and FIN count. */
static void without_ack(void **state)
{
    (void)state;
    const struct {
        unsigned flags;
        uint32_t text, ack;
    } cases[] = {
        {SYN, 0, 0xfffffff1u},       {SYN, 15, 0},        {FIN, 0, 0xfffffff1u},
        {SYN | FIN, 0, 0xfffffff2u}, {0, 0, 0xfffffff0u}, {0, 100, 100 - 0x10},
        {PSH | URG, 16, 0},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct seg rst = answer_to(cases[i].flags, cases[i].text);
        assert_int_equal(rst.flags, RST | ACK);
        assert_int_equal(rst.seq.v, 0);
        assert_int_equal(rst.ack.v, cases[i].ack);
    }
}

/* Never for a RST: two ends would go on for ever. */
static void never_for_rst(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 256; flags++) {
        struct seg seg = {.flags = (uint8_t)flags}, rst;
        assert_int_equal(tcp_reset_answer(&seg, &rst), (flags & RST) == 0);
    }
}

/* RFC 5961 7: at most 10 challenge ACKs in 5 s; afterwards they come again. */
static void challenges_are_limited(void **state)
{
    (void)state;
    establish();
    for (unsigned i = 0; i < 25; i++) {
        receive(.flags = RST, .seq = 500);
        if (i < 10)
            expect(.flags = ACK, .seq = 1, .ack = 1);
        later(100);
    }
    at(100 + 4999);
    receive(.flags = RST, .seq = 500);
    expect_silence();
    at(100 + 5000);
    receive(.flags = RST, .seq = 500);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    expect_state(STATE_ESTABLISHED);
}

/* All kinds share one limit, so that two stacks cannot answer each other's ACKs for ever; ACKs of
 * text are not held back by it, nor is the connection's own work. */
static void the_limit_spares_text(void **state)
{
    (void)state;
    establish();
    for (unsigned i = 0; i < 10; i++) {
        receive(.flags = i % 2 ? SYN : ACK, .seq = i % 2 ? 1 : 20000, .ack = i % 2 ? 0 : 1);
        expect(.flags = ACK, .seq = 1, .ack = 1);
    }
    receive(.flags = RST, .seq = 500);
    receive(.flags = SYN, .seq = 500);
    receive(.flags = ACK, .seq = 20000, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 99);
    expect_silence();
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    batch();
    receive(.flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    expect(.flags = ACK, .seq = 1, .ack = 2001);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 1000); /* an old one asks for its ACK */
    expect(.flags = ACK, .seq = 1, .ack = 2001);
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 2001, .text = 10);
    receive(.flags = RST, .seq = 2001); /* and the right number still resets */
    expect_closed(ERR_RESET);
}

/* RFC 9293 3.10.7.4: an old segment is to be answered. Who knows the four-tuple and guesses numbers
 * spends the challenges, but not the answers to keep-alives (3.8.4) and window probes without text
 * (3.8.6.1), which come from RCV.NXT - 1: a peer without them gives the connection up. */
static void the_limit_spares_probes(void **state)
{
    (void)state;
    establish();
    for (uint32_t i = 0; i < 40; i++) {
        receive(.flags = ACK, .seq = 3000000000u + 1000 * i, .ack = 1);
        if (i < 10)
            expect(.flags = ACK, .seq = 1, .ack = 1);
    }
    receive(.flags = ACK, .seq = 0, .ack = 1);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    receive(.flags = ACK, .seq = 3000000000u, .ack = 1);
    expect_silence();
}

/* They have a limit too, or two stacks could answer each other's; and it spares the challenges. */
static void probe_answers_are_limited(void **state)
{
    (void)state;
    establish();
    for (unsigned i = 0; i < 20; i++) {
        receive(.flags = ACK, .seq = 0, .ack = 1);
        if (i < 10)
            expect(.flags = ACK, .seq = 1, .ack = 1);
    }
    receive(.flags = RST, .seq = 500);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    later(5000);
    receive(.flags = ACK, .seq = 0, .ack = 1);
    expect(.flags = ACK, .seq = 1, .ack = 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(with_ack),
        ladder_test(without_ack),
        ladder_test(never_for_rst),
        ladder_test(challenges_are_limited),
        ladder_test(the_limit_spares_text),
        ladder_test(the_limit_spares_probes),
        ladder_test(probe_answers_are_limited),
    };
    return ladder_main(tests);
}
