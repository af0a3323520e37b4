/* Two stacks on two made-up machines, joined by link/pair. See two_stacks.h. */
#include "two_stacks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api_priv.h"
#include "list.h"
#include "pair.h"

#define LEFT    "10.0.0.1"
#define LEFT_6  "fd00::1"
#define RIGHT   "10.0.1.1"
#define RIGHT_6 "fd00::2"

/* A machine of two addresses on which every port is free. */
struct test_host {
    struct host host;
    struct ip_addr v4, v6;
    uint16_t claimed;
};

static struct test_host *of(struct host *h)
{
    return container_of(h, struct test_host, host);
}

static bool own(const struct test_host *t, const struct ip_addr *addr)
{
    return ip_addr_eq(addr, &t->v4) || ip_addr_eq(addr, &t->v6);
}

static int route(struct host *h, const struct ip_addr *dst, struct ip_addr *src, uint32_t *mtu)
{
    const struct test_host *t = of(h);
    if (own(t, dst))
        return -EADDRNOTAVAIL;
    *src = ip_addr_is_v4(dst) ? t->v4 : t->v6;
    *mtu = 0;
    return 0;
}

static int hold(struct host *h, const struct ip_addr *addr, uint16_t port, bool v6only)
{
    (void)port;
    (void)v6only;
    return own(of(h), addr) || ip_addr_is_any(addr) ? 0 : -EADDRNOTAVAIL;
}

static int take(struct host *h, const struct ip_addr *addr)
{
    return own(of(h), addr) ? 0 : -EADDRNOTAVAIL;
}

static int claim(struct host *h, uint16_t *first, uint16_t *count)
{
    struct test_host *t = of(h);
    if (t->claimed == 4)
        return -EADDRNOTAVAIL;
    *first = (uint16_t)(61000 + 64 * t->claimed++);
    *count = 64;
    return 0;
}

static void destroy(struct host *h)
{
    free(of(h));
}

static const struct host_ops ops = {route, hold, take, claim, destroy};

static struct ip_addr ip(const char *text)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, text, &v4) == 1)
        return ip_addr_v4(ntohl(v4.s_addr));
    assert_int_equal(inet_pton(AF_INET6, text, &v6), 1);
    return ip_addr_v6_bytes(v6.s6_addr);
}

static struct nstcp *stack_on(struct link *link, const char *v4, const char *v6,
                              const struct nstcp_options *options)
{
    struct test_host *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->host.ops = &ops;
    t->v4 = ip(v4);
    t->v6 = ip(v6);
    struct nstcp *stack;
    char why[NSTCP_WHY_MAX];
    if (nstcp_create_on(&stack, options, link, &t->host, why))
        fail_msg("%s", why);
    return stack;
}

void two_up(struct two *t, const struct two_config *config)
{
    const struct two_config defaults = {.super_max = 64000};
    if (!config)
        config = &defaults;
    const struct pair_config pc = {
        .caps = {.mtu = 1500, .super_max = config->super_max, .csum_offload = true},
        .queue_max = config->queue_max ? config->queue_max : 4096,
        .polled = true,
    };
    struct link *a, *b;
    assert_int_equal(pair_create(&pc, &a, &b), 0);
    t->left = stack_on(a, LEFT, LEFT_6, &config->options);
    if (config->around)
        b = config->around(b);
    t->right = stack_on(b, RIGHT, RIGHT_6, &config->options);
}

void two_down(struct two *t)
{
    if (t->left && t->right)
        assert_int_equal(nstcp_destroy(t->right, 10000), 0);
    else
        nstcp_destroy(t->right, 0);
    nstcp_destroy(t->left, 0);
}

struct sockaddr_in addr4(const char *text, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    assert_int_equal(inet_pton(AF_INET, text, &in.sin_addr), 1);
    return in;
}

struct sockaddr_in6 addr6(const char *text, uint16_t port)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return in6;
}

static bool over_ipv6; /* this run is */

int two_domain(void)
{
    return over_ipv6 ? AF_INET6 : AF_INET;
}

int two_run(const struct CMUnitTest *tests, size_t n)
{
    int failed = _cmocka_run_group_tests("over IPv4", tests, n, NULL, NULL);
    over_ipv6 = true;
    return failed + _cmocka_run_group_tests("over IPv6", tests, n, NULL, NULL);
}

struct address address(const char *text, uint16_t port)
{
    static const struct {
        const char *v4, *v6;
    } ends[] = {{LEFT, LEFT_6}, {RIGHT, RIGHT_6}, {"0.0.0.0", "::"}};
    struct address a = {.len = sizeof a.in};
    if (!over_ipv6) {
        a.in = addr4(text, port);
        return a;
    }
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (strcmp(text, ends[i].v4) == 0) {
            a.in6 = addr6(ends[i].v6, port);
            a.len = sizeof a.in6;
        }
    }
    assert_int_equal(a.sa.sa_family, AF_INET6);
    return a;
}

int must_socket(struct nstcp *stack)
{
    int sock = nstcp_socket(stack, two_domain(), SOCK_STREAM, 0);
    assert_true(sock > 0);
    return sock;
}

int must_listen(struct nstcp *stack, const char *text, uint16_t port)
{
    int sock = must_socket(stack);
    struct address at = address(text, port);
    assert_int_equal(nstcp_bind(stack, sock, &at.sa, at.len), 0);
    assert_int_equal(nstcp_listen(stack, sock, 64), 0);
    return sock;
}

int must_connect(struct nstcp *stack, const char *text, uint16_t port)
{
    int sock = must_socket(stack);
    struct address to = address(text, port);
    assert_int_equal(nstcp_connect(stack, sock, &to.sa, to.len), 0);
    return sock;
}

int must_accept(struct nstcp *stack, int listener)
{
    int sock = nstcp_accept(stack, listener, NULL, NULL);
    assert_true(sock > 0);
    return sock;
}

void must_send(struct nstcp *stack, int sock, const void *data, size_t len)
{
    assert_int_equal(nstcp_send(stack, sock, data, len, 0), len);
}

void must_close(struct nstcp *stack, int sock)
{
    assert_int_equal(nstcp_close(stack, sock), 0);
}

void must_recv_all(struct nstcp *stack, int sock, const void *data, size_t len)
{
    uint8_t *got = malloc(len + 1);
    assert_non_null(got);
    assert_int_equal(nstcp_recv(stack, sock, got, len + 1, MSG_WAITALL), len);
    assert_memory_equal(got, data, len);
    free(got);
    assert_int_equal(nstcp_recv(stack, sock, &(char){0}, 1, 0), 0);
}

void must_pair(struct two *t, int *left, int *right)
{
    int listener = must_listen(t->right, "10.0.1.1", PORT);
    *left = must_connect(t->left, "10.0.1.1", PORT);
    *right = must_accept(t->right, listener);
    must_close(t->right, listener);
}

void must_set(struct nstcp *stack, int sock, int level, int name, int value)
{
    assert_int_equal(nstcp_setsockopt(stack, sock, level, name, &value, sizeof value), 0);
}

double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

pthread_t must_thread(void *(*run)(void *), void *arg)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run, arg), 0);
    return thread;
}

void must_join(pthread_t thread)
{
    void *result;
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_null(result);
}

void pattern(uint8_t *to, size_t len, uint64_t from)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)((from + i) * UINT64_C(0x9e3779b97f4a7c15) >> 56);
}

struct tcp_info info_of(struct nstcp *stack, int sock)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    assert_int_equal(nstcp_getsockopt(stack, sock, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    assert_int_equal(len, sizeof info);
    return info;
}

static void destroy_nothing(struct host *h)
{
    (void)h;
}

void must_not_create(const struct nstcp_options *options, int err, const char *text)
{
    static const struct host_ops nowhere = {.destroy = destroy_nothing};
    struct host host = {&nowhere};
    const struct pair_config config = {.caps = {.mtu = 1500}, .queue_max = 1};
    struct link *a, *b;
    struct nstcp *stack;
    char why[NSTCP_WHY_MAX];
    assert_int_equal(pair_create(&config, &a, &b), 0);
    assert_fails(nstcp_create_on(&stack, options, a, &host, why), err);
    assert_string_equal(why, text);
    b->ops->destroy(b);
}
