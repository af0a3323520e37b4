/* RFC 9293 3.4.1: initial sequence numbers. (3.4.2 and 3.4.3, the quiet time, is not kept: see
 * lib/README.md.) */
#include "hosts.h"

/* The ISN of a connection to this peer, which then is no more. */
static uint32_t isn(struct peer a)
{
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    host_abort(so);
    nothing_leaves();
    return a.iss;
}

static struct peer from_port_4000(unsigned n)
{
    struct peer a = peer(n, 4000);
    return a;
}

/* MUST-8, SHLD-1: M counts 4 microseconds, and F stays as it is for a four-tuple: the number of the
 * next incarnation is ahead by just the time that has passed. */
static void clock_of_4_us(void **state)
{
    (void)state;
    uint32_t first = isn(from_port_4000(1));
    host_at(1);
    assert_int_equal(isn(from_port_4000(1)) - first, 250);
    host_at(1000);
    assert_int_equal(isn(from_port_4000(1)) - first, 250000);
    host_at(3600000);
    assert_int_equal(isn(from_port_4000(1)) - first, 900000000);
    /* Once round, and a little: 2^32 times 4 us. */
    host_at(17179869);
    assert_int_equal(isn(from_port_4000(1)) - first, UINT32_MAX - 45);
    host_at(17179870);
    assert_int_equal(isn(from_port_4000(1)) - first, 204);
}

/* SHLD-1: F is of both addresses, both ports and the secret: changing one of them changes it. */
static void hash_of_all(void **state)
{
    (void)state;
    struct peer p[5];
    for (unsigned i = 0; i < 5; i++)
        p[i] = from_port_4000(1);
    p[1].flow.local_port++;
    p[2].flow.remote_port++;
    p[3].flow.local = ip_addr_v4(0x0a000002);
    p[4].flow.remote = ip_addr_v4(0x0a000105);
    uint32_t numbers[6];
    for (unsigned i = 0; i < 5; i++)
        numbers[i] = isn(p[i]);
    host.config.secret.k1 ^= 1;
    host_start();
    numbers[5] = isn(p[0]);
    for (unsigned i = 0; i < 6; i++) {
        for (unsigned j = 0; j < i; j++) {
            uint32_t apart = numbers[i] - numbers[j];
            assert_true(apart > 0xffff && apart < 0xffff0000);
        }
    }
}

/* MUST-9: who sees the numbers of one connection can't tell another's: neighbouring four-tuples are
 * no steps apart that could be learned. */
static void nothing_to_be_learned(void **state)
{
    (void)state;
    uint32_t last = 0, before = 0;
    for (unsigned i = 0; i < 200; i++) {
        struct peer a = from_port_4000(1);
        a.flow.remote_port = (uint16_t)(1000 + i);
        uint32_t now = isn(a), step = now - last, step_before = last - before;
        uint32_t differ = step - step_before;
        assert_true(i < 2 || (differ > 0xff && differ < 0xffffff00));
        before = last;
        last = now;
    }
}

/* Who is connected to chooses by the same clock. */
static void of_a_passive_open(void **state)
{
    (void)state;
    host_listen(80, 5);
    struct peer a = peer(1, 80);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    uint32_t first = a.iss;
    arrives(&a, .flags = RST, .seq = 1);
    host_at(100);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_int_equal(a.iss - first, 25000);
    struct peer b = a; /* the other way round it is the same connection */
    arrives(&a, .flags = RST, .seq = 1);
    struct sock *so = host_connect(&b);
    leaves(&b, .flags = SYN, .seq = 0);
    assert_int_equal(b.iss, a.iss);
    host_abort(so);
}

/* Both ends send a number and hear it acknowledged; the steps 2 and 3 are one segment. */
static void synchronization(void **state)
{
    (void)state;
    host_listen(80, 5);
    struct peer a = peer(1, 80);
    arrives(&a, .flags = SYN, .seq = 0);
    leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    arrives(&a, .flags = ACK, .seq = 1, .ack = 1);
    nothing_leaves();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(clock_of_4_us),     host_test_ipv4(hash_of_all), host_test(nothing_to_be_learned),
        host_test(of_a_passive_open), host_test(synchronization),
    };
    return host_main(tests);
}
