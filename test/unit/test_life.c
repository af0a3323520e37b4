/* life.c: making and ending stacks, listeners and connections; and that all memory comes back,
 * whatever allocation fails: two stacks that talk to each other over a wire that loses packets. */
#include "hosts.h"

static void create_and_destroy(void **state)
{
    (void)state;
    stack_destroy(NULL);
    struct test_mem mem;
    test_mem_init(&mem);
    struct stack_config config = host.config;
    config.mem = &mem.mem;
    struct stack *s = NULL;
    for (unsigned k = 1;; k++) {
        test_mem_fail_at(&mem, k);
        int err = stack_create(&s, &config);
        if (err == ERR_NONE)
            break;
        assert_int_equal(err, ERR_NOMEM);
        assert_int_equal(mem.mem.used, 0);
    }
    assert_true(mem.calls >= 2);
    assert_int_equal(stack_sock_count(s), 0);
    assert_true(stack_deadline(s) == TIME_NEVER);
    stack_destroy(s);
    assert_int_equal(mem.mem.used, 0);
}

/* Sockets of all kinds and stages, with text in all queues, events and answers not taken. */
static void destroy_with_everything(void **state)
{
    (void)state;
    struct sock *l = host_listen(80, 5);
    struct peer half = peer(1, 80), waiting = peer(2, 80), used = peer(3, 80), left = peer(4, 80),
                opening = peer(5, 0), nobody = peer(6, 9);
    host_handshake(HERE, &used);
    struct sock *so = host_accept(l);
    host_handshake(HERE, &left);
    host_close(host_accept(l));
    leaves(&left, .flags = FIN | ACK, .seq = 1, .ack = 1);
    host_handshake(HERE, &waiting);
    arrives(&waiting, .flags = ACK, .seq = 1, .ack = 1, .text = 50);
    arrives(&half, .flags = SYN, .seq = 0);
    leaves(&half, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_int_equal(host_send(so, 0, 9000), 9000);
    all_leaves();
    arrives(&used, .flags = ACK, .seq = 1, .ack = 1, .text = 50);
    arrives(&used, .flags = ACK, .seq = 101, .ack = 1, .text = 50);
    host_batch();
    host_connect(&opening);
    arrives(&nobody, .flags = SYN, .seq = 0);
    assert_int_equal(stack_sock_count(host.stack), 6);
    host_start(); /* destroys it, and asks for every octet */
}

/* An idle connection holds no queue. */
static void idle_connections_hold_no_buffers(void **state)
{
    (void)state;
    host_listen(80, 50);
    struct peer a = peer(1, 80), b = peer(2, 80);
    host_handshake(HERE, &a);
    size_t before = host.mem.mem.used;
    host_handshake(HERE, &b);
    size_t idle = host.mem.mem.used - before;
    arrives(&b, .flags = ACK, .seq = 1, .ack = 1, .text = 10);
    assert_true(host.mem.mem.used > before + idle);
    print_message("an idle connection takes %zu octets\n", idle);
    assert_true(idle < 2048);
}

static void max_socks(void **state)
{
    (void)state;
    host.config.max_socks = 3;
    host_start();
    struct peer p[3];
    struct sock *so[3], *none;
    for (unsigned i = 0; i < 3; i++) {
        p[i] = peer(i, 0);
        so[i] = host_connect(&p[i]);
        leaves(&p[i], .flags = SYN, .seq = 0);
    }
    struct flow f = peer(9, 0).flow;
    assert_int_equal(stack_connect(host.stack, &f, 0, NULL, host.now_ns, &none), ERR_NOMEM);
    host_abort(so[1]);
    assert_int_equal(stack_connect(host.stack, &f, 0, NULL, host.now_ns, &none), ERR_NONE);
    all_leaves();
    assert_int_not_equal(stack_sock_id(none), stack_sock_id(so[0]));
}

/* ---- Two stacks ---- */

struct end {
    struct stack *stack;
    struct test_mem mem;
    struct sock *listener, *so;
    uint64_t sent, got; /* octets */
    bool shut, peer_done, failed;
};

#define TOTAL 30000 /* octets each way */

static uint64_t now_ns;

static void end_start(struct end *e, struct stack_config config)
{
    test_mem_init(&e->mem);
    config.mem = &e->mem.mem;
    config.tcp.user_timeout_ns = 20 * NS_PER_S;
    if (stack_create(&e->stack, &config) != ERR_NONE)
        e->failed = true;
}

/* Sends, receives, closes, as far as it goes. by_peer: whose octets are expected. */
static void user(struct end *e)
{
    uint8_t buf[3000];
    if (e->listener && !e->so)
        stack_accept(e->listener, NULL, now_ns, &e->so);
    if (!e->so)
        return;
    while (e->sent < TOTAL) {
        size_t n = TOTAL - e->sent < sizeof buf ? (size_t)(TOTAL - e->sent) : sizeof buf;
        for (size_t i = 0; i < n; i++)
            buf[i] = stream_octet(false, e->sent + i);
        int64_t sent = stack_send(e->so, buf, n, now_ns);
        if (sent <= 0)
            break;
        e->sent += (uint64_t)sent;
    }
    if (e->sent == TOTAL && !e->shut)
        e->shut = stack_shutdown_send(e->so, now_ns) == ERR_NONE;
    for (int64_t got; (got = stack_recv(e->so, buf, sizeof buf, false, now_ns)) != ERR_AGAIN;) {
        if (got <= 0) {
            e->peer_done |= got == 0;
            break;
        }
        for (int64_t i = 0; i < got; i++)
            assert_int_equal(buf[i], stream_octet(false, e->got++));
    }
    e->failed |= stack_error(e->so) != ERR_NONE;
}

/* Carries what `from` sends to `to`; every 6th packet with text is lost. */
static unsigned carry(struct end *from, struct end *to, unsigned *count)
{
    struct packet p;
    unsigned n = 0;
    while (stack_output(from->stack, &p, 1, now_ns) == 1) {
        n++;
        if (p.n_body == 0 || ++*count % 6 != 0)
            stack_input(to->stack, &p, 1, now_ns);
    }
    assert_null(stack_check(from->stack));
    assert_null(stack_check(to->stack));
    return n;
}

/* Until both have closed or one has failed, or nothing happens any more. once: memory is there
 * again after the first refusal. */
static void run(struct end *a, struct end *b, struct end *short_of_memory, bool once)
{
    unsigned count = 0;
    for (unsigned turn = 0; turn < 100000; turn++) {
        user(a);
        user(b);
        if (once && short_of_memory->mem.failed > 0)
            test_mem_fail_at(&short_of_memory->mem, 0);
        if (carry(a, b, &count) + carry(b, a, &count) > 0) {
            now_ns += NS_PER_MS;
            continue;
        }
        uint64_t due = time_min(stack_deadline(a->stack), stack_deadline(b->stack));
        if ((a->peer_done && b->peer_done) || due == TIME_NEVER ||
            due > host.start_ns + 2000 * NS_PER_S)
            return;
        now_ns = time_max(now_ns, due);
        stack_tick(a->stack, now_ns);
        stack_tick(b->stack, now_ns);
    }
    fail_msg("the two never come to rest");
}

/* One exchange in which the k-th allocation of one end fails. Returns whether any did. */
static bool exchange(unsigned k, bool server_short, bool once)
{
    struct end client = {0}, server = {0};
    struct end *failing = server_short ? &server : &client;
    now_ns = host.start_ns;
    end_start(&client, host.config);
    end_start(&server, host.config);
    test_mem_fail_at(&failing->mem, k);
    struct ip_addr any = ip_addr_v4(0);
    struct flow f = {HOST_ADDR, ip_addr_v4(0x0a000101), 40000, 80};
    int err = stack_listen(server.stack, &any, 80, 5, NULL, &server.listener);
    int err2 = stack_connect(client.stack, &f, 0, NULL, now_ns, &client.so);
    if (err == ERR_NONE && err2 == ERR_NONE) {
        run(&client, &server, failing, once);
        bool whole =
            client.got == TOTAL && server.got == TOTAL && client.peer_done && server.peer_done;
        if (once || failing->mem.failed == 0)
            assert_true(whole); /* a single refusal costs time, never the connection */
        else
            assert_true(whole || client.failed || server.failed || !server.so);
    } else {
        assert_int_equal(err ? err : err2, ERR_NOMEM);
    }
    bool failed = failing->mem.failed > 0;
    stack_destroy(client.stack);
    stack_destroy(server.stack);
    assert_int_equal(client.mem.mem.used, 0);
    assert_int_equal(server.mem.mem.used, 0);
    return failed;
}

static void nothing_fails(void **state)
{
    (void)state;
    assert_false(exchange(0, false, false));
}

static void each_allocation_fails_once(void **state)
{
    (void)state;
    for (unsigned server_short = 0; server_short < 2; server_short++) {
        unsigned k = 1;
        while (exchange(k, server_short, true))
            k++;
        assert_true(k > 10);
    }
}

static void all_allocations_fail_from_the_kth_on(void **state)
{
    (void)state;
    for (unsigned server_short = 0; server_short < 2; server_short++) {
        unsigned k = 1;
        while (exchange(k, server_short, false))
            k++;
        assert_true(k > 10);
    }
}

/* Single octets beyond holes take a chunk each. However many connections play
 * that, what others receive in order has room. */
static void disorder_leaves_room_for_others(void **state)
{
    (void)state;
    host.config.tcp.rcvbuf = host.config.tcp.rcvbuf_max = 65535;
    host_start();
    struct sock *l = host_listen(80, 100);
    struct peer honest = peer(1, 80);
    host_handshake(HERE, &honest);
    struct sock *so = host_accept(l);
    host.mem.mem.limit = host.mem.mem.used + 1000000;
    for (unsigned n = 2; n < 20; n++) {
        struct peer a = peer(n, 80);
        host_handshake(HERE, &a);
        host_accept(l);
        for (unsigned k = 0; k < 4; k++) {
            arrives(&a, .flags = ACK, .seq = 101 + 16384 * k, .ack = 1, .text = 1);
            leaves(&a, .flags = ACK, .seq = 1, .ack = 1);
        }
    }
    assert_true(host_counters().no_memory > 0);
    host_later(3600000);
    for (unsigned i = 0; i < 10; i++) {
        arrives(&honest, .flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
        host_batch();
        assert_int_equal(host_recv(so, 1000 * i, 2000), 1000);
        all_leaves();
    }
    host.mem.mem.limit = SIZE_MAX;
    host_later(1000);
    all_leaves();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(create_and_destroy),
        host_test(destroy_with_everything),
        host_test(idle_connections_hold_no_buffers),
        host_test(max_socks),
        host_test_ipv4(nothing_fails),
        host_test_ipv4(each_allocation_fails_once),
        host_test_ipv4(all_allocations_fail_from_the_kth_on),
        host_test(disorder_leaves_room_for_others),
    };
    return host_main(tests);
}
