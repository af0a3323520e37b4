/* RFC 6528: initial sequence numbers that can't be guessed (RFC 9293 3.4.1; see test_3_4_1.c). */
#include "hosts.h"

static uint32_t isn(struct flow flow)
{
    struct peer a = {.flow = flow, .wnd = 1000};
    struct sock *so = host_connect(&a);
    leaves(&a, .flags = SYN, .seq = 0);
    host_abort(so);
    nothing_leaves();
    return a.iss;
}

static struct flow flow(uint16_t local_port, uint16_t remote_port)
{
    struct flow f = peer(1, local_port).flow;
    f.remote_port = remote_port;
    return f;
}

/* 3: M + F: within the space of one four-tuple the ISN follows the clock, for connections in
 * either direction. */
static void a_space_for_each_four_tuple(void **state)
{
    (void)state;
    uint32_t one = isn(flow(4000, 80)), other = isn(flow(4001, 80));
    for (unsigned i = 1; i < 20; i++) {
        host_later(37 * i);
        uint32_t ticks = (uint32_t)((host.now_ns - host.start_ns) / (4 * NS_PER_US));
        assert_int_equal(isn(flow(4000, 80)) - one, ticks);
        assert_int_equal(isn(flow(4001, 80)) - other, ticks);
    }
}

/* 2: what was learned in one's own space says nothing about another's: the distance between two
 * spaces is no function of their ports that could be seen. */
static void no_relationship_between_spaces(void **state)
{
    (void)state;
    uint32_t seen[256];
    for (uint16_t i = 0; i < 256; i++)
        seen[i] = isn(flow(4000, (uint16_t)(1000 + i)));
    unsigned near = 0, high = 0;
    for (unsigned i = 1; i < 256; i++) {
        uint32_t step = seen[i] - seen[i - 1];
        near += step < 0x1000000 || step > 0xff000000;
        high += step >> 31;
    }
    assert_true(near < 10); /* two in 256 by chance */
    assert_in_range(high, 90, 165);
}

/* 3: the secret is of 128 bits, of which each counts. */
static void every_bit_of_the_secret(void **state)
{
    (void)state;
    uint32_t with_it = isn(flow(4000, 80));
    for (unsigned bit = 0; bit < 128; bit++) {
        struct siphash_key secret = host.config.secret;
        uint64_t *half = bit < 64 ? &host.config.secret.k0 : &host.config.secret.k1;
        *half ^= UINT64_C(1) << bit % 64;
        host_start();
        assert_int_not_equal(isn(flow(4000, 80)), with_it);
        host.config.secret = secret;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(a_space_for_each_four_tuple),
        host_test(no_relationship_between_spaces),
        host_test(every_bit_of_the_secret),
    };
    return host_main(tests);
}
