/* The two ends of ours: two stacks, driven as the runtime does it, over the link in memory. */
#include <errno.h>

#include "engine.h"
#include "pair.h"
#include "pool.h"
#include "stack.h"

#define BATCH 32 /* the runtime's */
#define PORT  40000

static struct side {
    struct pool pool;
    struct mem mem;
    struct link *link;
    struct stack *stack;
    struct sock *sock;
    struct packet packets[BATCH];
} sides[2];

/* The engine is told the time. It is looked at once for each batch, as lwIP looks at its clock. */
static uint64_t now;

static const struct pair_config wire = {.caps = {.mtu = ENGINE_SEGMENT + 40}, .queue_max = 4096};

static int64_t must(int64_t result, const char *what)
{
    if (result < 0 && result != ERR_AGAIN) {
        errno = EPROTO;
        die(what);
    }
    return result < 0 ? 0 : result;
}

static void open_stack(struct side *s)
{
    s->mem = (struct mem){pool_alloc, pool_free, &s->pool, SIZE_MAX, 0};
    const struct stack_config config = {
        .mem = &s->mem, .caps = wire.caps, .tcp = tcp_config_default(), .max_socks = 16};
    must(stack_create(&s->stack, &config), "stack_create");
}

void engine_open(void)
{
    const struct flow flow = {ip_addr_v4(0x0a090001), ip_addr_v4(0x0a090002), PORT, PORT};
    struct sock *listener;
    now = now_ns();
    must(pair_create(&wire, &sides[0].link, &sides[1].link), "pair_create");
    for (int i = 0; i < 2; i++)
        open_stack(&sides[i]);
    must(stack_listen(sides[1].stack, &flow.remote, PORT, 1, NULL, &listener), "stack_listen");
    must(stack_connect(sides[0].stack, &flow, 0, NULL, now, &sides[0].sock), "stack_connect");
    for (int i = 0; i < 3; i++)
        engine_move(i % 2);
    if (stack_accept(listener, NULL, now, &sides[1].sock) != ERR_NONE) {
        errno = EPROTO;
        die("stack_accept");
    }
}

void engine_close(void)
{
    for (int i = 0; i < 2; i++) {
        stack_destroy(sides[i].stack);
        sides[i].link->ops->destroy(sides[i].link);
        pool_finish(&sides[i].pool);
    }
}

size_t engine_send(int end, const void *data, size_t len)
{
    return (size_t)must(stack_send(sides[end].sock, data, len, now), "stack_send");
}

size_t engine_recv(int end, void *buf, size_t len)
{
    return (size_t)must(stack_recv(sides[end].sock, buf, len, false, now), "stack_recv");
}

static void send_batch(struct side *s)
{
    struct stack_event ev;
    size_t n = stack_output(s->stack, s->packets, BATCH, now);
    if (n > 0 && s->link->ops->send(s->link, s->packets, n) < n) {
        errno = ENOBUFS;
        die("the link is full");
    }
    while (stack_next_event(s->stack, &ev))
        ;
}

static void take_batch(struct side *s)
{
    size_t n = s->link->ops->recv(s->link, s->packets, BATCH);
    stack_input(s->stack, s->packets, n, now);
    if (stack_deadline(s->stack) <= now)
        stack_tick(s->stack, now);
}

void engine_move(int end)
{
    now = now_ns();
    send_batch(&sides[end]);
    take_batch(&sides[!end]);
}
