/* A stack among peers, for tests. See hosts.h. */
#include "hosts.h"

#include <stdio.h>

#include "codec.h"

struct host host;

#define MTU4 1040
#define MTU6 1280

static bool over_ipv6; /* this run is */
static bool with_sack; /* the peers' SYNs permit it in this run */

__attribute__((noreturn)) static void fail_here(struct where w, const char *expected,
                                                const char *got)
{
    host.failed = true;
    no_memory_failed(false);
    print_error("expected %s\n     got %s\n", expected, got);
    _fail(w.file, w.line);
    abort(); /* not reached */
}

/* For what holds always, also when memory is refused. */
#define broken_here(...) (no_memory_failed(true), fail_here(__VA_ARGS__))

static struct flow reversed(const struct flow *f)
{
    return (struct flow){f->remote, f->local, f->remote_port, f->local_port};
}

static const struct ip_addr addr6 = {{0xfd, [13] = 1}};

struct ip_addr host_addr(void)
{
    return over_ipv6 ? addr6 : ip_addr_v4(0x0a000001);
}

bool host_is_v4(void)
{
    return !over_ipv6;
}

bool host_with_sack(void)
{
    return with_sack;
}

int host_mss(void)
{
    return over_ipv6 ? MTU6 - 60 : MTU4 - 40;
}

struct peer peer(unsigned n, uint16_t our_port)
{
    struct peer p = peer6(n, our_port);
    if (!over_ipv6) {
        p.flow.local = HOST_ADDR;
        p.flow.remote = ip_addr_v4(0x0a000100 + n);
    }
    return p;
}

struct peer peer6(unsigned n, uint16_t our_port)
{
    const struct ip_addr remote = {{0xfd, [14] = (uint8_t)(n >> 8), [15] = (uint8_t)n}};
    return (struct peer){
        .flow = {addr6, remote, our_port, (uint16_t)(5000 + n)},
        .irs = run_numbers.irs - n,
        .iss = 1000,
        .wnd = 10000,
    };
}

void host_check(struct where w)
{
    const char *why = stack_check(host.stack);
    if (why)
        broken_here(w, "every invariant to hold", why);
}

/* ---- Packets out ---- */

/* A SYN leaves: when it is the test's first, its number is remembered, or is as asked for. */
static void first_syn(struct where w, uint32_t iss)
{
    if (host.syn_seen)
        return;
    host.syn_seen = true;
    if (host.first->seen && iss != run_numbers.iss && !no_memory_excused())
        fail_here(w, "the ISS of this run", "another");
    if (!host.first->seen) {
        host.first->seen = true;
        host.first->iss = iss;
    }
}

/* As the network brings it to its destination. */
static void deliver(struct packet *p, uint8_t head[PACKET_HEAD_MAX])
{
    struct ip_hdr ip;
    struct reader r = reader(p->head.ptr, p->head.len);
    assert_int_equal(ip_parse(&r, packet_len(p), &ip), IP_OK);
    host.sent_to = ip.dst;
    host.sent.len = (uint8_t)ip.options.len;
    if (ip.options.len == 0)
        return;
    memcpy(host.sent.octets, ip.options.ptr, ip.options.len);
    headers_readdress(p, ip_options_final(ip.options, &ip.dst), &(struct ip_options){0}, head);
}

/* False: silence. What is common to all packets is checked here. */
static bool next_packet(struct where w, struct flow *flow, struct seg *seg, uint8_t *text)
{
    struct packet p;
    memset(&p, 0x5a, sizeof p);
    host.batch = false;
    if (stack_output(host.stack, &p, 1, host.now_ns) == 0)
        return false;
    struct ip_hdr ip;
    const char *why;
    uint8_t head[PACKET_HEAD_MAX];
    if (p.gso_size == 0 && packet_len(&p) > host.config.caps.mtu)
        broken_here(w, "packets up to the MTU", "a longer one");
    deliver(&p, head);
    if (packet_decode(&p, flow, &ip, seg, &why) != DECODE_OK)
        broken_here(w, "a packet that can be decoded", why);
    *flow = reversed(flow);
    if (ip.ttl != host.ttl || (ip.tos & ~ECN_MASK) != host.tos)
        broken_here(w, "the TTL and Diffserv field asked for (MUST-49, SHLD-22)", "others");
    if (seg->flags & SYN)
        first_syn(w, seg->seq.v);
    size_t at = 0;
    for (unsigned i = 0; i < seg->n_text && text; i++) {
        memcpy(text + at, seg->text[i].ptr, seg->text[i].len);
        at += seg->text[i].len;
    }
    host_check(w);
    return true;
}

static const char *seen(const struct peer *p, const struct flow *flow, const struct seg *seg,
                        char buf[LINE_TEXT_MAX])
{
    struct line is = line_of(seg, p->iss, p->irs);
    if (memcmp(flow, &p->flow, sizeof *flow) != 0)
        return "a packet for somebody else";
    return line_text(&is, buf);
}

void host_silence(struct where w)
{
    struct flow flow;
    struct seg seg;
    char text[LINE_TEXT_MAX];
    if (next_packet(w, &flow, &seg, NULL)) {
        struct peer p = {.flow = flow};
        fail_here(w, "silence", seen(&p, &flow, &seg, text));
    }
    if (stack_deadline(host.stack) <= host.now_ns)
        broken_here(w, "a deadline in the future", "one that has passed: the caller spins");
}

unsigned host_ignore(struct where w)
{
    struct flow flow;
    struct seg seg;
    unsigned n = 0;
    while (next_packet(w, &flow, &seg, NULL))
        n++;
    return n;
}

void host_leaves(struct where w, struct peer *p, struct line e)
{
    struct flow flow;
    struct seg seg;
    char expected[LINE_TEXT_MAX], is_text[LINE_TEXT_MAX];
    static uint8_t text[65536];
    line_text(&e, expected);
    if (!next_packet(w, &flow, &seg, text))
        fail_here(w, expected, "silence");
    if (seg.flags & SYN) {
        p->iss = seg.seq.v;
        p->clock = seg.opts.ts_val - (uint32_t)((host.now_ns - host.start_ns) / NS_PER_MS);
    }
    struct line is = line_of(&seg, p->iss, p->irs);
    line_ts_relative(&is, p->clock, p->irs);
    if (memcmp(&flow, &p->flow, sizeof flow) != 0 || !line_fits(&e, &is))
        fail_here(w, expected, seen(p, &flow, &seg, is_text));
    for (uint32_t i = 0; i < seg.text_len; i++) {
        if (text[i] != stream_octet(false, is.seq - 1 + i))
            broken_here(w, "the text that was sent", "other text");
    }
}

void host_went(struct where w, struct ip_addr to, struct ip_options options)
{
    if (!ip_addr_eq(&host.sent_to, &to))
        fail_here(w, "another destination in the IP header", "this one");
    if (host.sent.len != options.len || memcmp(host.sent.octets, options.octets, options.len) != 0)
        fail_here(w, "other IP options", "these");
}

struct headers host_headers(struct where w)
{
    struct packet p;
    host.batch = false;
    if (stack_output(host.stack, &p, 1, host.now_ns) == 0)
        fail_here(w, "a packet", "silence");
    return headers_read(&p);
}

/* ---- Packets in ---- */

void host_step(struct where w)
{
    if (!host.batch)
        host_silence(w);
    host.batch = false;
}

void host_batch(void)
{
    host.batch = true;
}

static void input(struct peer *p, struct line l, bool damaged)
{
    if (l.wnd == 0)
        l.wnd = p->wnd;
    p->wnd = l.wnd;
    line_ts_absolute(&l, p->irs, p->clock);
    if (with_sack && l.flags & SYN && l.sack_ok == 0)
        l.sack_ok = 1;
    struct seg seg = line_seg(&l, p->irs, p->iss);
    uint8_t *text = malloc(seg.text_len + 1);
    if (!text)
        abort();
    for (uint32_t i = 0; i < seg.text_len; i++)
        text[i] = stream_octet(true, seg_text_start(&seg).v - p->irs - 1 + i);
    if (seg.text_len > 0) {
        seg.text[0] = (struct bytes){text, seg.text_len};
        seg.n_text = 1;
    }
    struct flow flow = reversed(&p->flow);
    uint8_t *octets = malloc(HEADERS_MAX + seg.text_len);
    if (!octets)
        abort();
    struct packet packet = {.mtu = host.in_mtu};
    static const struct odd not_odd;
    if (memcmp(&host.odd, &not_odd, sizeof not_odd) == 0) {
        packet_encode(&packet, &flow, &seg, 0, 64, false);
        packet.mtu = host.in_mtu;
    } else {
        packet.head = (struct bytes){octets, headers_write(octets, &flow, &seg, text, &host.odd)};
        host.odd = not_odd;
    }
    uint8_t head[PACKET_HEAD_MAX];
    if (host.arriving.len > 0)
        headers_readdress(&packet, flow.remote, &host.arriving, head);
    if (damaged)
        packet.store[packet.head.len - 1] ^= 0x40;
    stack_input(host.stack, &packet, 1, host.now_ns);
    free(octets);
    free(text);
}

void host_arrives(struct where w, struct peer *p, struct line l)
{
    host_step(w);
    input(p, l, false);
    host_check(w);
}

void host_damaged(struct where w, struct peer *p, struct line l)
{
    host_step(w);
    input(p, l, true);
    host_check(w);
}

/* ---- Time ---- */

void host_go(struct where w, uint64_t to_ns)
{
    host_step(w);
    while (stack_deadline(host.stack) < to_ns) {
        host.now_ns = stack_deadline(host.stack);
        stack_tick(host.stack, host.now_ns);
        host_silence(w);
    }
    host.now_ns = to_ns;
    stack_tick(host.stack, host.now_ns);
    host_check(w);
}

/* ---- Users ---- */

struct sock *host_listen(uint16_t port, uint32_t backlog)
{
    struct sock *so = NULL;
    struct ip_addr any = over_ipv6 ? IP_ADDR_ANY6 : ip_addr_v4(0);
    assert_int_equal(stack_listen(host.stack, &any, port, backlog, &host, &so), ERR_NONE);
    return so;
}

struct sock *host_connect(struct peer *p)
{
    struct sock *so = NULL;
    assert_int_equal(stack_connect(host.stack, &p->flow, 0, p, host.now_ns, &so), ERR_NONE);
    p->flow = host_status(so).flow;
    return so;
}

void host_do_set_ip(struct sock *so, bool six, uint8_t tos, uint8_t ttl)
{
    const struct tcp_ip asked = {.tos = tos, .ttl = ttl};
    const struct tcp_ip other = {.tos = tos ^ 0xfc, .ttl = (uint8_t)~ttl};
    struct tcp_settings settings = *stack_settings(so);
    settings.ip4 = six ? other : asked;
    settings.ip6 = six ? asked : other;
    bool refused = stack_set(so, &settings, host.now_ns) == ERR_NOMEM;
    no_memory_told(refused);
    const struct tcp_ip *before = six ? &stack_settings(so)->ip6 : &stack_settings(so)->ip4;
    host.tos = refused ? before->tos : tos;
    host.ttl = refused ? before->ttl : ttl;
}

int host_do_shutdown_send(struct sock *so)
{
    int err = stack_shutdown_send(so, host.now_ns);
    no_memory_told(err == ERR_NOMEM);
    return err;
}

int64_t host_do_send(struct sock *so, uint64_t at, size_t n, bool urgent)
{
    uint8_t *data = malloc(n + 1);
    if (!data)
        abort();
    for (size_t i = 0; i < n; i++)
        data[i] = stream_octet(false, at + i);
    int64_t sent =
        urgent ? stack_send_urgent(so, data, n, host.now_ns) : stack_send(so, data, n, host.now_ns);
    free(data);
    if (sent > 0 && sent < (int64_t)n) {
        struct tcp_status status = host_status(so);
        no_memory_told(status.unsent_or_unacked < status.sndbuf);
    }
    return sent;
}

int64_t host_do_recv(struct sock *so, uint64_t at, size_t n)
{
    uint8_t *data = malloc(n + 1);
    if (!data)
        abort();
    int64_t got = stack_recv(so, data, n, false, host.now_ns);
    bool right = true;
    for (int64_t i = 0; i < got; i++)
        right = right && data[i] == stream_octet(true, at + (uint64_t)i);
    free(data);
    if (!right)
        broken_here(HERE, "the text that the peer has sent", "other text");
    return got;
}

struct tcp_status host_status(const struct sock *so)
{
    struct tcp_status status;
    stack_status(so, &status);
    return status;
}

void host_is_with(struct where w, const struct sock *so, const struct peer *p)
{
    struct flow flow = host_status(so).flow;
    if (memcmp(&flow, &p->flow, sizeof flow) != 0)
        fail_here(w, "a connection with this peer", "another");
}

void host_event(struct where w, struct sock *so, unsigned what)
{
    struct stack_event ev;
    char expected[64], got[64] = "none";
    bool is = stack_next_event(host.stack, &ev);
    if (!is && !so)
        return;
    snprintf(expected, sizeof expected, so ? "event %#x" : "no event", what);
    if (is)
        snprintf(got, sizeof got, "event %#x%s", ev.what, ev.sock == so ? "" : ", another socket");
    if (!is || ev.sock != so || ev.what != what)
        fail_here(w, expected, got);
    assert_int_equal(ev.sock_id, stack_sock_id(so));
}

struct stack_counters host_counters(void)
{
    struct stack_counters c;
    stack_counters(host.stack, &c);
    return c;
}

/* ---- Running ---- */

static void listen_to_counters(void)
{
    if (!host.stack)
        return;
    struct stack_counters c = host_counters();
    no_memory_told(c.no_memory + c.icmp_echo_drops + c.fragment_drops > 0);
}

void host_start(void)
{
    listen_to_counters();
    stack_destroy(host.stack);
    host.stack = NULL;
    assert_int_equal(host.mem.mem.used, 0);
    host.config.mem = &host.mem.mem;
    assert_int_equal(stack_create(&host.stack, &host.config), ERR_NONE);
    assert_int_equal(stack_add_ports(host.stack, 61000, 64), ERR_NONE);
}

int host_setup(void **state)
{
    memset(&host, 0, sizeof host);
    host.first = *state;
    test_mem_init(&host.mem);
    host.config = (struct stack_config){
        .secret = {0x0706050403020100, 0x0f0e0d0c0b0a0908},
        .caps = {.mtu = over_ipv6 ? MTU6 : MTU4},
        .tcp = tcp_config_default(),
        .max_socks = 1000,
    };
    host.config.tcp.rcvbuf = host.config.tcp.rcvbuf_max = 10000;
    /* What goes when is by ACKs and timers alone. */
    host.config.tcp.pacing_ss_ratio = host.config.tcp.pacing_ca_ratio = 0;
    host.start_ns = HOST_START_NS;
    if (host.first->seen) /* MUST-8: 4 us each */
        host.start_ns += (uint32_t)(run_numbers.iss - host.first->iss) * (4 * NS_PER_US);
    host.now_ns = host.start_ns;
    host.ttl = IP_TTL_DEFAULT;
    host_start();
    no_memory_watch(&host.mem);
    return 0;
}

static bool runs_over_ipv6(const struct host_first *first)
{
    return !first->ipv4_only;
}

static bool runs_with_sack(const struct host_first *first)
{
    return first->also_sack;
}

/* Those of the tests that are for it, with *how. */
static int run_some(const char *name, const struct CMUnitTest *tests, size_t n,
                    bool (*runs)(const struct host_first *first), bool *how)
{
    struct CMUnitTest *some = malloc(n * sizeof *some);
    size_t n_some = 0;
    if (!some)
        abort();
    for (size_t i = 0; i < n; i++) {
        struct host_first *first = tests[i].initial_state;
        first->seen = false; /* other addresses, another number */
        if (runs(first))
            some[n_some++] = tests[i];
    }
    *how = true;
    int failed = n_some > 0 ? _cmocka_run_group_tests(name, some, n_some, NULL, NULL) : 0;
    *how = false;
    free(some);
    return failed;
}

int host_run_all(const struct CMUnitTest *tests, size_t n)
{
    int failed = run_all(tests, n);
    failed += run_some("over IPv6", tests, n, runs_over_ipv6, &over_ipv6);
    failed += run_some("with SACK", tests, n, runs_with_sack, &with_sack);
    return failed;
}

int host_teardown(void **state)
{
    (void)state;
    listen_to_counters();
    if (host.stack && !host.failed && !no_memory_excused())
        host_silence(HERE);
    stack_destroy(host.stack);
    no_memory_gives_back(&host.mem);
    return 0;
}
