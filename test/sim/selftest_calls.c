/*
 * Self test of the checkers of what calls answer, with an engine that lies: the linker (--wrap)
 * puts these functions between the simulator and the engine's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fail.h"
#include "selftest.h"
#include "world.h"

static enum lie {
    HONEST,
    NO_STACK,
    NO_LISTENER,
    NO_CONNECT,
    NOBODY_TO_ACCEPT,
    SENT_TOO_EARLY,
    SENT_TOO_MUCH,
    SHUT_DOWN_TWICE,
    NOT_WRITABLE,
    NO_NEWS,
    PACKETS_KEPT,
    PORTS_CHANGED,
    NO_IP,
    INVARIANT,
    ABORT,
} lie;

static struct trace trace; /* of the stack that was made last */

#define CALL(type, name, ...)                                                                      \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

CALL(int, stack_create, struct stack **out, const struct stack_config *config)
{
    trace = config->trace;
    return lie == NO_STACK ? ERR_NOMEM : __real_stack_create(out, config);
}

CALL(int, stack_listen, struct stack *s, const struct ip_addr *addr, uint16_t port,
     uint32_t backlog, void *user, struct sock **out)
{
    return lie == NO_LISTENER ? ERR_IN_USE : __real_stack_listen(s, addr, port, backlog, user, out);
}

CALL(int, stack_connect, struct stack *s, const struct flow *flow, uint32_t mtu, void *user,
     uint64_t now_ns, struct sock **out)
{
    return lie == NO_CONNECT ? ERR_INVAL : __real_stack_connect(s, flow, mtu, user, now_ns, out);
}

CALL(int, stack_accept, struct sock *listener, void *user, uint64_t now_ns, struct sock **out)
{
    return lie == NOBODY_TO_ACCEPT ? ERR_AGAIN : __real_stack_accept(listener, user, now_ns, out);
}

CALL(int64_t, stack_send, struct sock *so, const void *data, size_t len, uint64_t now_ns)
{
    int64_t n = __real_stack_send(so, data, len, now_ns);
    if (lie == SENT_TOO_EARLY && n == ERR_AGAIN)
        return (int64_t)len;
    return n + (lie == SENT_TOO_MUCH && n == (int64_t)len);
}

CALL(int, stack_shutdown_send, struct sock *so, uint64_t now_ns)
{
    int err = __real_stack_shutdown_send(so, now_ns);
    return lie == SHUT_DOWN_TWICE && err == ERR_PIPE ? ERR_NONE : err;
}

CALL(unsigned, stack_readiness, const struct sock *so)
{
    unsigned ready = __real_stack_readiness(so);
    return lie == NOT_WRITABLE ? ready & ~SOCK_WRITABLE : ready;
}

CALL(bool, stack_next_event, struct stack *s, struct stack_event *ev)
{
    bool more = __real_stack_next_event(s, ev);
    if (more && lie == NO_NEWS)
        ev->what = 0;
    return more;
}

CALL(size_t, stack_output, struct stack *s, struct packet *p, size_t max, uint64_t now_ns)
{
    size_t n = __real_stack_output(s, p, max, now_ns);
    for (size_t i = 0; i < n && lie == PORTS_CHANGED; i++) {
        /* One up, the other down: the checksum stays. */
        uint8_t *tcp = p[i].store + (p[i].store[0] >> 4 == 4 ? 20 : 40);
        tcp[1]++;
        tcp[3]--;
    }
    for (size_t i = 0; i < n && lie == NO_IP; i++)
        p[i].head.len = 39;
    return n - (lie == PACKETS_KEPT && n > 1);
}

CALL(void, stack_tick, struct stack *s, uint64_t now_ns)
{
    if (lie == ABORT)
        abort();
    if (lie == INVARIANT)
        TRACE(&trace, TRACE_INVARIANT, .text = "so says the self test");
    __real_stack_tick(s, now_ns);
}

int selftest_calls(void)
{
    static const struct {
        enum lie lie;
        const char *checker;
    } tests[] = {
        {NO_STACK, "create"},          {NO_LISTENER, "listen"},     {NO_CONNECT, "connect"},
        {NOBODY_TO_ACCEPT, "accept"},  {SENT_TOO_EARLY, "early"},   {SENT_TOO_MUCH, "send"},
        {SHUT_DOWN_TWICE, "shutdown"}, {NOT_WRITABLE, "readiness"}, {NO_NEWS, "event"},
        {PACKETS_KEPT, "output"},      {PORTS_CHANGED, "flow"},     {NO_IP, "codec"},
        {INVARIANT, "invariant"},      {ABORT, "assertion"},
    };
    const struct world_options options = {.super = 1};
    int failed = 0;
    fail_catch_abort();
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        lie = tests[i].lie;
        failed += expect_world("an engine that lies", &options, tests[i].checker);
    }
    lie = HONEST;
    return failed;
}
