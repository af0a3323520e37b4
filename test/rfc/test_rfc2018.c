/* RFC 2018: selective acknowledgment, octet by octet at the border of the stack. (What is reported
 * when is in unit/test_sack.c, what the sender makes of it in unit/test_loss.c.) */
#include "with_sack.h"

/* A connection to a peer that has permitted it. */
static struct sock *permitted(struct peer *a)
{
    struct sock *so = host_connect(a);
    handshake_with_sack(a);
    return so;
}

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* 2: kind 4, two octets, in a SYN. 3: kind 5, the length, and the two edges of each block. */
static void octets(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    host_connect(&a);
    struct headers h = headers_leave();
    bool found = false;
    for (unsigned at = 0; at < h.n_options; at += h.options[at] <= 1 ? 1 : h.options[at + 1])
        found |= h.options[at] == 4 && h.options[at + 1] == 2;
    assert_true(found);
    a.iss = h.seq;
    arrives(&a, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000, .sack_ok = 1);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 500);
    h = headers_leave();
    const uint8_t head[] = {1, 1, 5, 10};
    assert_int_equal(h.n_options, 12);
    assert_memory_equal(h.options, head, 4);
    assert_int_equal(word(h.options + 4), a.irs + 1001);
    assert_int_equal(word(h.options + 8), a.irs + 1501);
    assert_true(h.right_checksum);
}

/* 3: four blocks are all that fit, and a hole of each peer's choice costs no more. */
static void four_blocks(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    permitted(&a);
    for (uint32_t i = 0; i < 6; i++) {
        arrives(&a, .flags = ACK, .seq = 101 + 200 * i, .ack = 1, .text = 100);
        struct headers h = headers_leave();
        assert_int_equal(h.n_options, 4 + 8 * (i < 4 ? i + 1 : 4));
        assert_int_equal(word(h.options + 4), a.irs + 101 + 200 * i);
    }
}

/* The first 100 octets come, are acknowledged, and come once more. */
static void come_twice(struct peer *a)
{
    struct sock *so = permitted(a);
    arrives(a, .flags = ACK, .seq = 1, .ack = 1, .text = 100);
    host_receives(so, 0, 100);
    host_later(40);
    leaves(a, .flags = ACK, .seq = 1, .ack = 101, .n_sack = NONE);
    arrives(a, .flags = ACK, .seq = 1, .ack = 1, .text = 100);
}

/* RFC 2883 4: what has come twice is told once, by the first block. */
static void twice(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    come_twice(&a);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 101, BLOCK(1, 101));
    arrives(&a, .flags = ACK, .seq = 201, .ack = 1, .text = 100);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 101, BLOCK(201, 301));
}

/* RFC 2883 is a choice, tcp_dsack: without it what has come twice is acknowledged, and SACK goes
 * on, beyond a hole too. */
static void twice_untold(void **state)
{
    (void)state;
    host.config.tcp.dsack = false;
    host_start();
    struct peer a = peer(1, 0);
    come_twice(&a);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 101, .n_sack = NONE);
    arrives(&a, .flags = ACK, .seq = 201, .ack = 1, .text = 200);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 101, BLOCK(201, 401));
    arrives(&a, .flags = ACK, .seq = 301, .ack = 1, .text = 100);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 101, BLOCK(201, 401));
}

/* 5: what is SACKed does not go again, what lies before it does. */
static void sender(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = permitted(&a);
    host_sends(so, 0, 6000);
    assert_int_equal(all_leaves(), 6);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(2001, 6001));
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    leaves(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 1000);
    host_later(100);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 6001);
    host_later(5000);
    nothing_leaves();
}

/* 8, where we leave it: what there is no memory for is not kept, and no block tells of it. The peer
 * sends it again; where one told of it, it would wait for a timeout. */
static void not_kept(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    permitted(&a);
    host.mem.mem.limit = host.mem.mem.used;
    arrives(&a, .flags = ACK, .seq = 1001, .ack = 1, .text = 500);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
    host.mem.mem.limit = SIZE_MAX;
    arrives(&a, .flags = ACK, .seq = 2001, .ack = 1, .text = 500);
    leaves(&a, .flags = ACK, .seq = 1, .ack = 1, BLOCK(2001, 2501));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(octets),       host_test(four_blocks), host_test(twice),
        host_test(twice_untold), host_test(sender),      host_test(not_kept),
    };
    return host_main(tests);
}
