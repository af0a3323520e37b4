/* RFC 7323 5: PAWS. */
#include "stamped.h"

#define DAYS(n) ((uint64_t)(n)*24 * 3600 * 1000) /* in ms */

/* 5.3 R1: an old duplicate whose number lies in the window, 2^32 octets later: an ACK, and it is
 * dropped, with all that it says. */
static void old_duplicate(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 100);
    host_sends(so, 0, 10);
    leaves(&a, .flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10, TS(0, 100));
    const struct line old[] = {
        {.flags = ACK, .seq = 1, .ack = 11, .text = 10, .wnd = 77, TS(99, 0)},
        {.flags = FIN | ACK, .seq = 1, .ack = 11, .wnd = 77, TS(99, 0)},
        {.flags = URG | ACK, .seq = 1, .ack = 11, .up = 5, .wnd = 77, TS(99, 0)},
        {.flags = ACK, .seq = 1, .ack = 11, .wnd = 77, TS(99, 0)},
        {.flags = ACK, .seq = 201, .ack = 11, .wnd = 77, .text = 10, TS(99 - 0x7ffffffeu, 0)},
        {.flags = SYN, .seq = 1, .wnd = 77, TS(99, 0)},
        {.flags = SYN | ACK, .seq = 1, .ack = 1, .wnd = 77, TS(99, 0)},
    };
    for (unsigned i = 0; i < sizeof old / sizeof *old; i++) {
        host_arrives(HERE, &a, old[i]);
        leaves(&a, .flags = ACK, .seq = 11, .ack = 1, .n_sack = NONE, TS(0, 100));
    }
    expect_no_event();
    struct tcp_status s = host_status(so);
    assert_int_equal(s.unread, 0);
    assert_int_equal(s.flight, 10);
    assert_int_equal(s.snd_wnd, 10000);
}

/* "Not less" is enough, up to half of all numbers; the first figure of 5.2. */
static void not_less(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 100);
    const uint32_t vals[] = {100, 100, 101, 101 + 0x7fffffffu, 101 + 0xfffffffeu};
    for (uint32_t i = 0; i < 5; i++) {
        arrives(&a, .flags = ACK, .seq = 1 + 10 * i, .ack = 1, .text = 10, TS(vals[i], 0));
        host_later(40);
        leaves(&a, .flags = ACK, .seq = 1, .ack = 11 + 10 * i, TS(40 * (i + 1), vals[i]));
    }
    assert_int_equal(host_status(so).unread, 50);
}

/* PAWS precedes the check of the number: what is old and outside of the window updates nothing. R2
 * precedes R3: what is outside of it does not move TS.Recent, nor does what has a wrong ACK. */
static void order(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 100);
    arrives(&a, .flags = ACK, .seq = 50001, .ack = 1, .text = 10, TS(500, 0));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, TS(0, 100));
    arrives(&a, .flags = ACK, .seq = (uint32_t)-5000, .ack = 1, .text = 10, TS(500, 0));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, TS(0, 100));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 900, .text = 10, TS(500, 0));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, TS(0, 100));
    arrives(&a, .flags = SYN, .seq = 1, TS(500, 0));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, TS(0, 100));
    arrives(&a, .flags = PSH, .seq = 1, .text = 10, TS(500, 0));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10, TS(101, 0));
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 11, TS(40, 101));
    assert_int_equal(host_status(so).unread, 10);
}

/* The example after R5: what was queued is not looked at again when B.2 fills the hole. */
static void queued_is_not_inspected_again(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 1);
    arrives(&a, .flags = ACK, .seq = 101, .ack = 1, .text = 100, TS(1, 0)); /* C.1 */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, TS(0, 1));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 100, TS(2, 0)); /* B.2 */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 201, TS(0, 2));
    assert_int_equal(host_status(so).unread, 200);
    arrives(&a, .flags = ACK, .seq = 201, .ack = 1, .text = 100, TS(1, 0)); /* D.1, delayed */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 201, TS(0, 2));
    assert_int_equal(host_status(so).unread, 200);
}

/* An old segment without text is answered within RFC 5961 7's budget, or two ends would go on for
 * ever; with text, always. */
static void answers(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    connected(&a, 100);
    unsigned n = 0;
    for (unsigned i = 0; i < 100; i++) {
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 77, TS(99, 0));
        n += all_leaves();
    }
    assert_int_equal(n, 10);
    for (unsigned i = 0; i < 20; i++) {
        arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1, TS(99, 0));
        leaves(&a, .flags = ACK, .seq = 1, .ack = 1, TS(0, 100));
    }
}

/* 5.3 R1 has them dropped: duplicate ACKs that a later one has overtaken are counted, and TS.Recent
 * stays. Not when they say anything else, or are older than an RTO. */
static void overtaken(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = after_a_round_trip(&a, 500); /* RTO is 300 ms */
    host_sends(so, 0, 4 * 988);
    (void)all_leaves();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, TS(603, 100));
    (void)all_leaves();
    arrives(&a, .flags = ACK, .seq = 2, .ack = 1, TS(602, 100));
    leaves(&a, .flags = ACK, .seq = 1 + 4 * 988, .ack = 1, TS(100, 603));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, TS(602 - 300, 100));
    leaves(&a, .flags = ACK, .seq = 1 + 4 * 988, .ack = 1, TS(100, 603));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, TS(602, 100));
    (void)all_leaves();
    assert_int_equal(host_status(so).resent, 0);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, TS(603 - 300, 100));
    (void)all_leaves(); /* the third */
    assert_int_equal(host_status(so).resent, 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .wnd = 77, TS(602, 100));
    leaves(&a, .flags = ACK, .seq = 1 + 4 * 988, .ack = 1, TS(100, 603));
    assert_int_equal(host_status(so).snd_wnd, 10000);
}

/* 5.2: a RST is never too old; and its timestamp, however new, does not become TS.Recent. */
static void reset(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 100);
    arrives(&a, .flags = RST, .seq = 5, TS(900, 0)); /* within the window: a challenge */
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, TS(0, 100));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10, TS(101, 0));
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 11, TS(40, 101));
    arrives(&a, .flags = RST, .seq = 11, TS(5, 0));
    assert_int_equal(stack_state(so), STATE_CLOSED);
}

/* In SYN-RECEIVED, with an old duplicate of the ACK, */
static void syn_received(void **state)
{
    (void)state;
    struct peer a = peer(1, 80);
    struct sock *l = host_listen(80, 5);
    arrives(&a, .flags = SYN, .seq = 0, .mss = 1000, TS(50, 0));
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, TS(0, 50));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, TS(49, 0));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, TS(0, 50));
    expect_no_event();
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, TS(50, 0));
    expect_event(l, SOCK_EV_COMPLETED);
}

/* and in all states after ESTABLISHED: an old FIN is acknowledged, and does nothing. */
static void every_state(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 100);
    host_shutdown_send(so);
    leaves(&a, .flags = FIN | ACK, .seq = 1, .ack = 1, TS(0, 100));
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2, TS(99, 0));
    leaves(&a, .flags = ACK, .seq = 2, .ack = 1, TS(0, 100));
    assert_int_equal(stack_state(so), STATE_FIN_WAIT_1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 2, TS(103, 0));
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2, TS(102, 0));
    leaves(&a, .flags = ACK, .seq = 2, .ack = 1, TS(0, 103));
    assert_int_equal(stack_state(so), STATE_FIN_WAIT_2);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2, TS(103, 0));
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2, TS(0, 103));
    assert_int_equal(stack_state(so), STATE_TIME_WAIT);
    host_at(30000);
    arrives(&a, .flags = FIN | ACK, .seq = 1, .ack = 2, TS(102, 0)); /* 2 MSL go on */
    leaves(&a, .flags = ACK, .seq = 2, .ack = 2, TS(30000, 103));
    host_at(60000);
    assert_int_equal(stack_state(so), STATE_CLOSED);
}

/* 5.5: after 24 days of silence TS.Recent is not valid; the peer's clock may have wrapped its sign.
 * Before, it is; and a segment that brings no newer timestamp is no silence. */
static void silence(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = connected(&a, 100);
    host_at(DAYS(20));
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 10, TS(100, 0));
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 11, TS((uint32_t)DAYS(20) + 40, 100));
    host_at(DAYS(44));
    arrives(&a, .flags = ACK, .seq = 11, .ack = 1, .text = 10, TS(99, 0));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 11, TS((uint32_t)DAYS(44), 100));
    host_at(DAYS(44) + 2000);
    arrives(&a, .flags = ACK, .seq = 11, .ack = 1, .text = 10, TS(99 - 0x10000000u, 0));
    host_later(40);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 21, TS((uint32_t)DAYS(44) + 2040, 99 - 0x10000000u));
    arrives(&a, .flags = ACK, .seq = 21, .ack = 1, .text = 10, TS(98 - 0x10000000u, 0));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 21, TS((uint32_t)DAYS(44) + 2040, 99 - 0x10000000u));
    assert_int_equal(host_status(so).unread, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(old_duplicate), host_test(not_less),
        host_test(order),         host_test(queued_is_not_inspected_again),
        host_test(answers),       host_test(reset),
        host_test(syn_received),  host_test(every_state),
        host_test(silence),       host_test(overtaken),
    };
    return host_main(tests);
}
