/* icmp_in.c: echo. RFC 1122 3.2.2.6, RFC 4443 4.2. */
#include "router.h"

static const struct ip_addr a6 = {{0xfd, [15] = 7}}, b6 = {{0xfd, [15] = 8}};

static void ping(const struct ip_addr *from, const struct ip_addr *to, uint32_t rest, size_t len)
{
    uint8_t data[1500];
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i * 3);
    struct icmp m = icmp_of_kind(ICMP_ECHO_REQUEST, ip_addr_is_v4(to));
    m.rest = rest;
    m.body = (struct bytes){data, len};
    struct ip_hdr ip = {.src = *from, .dst = *to, .ttl = 3, .tos = 0xff};
    host_batch();
    host_hears_icmp(HERE, &ip, &m, 0, false);
}

/* The same by way of a router. */
static void ping_by_source_route(const struct ip_addr *from, const struct ip_addr *to)
{
    static const uint8_t route[] = {131, 7, 8, 10, 0, 0, 254, 0};
    struct icmp m = icmp_of_kind(ICMP_ECHO_REQUEST, true);
    struct ip_hdr ip = {.src = *from, .dst = *to, .ttl = 3, .options = {route, sizeof route}};
    host_batch();
    host_hears_icmp(HERE, &ip, &m, 0, false);
}

/* The answer to it. */
static void pong(const struct ip_addr *from, const struct ip_addr *to, uint32_t rest, size_t len)
{
    struct packet p;
    struct ip_hdr ip;
    struct icmp m;
    memset(&p, 0x5a, sizeof p);
    assert_int_equal(stack_deadline(host.stack), 0);
    assert_int_equal(stack_output(host.stack, &p, 1, host.now_ns), 1);
    assert_int_equal(p.n_body, 0);
    assert_int_equal(p.csum, CSUM_FULL);
    assert_int_equal(p.gso_size, 0);
    assert_int_equal(p.mtu, 0);
    struct reader r = reader(p.head.ptr, p.head.len);
    assert_int_equal(ip_parse(&r, p.head.len, &ip), IP_OK);
    assert_true(ip_addr_eq(&ip.src, from));
    assert_true(ip_addr_eq(&ip.dst, to));
    assert_int_equal(ip.ttl, 64);
    assert_int_equal(icmp_parse(&r, &ip, &m), ICMP_OK);
    assert_int_equal(icmp_kind(&m, ip_addr_is_v4(to)), ICMP_ECHO_REPLY);
    assert_int_equal(m.rest, rest);
    assert_int_equal(m.body.len, len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(m.body.ptr[i], (uint8_t)(i * 3));
}

static void echo(void **state)
{
    (void)state;
    struct ip_addr a4 = ip_addr_v4(0x0a000063), b4 = ip_addr_v4(0x0a000101), ours = HOST_ADDR;
    host.config.caps.mtu = 1500;
    host_start();
    ping(&b4, &a4, 1, 56);
    ping(&b6, &a6, 1, 56);
    nothing_leaves();
    for (unsigned i = 0; i < 2; i++) { /* twice is as once */
        assert_int_equal(stack_own_address(host.stack, &a4), ERR_NONE);
        assert_int_equal(stack_own_address(host.stack, &a6), ERR_NONE);
    }
    for (size_t len = 0; len <= 1400; len += 175) {
        ping(&b4, &a4, 0xabcd0001, len);
        ping(&b6, &a6, 0xabcd0002, len);
        pong(&a4, &b4, 0xabcd0001, len);
        pong(&a6, &b6, 0xabcd0002, len);
        nothing_leaves();
    }
    assert_int_equal(host_counters().icmp_echoes, 18);
    ping(&b4, &ours, 1, 56); /* the kernel's: it answers */
    stack_disown_address(host.stack, &a6);
    stack_disown_address(host.stack, &a6);
    ping(&b6, &a6, 1, 56);
    nothing_leaves();
    ping(&b4, &a4, 2, 56); /* and one that never goes, one that is lent: both are freed */
    ping(&b4, &a4, 3, 56);
    pong(&a4, &b4, 2, 56);
    host_start();
}

/* RFC 1122 3.2.1.3, RFC 4443 2.4 (e): never to an address that is not one host's. */
static void echo_from_nobody(void **state)
{
    (void)state;
    struct ip_addr a4 = ip_addr_v4(0x0a000063);
    const struct ip_addr from[] = {ip_addr_v4(0), ip_addr_v4(UINT32_MAX), ip_addr_v4(0xe0000001)};
    assert_int_equal(stack_own_address(host.stack, &a4), ERR_NONE);
    for (size_t i = 0; i < sizeof from / sizeof *from; i++)
        ping(&from[i], &a4, 1, 56);
    nothing_leaves();
}

static void echo_rate(void **state)
{
    (void)state;
    struct ip_addr a4 = ip_addr_v4(0x0a000063), b4 = ip_addr_v4(0x0a000101);
    assert_int_equal(stack_own_address(host.stack, &a4), ERR_NONE);
    for (unsigned second = 0; second < 2; second++) {
        for (unsigned i = 0; i < 1200; i++) {
            if (i == 20)
                no_memory_spares(); /* each echo takes the same memory as the last */
            ping(&b4, &a4, i, 8);
            if (i < 1000)
                pong(&a4, &b4, i, 8);
        }
        nothing_leaves();
        host_later(999);
        assert_int_equal(host_counters().icmp_echo_drops, 200 * (second + 1));
        host_later(1);
    }
}

/* While the device is busy nobody asks for output: what waits for it is bounded. */
static void echoes_waiting(void **state)
{
    (void)state;
    struct ip_addr a4 = ip_addr_v4(0x0a000063), b4 = ip_addr_v4(0x0a000101);
    assert_int_equal(stack_own_address(host.stack, &a4), ERR_NONE);
    for (unsigned i = 0; i < 100; i++)
        ping(&b4, &a4, i, 8);
    assert_int_equal(host_counters().icmp_echo_drops, 36);
    for (unsigned i = 0; i < 64; i++)
        pong(&a4, &b4, i, 8);
    nothing_leaves();
    ping(&b4, &a4, 100, 8);
    pong(&a4, &b4, 100, 8);
}

/* RFC 1122 3.2.2.6: an answer that would have to be fragmented is truncated. The request may have
 * come in fragments, or by a device with a larger MTU than the others. */
static void long_echo(void **state)
{
    (void)state;
    struct ip_addr a4 = ip_addr_v4(0x0a000063), b4 = ip_addr_v4(0x0a000101);
    host.config.caps.mtu = 1300;
    host_start();
    assert_int_equal(stack_own_address(host.stack, &a4), ERR_NONE);
    assert_int_equal(stack_own_address(host.stack, &a6), ERR_NONE);
    ping(&b4, &a4, 1, 1272);
    pong(&a4, &b4, 1, 1272);
    ping(&b4, &a4, 2, 1273);
    pong(&a4, &b4, 2, 1272);
    ping(&b6, &a6, 3, 1400);
    pong(&a6, &b6, 3, 1252);
    host.in_mtu = 600;
    ping(&b4, &a4, 4, 1400);
    pong(&a4, &b4, 4, 572);
}

static void no_memory(void **state)
{
    (void)state;
    struct ip_addr a4 = ip_addr_v4(0x0a000063), b4 = ip_addr_v4(0x0a000101);
    test_mem_fail_at(&host.mem, 1);
    assert_int_equal(stack_own_address(host.stack, &a4), ERR_NOMEM);
    test_mem_fail_at(&host.mem, 2);
    assert_int_equal(stack_own_address(host.stack, &a4), ERR_NONE);
    ping(&b4, &a4, 1, 8);
    assert_int_equal(host_counters().icmp_echo_drops, 1);
    nothing_leaves();
}

/* CVE-2021-31344 (A5): what a request says of its way back is not followed, nor its length counted.
 */
static void by_source_route(void **state)
{
    (void)state;
    struct ip_addr b4 = ip_addr_v4(0x0a000101), ours = HOST_ADDR;
    host.config.accept_source_route = true;
    host_start();
    assert_int_equal(stack_own_address(host.stack, &ours), ERR_NONE);
    ping_by_source_route(&b4, &ours);
    pong(&ours, &b4, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(echo),
        host_test(echo_from_nobody),
        host_test(echo_rate),
        host_test(echoes_waiting),
        host_test(long_echo),
        host_test(no_memory),
        host_test_ipv4(by_source_route),
    };
    return host_main(tests);
}
