/* AF_INET6 sockets: IPV6_V6ONLY, and what it has to do with IPv4's sockets (ipv6(7), RFC 3493). */
#include <errno.h>
#include <string.h>

#include "two_stacks.h"

static int socket6(struct nstcp *stack, int v6only)
{
    int sock = nstcp_socket(stack, AF_INET6, SOCK_STREAM, 0);
    assert_true(sock > 0);
    assert_int_equal(
        nstcp_setsockopt(stack, sock, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only), 0);
    return sock;
}

static int bind6(struct nstcp *stack, int sock, const char *ip)
{
    struct sockaddr_in6 at = addr6(ip, PORT);
    return nstcp_bind(stack, sock, (struct sockaddr *)&at, sizeof at);
}

static int connect6(struct nstcp *stack, int sock, const char *ip)
{
    struct sockaddr_in6 to = addr6(ip, PORT);
    return nstcp_connect(stack, sock, (struct sockaddr *)&to, sizeof to);
}

/* The peer of the next connection, and nothing else waits. */
static void accepts(struct nstcp *stack, int listener, const char *from)
{
    struct sockaddr_in6 peer, expected = addr6(from, 0);
    socklen_t len = sizeof peer;
    assert_true(nstcp_accept(stack, listener, (struct sockaddr *)&peer, &len) > 0);
    assert_int_equal(len, sizeof peer);
    assert_int_equal(peer.sin6_family, AF_INET6);
    assert_memory_equal(&peer.sin6_addr, &expected.sin6_addr, 16);
    assert_int_equal(peer.sin6_scope_id, 0);
    struct pollfd fd = {.fd = listener, .events = POLLIN};
    assert_int_equal(nstcp_poll(stack, &fd, 1, 0), 0);
}

static void beside_each_other(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int four = must_listen(t.right, "0.0.0.0", PORT), six = socket6(t.right, 1);
    assert_int_equal(bind6(t.right, six, "::"), 0);
    assert_int_equal(nstcp_listen(t.right, six, 4), 0);
    must_connect(t.left, "10.0.1.1", PORT);
    must_accept(t.right, four);
    assert_int_equal(connect6(t.left, socket6(t.left, 1), "fd00::2"), 0);
    accepts(t.right, six, "fd00::1");
    assert_int_equal(connect6(t.left, socket6(t.left, 0), "::ffff:10.0.1.1"), 0);
    must_accept(t.right, four);
    must_close(t.right, four); /* now there is nobody for IPv4 */
    assert_fails(connect6(t.left, socket6(t.left, 0), "::ffff:10.0.1.1"), ECONNREFUSED);
    assert_int_equal(connect6(t.left, socket6(t.left, 0), "fd00::2"), 0);
    accepts(t.right, six, "fd00::1");
    two_down(&t);
}

/* Who is in whose way, bound in either order. */
static void in_the_way(void **state)
{
    (void)state;
    static const struct {
        const char *four, *six;
        int v6only, error;
    } cases[] = {
        {"0.0.0.0", "::", 0, EADDRINUSE},
        {"0.0.0.0", "::", 1, 0},
        {"10.0.0.1", "::", 0, EADDRINUSE},
        {"10.0.0.1", "::", 1, 0},
        {"0.0.0.0", "fd00::1", 0, 0},
        {"0.0.0.0", "::ffff:10.0.0.1", 0, EADDRINUSE},
        {"10.0.0.1", "::ffff:10.0.0.1", 0, EADDRINUSE},
        {"10.0.0.1", "::ffff:0.0.0.0", 0, EADDRINUSE},
    };
    struct two t;
    two_up(&t, NULL);
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        int four = must_socket(t.left), six = socket6(t.left, cases[i / 2].v6only);
        struct sockaddr_in at = addr4(cases[i / 2].four, PORT);
        const struct sockaddr *sa = (struct sockaddr *)&at;
        if (i % 2)
            assert_int_equal(nstcp_bind(t.left, four, sa, sizeof at), 0);
        errno = 0;
        int first = bind6(t.left, six, cases[i / 2].six);
        int second = i % 2 ? first : nstcp_bind(t.left, four, sa, sizeof at);
        assert_int_equal(i % 2 ? 0 : first, 0);
        assert_int_equal(second, cases[i / 2].error ? -1 : 0);
        assert_int_equal(errno, cases[i / 2].error);
        must_close(t.left, four);
        must_close(t.left, six);
    }
    two_down(&t);
}

static void only_for_ipv6(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int sock = socket6(t.left, 1), value = 0;
    socklen_t len = sizeof value;
    must_listen(t.right, "0.0.0.0", PORT);
    assert_fails(bind6(t.left, sock, "::ffff:10.0.0.1"), EINVAL);
    assert_fails(connect6(t.left, sock, "::ffff:10.0.1.1"), ENETUNREACH);
    assert_int_equal(bind6(t.left, sock, "::"), 0);
    assert_fails(nstcp_setsockopt(t.left, sock, IPPROTO_IPV6, IPV6_V6ONLY, &value, sizeof value),
                 EINVAL);
    assert_int_equal(nstcp_getsockopt(t.left, sock, IPPROTO_IPV6, IPV6_V6ONLY, &value, &len), 0);
    assert_int_equal(value, 1);
    two_down(&t);
}

/* A listener's connections have its option, though they may not set it. */
static void inherited(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    for (int v6only = 0; v6only < 2; v6only++) {
        int value = 7, listener = socket6(t.right, v6only);
        socklen_t len = sizeof value;
        assert_int_equal(bind6(t.right, listener, "::"), 0);
        assert_int_equal(nstcp_listen(t.right, listener, 4), 0);
        assert_int_equal(connect6(t.left, socket6(t.left, 0), "fd00::2"), 0);
        int sock = must_accept(t.right, listener);
        assert_int_equal(nstcp_getsockopt(t.right, sock, IPPROTO_IPV6, IPV6_V6ONLY, &value, &len),
                         0);
        assert_int_equal(value, v6only);
        assert_fails(
            nstcp_setsockopt(t.right, sock, IPPROTO_IPV6, IPV6_V6ONLY, &value, sizeof value),
            EINVAL);
        must_close(t.right, listener);
    }
    two_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beside_each_other),
        cmocka_unit_test(in_the_way),
        cmocka_unit_test(only_for_ipv6),
        cmocka_unit_test(inherited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
