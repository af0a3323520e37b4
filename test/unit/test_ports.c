/* ports.c: ephemeral ports (RFC 6056 3.3.4, algorithm 4), and how stack_connect uses them. */
#include "hosts.h"
#include "ports.h"

static const struct siphash_key key = {1, 2};

static struct flow to(unsigned n)
{
    return (struct flow){ip_addr_v4(0x0a000001), ip_addr_v4(0x0a000100 + n), 0, 80};
}

static void add(struct ports *p, unsigned first, unsigned count)
{
    bool ok = ports_add(p, (uint16_t)first, (uint16_t)count);
    no_memory_told(!ok);
    if (!ok)
        ports_finish(p);
    assert_true(ok);
}

/* Every port of every block has one place, modulo their number. */
static void places(void **state)
{
    (void)state;
    struct ports p;
    ports_init(&p, &host.mem.mem);
    for (unsigned b = 0; b < 9; b++)
        add(&p, 10000 * (b % 6) + 100 * b, b + 1);
    assert_int_equal(p.total, 45);
    static uint8_t seen[65536];
    memset(seen, 0, sizeof seen);
    for (uint32_t at = 0; at < 45; at++) {
        uint16_t port = ports_at(&p, at);
        assert_int_equal(seen[port]++, 0);
        assert_int_equal(ports_at(&p, at + 45), port);
        assert_int_equal(ports_at(&p, at + 45 * 1000), port);
    }
    for (unsigned b = 0; b < 9; b++)
        for (unsigned i = 0; i <= b; i++)
            assert_int_equal(seen[10000 * (b % 6) + 100 * b + i], 1);
    ports_finish(&p);
    add(&p, 65535, 1); /* and again, after finish */
    assert_int_equal(ports_at(&p, 12345), 65535);
    ports_finish(&p);
}

static void without_memory(void **state)
{
    (void)state;
    struct ports p;
    ports_init(&p, &host.mem.mem);
    test_mem_fail_at(&host.mem, 2);
    for (unsigned b = 0; b < 4; b++)
        add(&p, 100 * b, 1);
    assert_false(ports_add(&p, 5000, 1));
    assert_int_equal(p.total, 4);
    assert_int_equal(ports_at(&p, 3), 300);
    test_mem_fail_at(&host.mem, 0);
    ports_finish(&p);
}

/* The offset depends on the destination and on the secret, the local port is not looked at; and it
 * moves on with every choice. */
static void start(void **state)
{
    (void)state;
    struct ports p;
    const struct siphash_key other = {1, 3};
    ports_init(&p, &host.mem.mem);
    struct flow a = to(1), b = to(2), c = to(1), d = to(1);
    c.remote_port = 81;
    d.local_port = 99;
    struct ports_search was = ports_search(&p, &key, &a);
    assert_int_not_equal(was.start, ports_search(&p, &key, &b).start);
    assert_int_not_equal(was.start, ports_search(&p, &key, &c).start);
    assert_int_not_equal(was.start, ports_search(&p, &other, &a).start);
    assert_int_equal(was.start, ports_search(&p, &key, &d).start);
    uint32_t elsewhere = ports_search(&p, &key, &b).start;
    *was.next += 3;
    assert_int_equal(ports_search(&p, &key, &a).start, was.start + 3);
    assert_int_equal(ports_search(&p, &key, &b).start, elsewhere);
    ports_finish(&p);
}

static uint16_t port_of(const struct sock *so)
{
    struct tcp_status status;
    stack_status(so, &status);
    return status.flow.local_port;
}

/* Connections to one destination get ports one after the other, each once, until
 * there are none; to another destination all are free again. */
static void one_after_the_other(void **state)
{
    (void)state;
    uint8_t seen[64] = {0};
    struct sock *so[64];
    for (unsigned i = 0; i < 64; i++) {
        struct peer p = peer(1, 0);
        so[i] = host_connect(&p);
        leaves(&p, .flags = SYN, .seq = 0);
        unsigned at = port_of(so[i]) - 61000u;
        assert_true(at < 64);
        assert_int_equal(seen[at]++, 0);
        if (i > 0)
            assert_int_equal(at, (port_of(so[i - 1]) - 61000u + 1) % 64);
    }
    struct flow f = peer(1, 0).flow;
    struct sock *none = NULL;
    assert_int_equal(stack_connect(host.stack, &f, 0, NULL, host.now_ns, &none), ERR_NO_PORT);
    struct peer p = peer(2, 0);
    host_connect(&p);
    leaves(&p, .flags = SYN, .seq = 0);
    uint16_t freed = port_of(so[40]);
    host_close(so[40]); /* in SYN-SENT: gone at once */
    p = peer(1, 0);
    assert_int_equal(port_of(host_connect(&p)), freed);
    leaves(&p, .flags = SYN, .seq = 0);
}

/* A port that is free again is not the next to be chosen, though nobody else has it: what is left
 * of the last connection could be taken for the new one's. */
static void not_again_at_once(void **state)
{
    (void)state;
    uint16_t was = 0;
    for (unsigned i = 0; i < 64; i++) {
        struct peer p = peer(1, 0);
        struct sock *so = host_connect(&p);
        leaves(&p, .flags = SYN, .seq = 0);
        if (i > 0)
            assert_int_equal(port_of(so) - 61000u, (was - 61000u + 1) % 64);
        was = port_of(so);
        host_close(so);
    }
}

/* RFC 6056 2: what one destination sees does not tell what another will: over many, first ports are
 * spread. */
static void spread(void **state)
{
    (void)state;
    unsigned count[64] = {0}, distinct = 0, in_order = 0;
    uint16_t last = 0;
    for (unsigned i = 1; i <= 200; i++) {
        struct peer p = peer(i, 0);
        uint16_t port = port_of(host_connect(&p));
        leaves(&p, .flags = SYN, .seq = 0);
        distinct += count[port - 61000]++ == 0;
        in_order += port == last + 1;
        last = port;
    }
    assert_true(distinct > 48);
    assert_true(in_order < 20);
}

/* Nor does a destination learn how many connections went to others: it sees the ports move on by
 * those that share its counter only. */
static void tells_no_numbers(void **state)
{
    (void)state;
    struct peer p = peer(1, 0), other;
    uint16_t first = port_of(host_connect(&p));
    leaves(&p, .flags = SYN, .seq = 0);
    for (unsigned i = 2; i < 40; i++) {
        other = peer(i, 0);
        host_connect(&other);
        leaves(&other, .flags = SYN, .seq = 0);
    }
    p = peer(1, 0);
    unsigned moved = (port_of(host_connect(&p)) - first + 64u) % 64;
    leaves(&p, .flags = SYN, .seq = 0);
    assert_in_range(moved, 1, 3);
}

/* A port that the user names, ports that are added, and none at all. */
static void other_ports(void **state)
{
    (void)state;
    struct peer p = peer(1, 4000);
    assert_int_equal(port_of(host_connect(&p)), 4000);
    leaves(&p, .flags = SYN, .seq = 0);
    struct sock *so = NULL;
    assert_int_equal(stack_connect(host.stack, &p.flow, 0, NULL, host.now_ns, &so), ERR_IN_USE);
    struct flow f = peer(1, 0).flow;
    stack_destroy(host.stack);
    host.stack = NULL; /* a bare one instead */
    assert_int_equal(stack_create(&host.stack, &host.config), ERR_NONE);
    assert_int_equal(stack_connect(host.stack, &f, 0, NULL, host.now_ns, &so), ERR_NO_PORT);
    assert_int_equal(stack_add_ports(host.stack, 7000, 1), ERR_NONE);
    assert_int_equal(stack_connect(host.stack, &f, 0, NULL, host.now_ns, &so), ERR_NONE);
    assert_int_equal(port_of(so), 7000);
    all_leaves();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(places),
        host_test(without_memory),
        host_test(start),
        host_test(one_after_the_other),
        host_test(not_again_at_once),
        host_test(spread),
        host_test(tells_no_numbers),
        host_test(other_ports),
    };
    return host_main(tests);
}
