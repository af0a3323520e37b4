/* RFC 9293 3.9.2.2: ICMP, by type and code as they are on the wire. Which messages are to be
 * believed at all is in test_rfc5927.c, what "packet too big" does in test_rfc1191.c and
 * test_rfc8201.c. */
#include "router.h"

struct error {
    uint8_t type, code;
};

static const struct error soft4[] = {{3, 0}, {3, 1}, {3, 5}, {11, 0}, {11, 1}, {12, 0}, {12, 1}};
static const struct error soft6[] = {{1, 0}, {1, 3}, {3, 0}, {3, 1}, {4, 0}, {4, 1}, {4, 2}};
static const struct error hard4[] = {{3, 2}, {3, 3}};
static const struct error hard6[] = {{1, 1}, {1, 4}}; /* RFC 5927 5.1 */

/* All eight states in which something is in flight, which an error can be about. */
#define EACH_STATE_IN_FLIGHT(s)                                                                    \
    enum tcp_state s = STATE_SYN_SENT;                                                             \
    s <= STATE_LAST_ACK;                                                                           \
    s++

static struct sock *in_flight(struct peer *a, enum tcp_state s)
{
    struct sock *so = host_reach(a, s == STATE_FIN_WAIT_2 ? STATE_FIN_WAIT_1 : s);
    if (s == STATE_ESTABLISHED || s == STATE_CLOSE_WAIT) {
        host_sends(so, 0, 500);
        (void)all_leaves();
    }
    return so;
}

/* SYN and SYN,ACK are number 0, all else here is number 1. */
static uint32_t its_number(enum tcp_state s)
{
    return s > STATE_SYN_RECEIVED;
}

/* MUST-54: to the connection whose segment the message quotes, and to no other; of either family.
 */
static void to_the_connection_that_caused_it(void **state)
{
    (void)state;
    for (unsigned six = 0; six < 2; six++) {
        struct peer a = six ? peer6(1, 0) : peer(1, 0), b = six ? peer6(2, 0) : peer(2, 0);
        struct sock *so = in_flight(&a, STATE_ESTABLISHED);
        struct sock *other = in_flight(&b, STATE_ESTABLISHED);
        host_take_events();
        hears(&a, .type = six ? 1 : 3, .code = 0, .seq = 1);
        expect_event(so, SOCK_EV_TROUBLE);
        expect_no_event();
        assert_int_equal(host_status(other).soft_error, ERR_NONE);
    }
}

/* MUST-55: source quench is discarded without a word, and changes nothing. */
static void source_quench(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = in_flight(&a, STATE_ESTABLISHED);
    struct tcp_status before = host_status(so);
    hears(&a, .type = 4, .code = 0, .seq = 1);
    nothing_leaves();
    expect_no_event();
    struct tcp_status after = host_status(so);
    assert_int_equal(after.cwnd, before.cwnd);
    assert_int_equal(after.ssthresh, before.ssthresh);
    assert_int_equal(after.soft_error, ERR_NONE);
}

static void no_soft_error_ends_it(bool six, const struct error *e, unsigned n)
{
    for (EACH_STATE_IN_FLIGHT(s)) {
        for (unsigned i = 0; i < n; i++) {
            struct peer a = six ? peer6(10 * s + i, 0) : peer(10 * s + i, 0);
            struct sock *so = in_flight(&a, s);
            enum tcp_state was = stack_state(so);
            hears(&a, .type = e[i].type, .code = e[i].code, .seq = its_number(s));
            assert_int_equal(stack_state(so), was);
            expect_event(so, SOCK_EV_TROUBLE);
            assert_int_not_equal(host_status(so).soft_error, ERR_NONE);
            host_abort(so);
            (void)all_leaves();
        }
    }
}

/* MUST-56: a soft error does not end the connection, in any state: its segments go on being sent
 * again. SHLD-25: the user can learn of it. */
static void soft_errors(void **state)
{
    (void)state;
    no_soft_error_ends_it(false, soft4, sizeof soft4 / sizeof *soft4);
    no_soft_error_ends_it(true, soft6, sizeof soft6 / sizeof *soft6);
}

/* SHLD-25: a user who wants reports is told at once, once (test_3_9_1_8.c). */
static void told(void **state)
{
    (void)state;
    const struct tcp_ip ip = {.ttl = 64, .report = true};
    for (unsigned i = 0; i < sizeof soft4 / sizeof *soft4; i++) {
        struct peer a = peer(1 + i, 0);
        struct sock *so = in_flight(&a, STATE_ESTABLISHED);
        host_set(so, ip4, ip);
        host_set(so, ip6, ip);
        hears(&a, .type = soft4[i].type, .code = soft4[i].code, .seq = 1);
        assert_int_not_equal(stack_take_error(so), ERR_NONE);
        assert_int_equal(stack_take_error(so), ERR_NONE);
        host_abort(so);
        (void)all_leaves();
    }
}

/* What the user hears when the connection fails at last is what ICMP has said. */
static void why_it_failed(void **state)
{
    (void)state;
    struct peer a = peer(1, 0);
    struct sock *so = host_reach(&a, STATE_SYN_SENT);
    hears(&a, .type = 3, .code = 0, .seq = 0);
    for (unsigned i = 1; i <= 7; i++) {
        host_at(((1u << i) - 1) * 1000);
        leaves(&a, .flags = SYN, .seq = 0);
    }
    host_at(180000);
    assert_int_equal(stack_error(so), ERR_NETUNREACH);
}

static void hard_errors_by_state(bool six, const struct error *e, unsigned n)
{
    for (EACH_STATE_IN_FLIGHT(s)) {
        for (unsigned i = 0; i < n; i++) {
            struct peer a = six ? peer6(10 * s + i, 0) : peer(10 * s + i, 0);
            struct sock *so = in_flight(&a, s);
            enum tcp_state was = stack_state(so);
            hears(&a, .type = e[i].type, .code = e[i].code, .seq = its_number(s));
            bool ends = s <= STATE_SYN_RECEIVED;
            assert_int_equal(stack_state(so), ends ? STATE_CLOSED : was);
            expect_event(so, ends ? SOCK_EV_CLOSED : SOCK_EV_TROUBLE);
            assert_int_not_equal(ends ? stack_error(so) : host_status(so).soft_error, ERR_NONE);
            nothing_leaves();
            host_abort(so);
            (void)all_leaves();
        }
    }
}

/* SHLD-26: a hard error ends a connection that is being opened. In the synchronized states it is
 * taken for a soft one, as the section says some do (lib/README.md; RFC 5927 5.2). */
static void hard_errors(void **state)
{
    (void)state;
    hard_errors_by_state(false, hard4, sizeof hard4 / sizeof *hard4);
    hard_errors_by_state(true, hard6, sizeof hard6 / sizeof *hard6);
}

/* Code 4, though it is in the list of hard errors, is path MTU discovery's: no connection ends. */
static void fragmentation_needed(void **state)
{
    (void)state;
    struct peer a = peer(1, 0), b = peer(2, 0);
    struct sock *so = in_flight(&a, STATE_ESTABLISHED), *opening = in_flight(&b, STATE_SYN_SENT);
    hears(&a, .kind = ICMP_TOO_BIG, .seq = 1, .mtu = 600);
    (void)all_leaves();
    hears(&b, .kind = ICMP_TOO_BIG, .seq = 0, .mtu = 600);
    assert_int_equal(stack_state(so), STATE_ESTABLISHED);
    assert_int_equal(stack_state(opening), STATE_SYN_SENT);
    assert_int_equal(host_status(so).path_mtu, 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(to_the_connection_that_caused_it),
        host_test_ipv4(source_quench),
        host_test_ipv4(soft_errors),
        host_test_ipv4(told),
        host_test_ipv4(why_it_failed),
        host_test_ipv4(hard_errors),
        host_test_ipv4(fragmentation_needed),
    };
    return host_main(tests);
}
