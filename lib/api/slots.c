/* The numbers of sockets and what they stand for. All with the lock held. */
#include <errno.h>
#include <stdlib.h>

#include "api_priv.h"
#include "ip.h"
#include "minmax.h"

#define SLOTS_MIN 16

/* Room for more numbers. 0 is none, so that it can't be taken for a socket by mistake. */
static int grow(struct nstcp *stack)
{
    uint32_t n = stack->n_slots ? 2 * stack->n_slots : SLOTS_MIN;
    if (n > stack->max_slots + 1)
        n = stack->max_slots + 1;
    if (n <= stack->n_slots)
        return -EMFILE;
    struct slot **slots = realloc(stack->slots, n * sizeof *slots);
    if (!slots)
        return -ENOMEM;
    for (uint32_t i = stack->n_slots; i < n; i++)
        slots[i] = NULL;
    stack->slots = slots;
    stack->n_slots = n;
    return 0;
}

/* The lowest free number, as POSIX has it. */
static int free_number(struct nstcp *stack)
{
    uint32_t i = stack->search_from > 0 ? stack->search_from : 1;
    while (i < stack->n_slots && stack->slots[i])
        i++;
    stack->search_from = i;
    if (i >= stack->n_slots) {
        int err = grow(stack);
        if (err)
            return err;
    }
    return (int)i;
}

int slot_create(struct nstcp *stack, int domain, struct slot **out)
{
    int sock = free_number(stack);
    if (sock < 0)
        return sock;
    struct slot *slot = calloc(1, sizeof *slot);
    if (!slot)
        return -ENOMEM;
    waitable_init(&slot->changed);
    slot->domain = domain;
    slot->options.keepalive = keepalive_default();
    slot->options.quickack = -1;
    slot->options.ip4.ttl = slot->options.ip6.ttl = IP_TTL_DEFAULT;
    slot->refs = 1;
    stack->slots[sock] = slot;
    *out = slot;
    return sock;
}

struct slot *slot_find(const struct nstcp *stack, int sock)
{
    return sock > 0 && (uint32_t)sock < stack->n_slots ? stack->slots[sock] : NULL;
}

void slot_release(struct nstcp *stack, int sock)
{
    struct slot *slot = stack->slots[sock];
    stack->slots[sock] = NULL;
    if ((uint32_t)sock < stack->search_from)
        stack->search_from = (uint32_t)sock;
    slot->closed = true;
    waitable_wake(&slot->changed, WAIT_ALL);
    slot_unref(slot);
}

void slot_leave(struct slot *slot)
{
    if (slot->so && slot->options.linger && slot->options.linger_s == 0)
        stack_abort(slot->so, runtime_now());
    else if (slot->so)
        stack_close(slot->so, runtime_now());
    slot->so = NULL;
}

void slot_close(struct nstcp *stack, int sock)
{
    slot_leave(stack->slots[sock]);
    slot_release(stack, sock);
}

void slot_disconnect(struct slot *slot)
{
    if (slot->so)
        stack_abort(slot->so, runtime_now());
    slot->so = NULL;
    slot->state = SLOT_NEW;
    slot->shut_recv = slot->shut_send = false;
    waitable_wake(&slot->changed, WAIT_ALL);
}

void slot_ref(struct slot *slot)
{
    slot->refs++;
}

void slot_unref(struct slot *slot)
{
    if (--slot->refs > 0)
        return;
    free(slot->ip_options);
    free(slot);
}

enum tcp_state slot_tcp_state(const struct slot *slot)
{
    enum tcp_state state = slot->so ? stack_state(slot->so) : STATE_CLOSED;
    return state == STATE_TIME_WAIT ? STATE_CLOSED : state;
}

bool slot_connected(const struct slot *slot)
{
    return slot_tcp_state(slot) >= STATE_ESTABLISHED;
}

size_t slot_lowat(const struct slot *slot)
{
    struct tcp_status status;
    if (slot->options.rcvlowat <= 1 || !slot->so)
        return 1;
    stack_status(slot->so, &status);
    return min_u32(slot->options.rcvlowat, status.rcvbuf / 2);
}

void slot_apply(struct slot *slot, uint64_t now_ns)
{
    const struct slot_options *o = &slot->options;
    struct tcp_settings settings = *stack_settings(slot->so);
    settings.nodelay = o->nodelay;
    settings.cork = o->cork;
    settings.oobinline = o->oobinline;
    settings.keepalive = o->keepalive;
    settings.user_timeout_ms = o->user_timeout_ms;
    settings.orphan_ms = o->orphan_ms;
    settings.syn_retries = o->syn_retries;
    settings.mss_max = o->mss_max;
    settings.ip4 = o->ip4;
    settings.ip6 = o->ip6;
    if (o->cc)
        settings.cc = o->cc;
    if (o->sndbuf)
        settings.sndbuf = o->sndbuf;
    if (o->rcvbuf)
        settings.rcvbuf = o->rcvbuf;
    stack_set(slot->so, &settings, now_ns);
    if (o->quickack >= 0)
        stack_set_quickack(slot->so, o->quickack, now_ns);
}

int slot_apply_ip_options(struct slot *slot, uint64_t now_ns)
{
    const struct ip_options none = {0};
    return err_to_errno(
        stack_set_options(slot->so, slot->ip_options ? slot->ip_options : &none, now_ns));
}
