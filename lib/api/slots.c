/* The numbers of sockets and what they stand for. All with the lock held. */
#include <errno.h>
#include <stdlib.h>

#include "api_priv.h"
#include "minmax.h"

#define SLOTS_MIN 16

_Static_assert(sizeof(struct slot_options) == offsetof(struct slot_options, none) + 4,
               "options have no padding: they are compared as they lie");

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

static void *alloc(void *ctx, size_t size)
{
    (void)ctx;
    return malloc(size);
}

static void give_back(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    (void)size;
    free(ptr);
}

void slots_init(struct nstcp *stack, const struct tcp_config *config)
{
    struct slot_options *o = &stack->defaults.value;
    *o = (struct slot_options){.tcp = tcp_settings_default(config), .quickack = -1};
    o->busy_poll_us = WAITER_SPIN_NS / NS_PER_US;
    o->tcp.oobinline = false; /* as sockets have it */
    stack->sndbuf_default = config->sndbuf;
    stack->rcvbuf_default = config->rcvbuf;
    stack->mem = (struct mem){.alloc = alloc, .free = give_back, .limit = SIZE_MAX};
    shared_init(&stack->options, sizeof *o, &stack->mem, &stack->defaults.head);
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
    slot->domain = (uint8_t)domain;
    slot->options = shared_again(&stack->defaults.value);
    slot->refs = 1;
    stack->slots[sock] = slot;
    *out = slot;
    return sock;
}

struct slot *slot_find(const struct nstcp *stack, int sock)
{
    return sock > 0 && (uint32_t)sock < stack->n_slots ? stack->slots[sock] : NULL;
}

void slot_bind(struct nstcp *stack, struct slot *slot)
{
    slot->bound = true;
    stack_set_bound(runtime_stack(stack->rt), slot->options->port, true);
}

void slot_unbind(struct nstcp *stack, struct slot *slot)
{
    uint16_t port = slot->options->port;
    if (!slot->bound)
        return;
    slot->bound = false;
    for (uint32_t i = 1; i < stack->n_slots; i++) {
        const struct slot *other = stack->slots[i];
        if (other && other->bound && other->options->port == port)
            return;
    }
    stack_set_bound(runtime_stack(stack->rt), port, false);
}

void slot_release(struct nstcp *stack, int sock)
{
    struct slot *slot = stack->slots[sock];
    slot_unbind(stack, slot);
    stack->slots[sock] = NULL;
    if ((uint32_t)sock < stack->search_from)
        stack->search_from = (uint32_t)sock;
    slot->closed = true;
    waitable_wake(&slot->changed, WAIT_ALL);
    slot_unref(stack, slot);
}

void slot_leave(struct slot *slot)
{
    if (slot->so && slot->options->linger && slot->options->linger_s == 0)
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

void slot_unref(struct nstcp *stack, struct slot *slot)
{
    if (--slot->refs > 0)
        return;
    shared_put(&stack->options, slot->options);
    in_place_free(stack, slot->in_place);
    free(slot);
}

enum tcp_state slot_tcp_state(const struct slot *slot)
{
    enum tcp_state state = slot->so ? stack_state(slot->so) : STATE_CLOSED;
    return state == STATE_TIME_WAIT ? STATE_CLOSED : state;
}

bool slot_has_connection(const struct slot *slot)
{
    return slot->state == SLOT_CONNECTING || slot->state == SLOT_CONNECTED;
}

bool slot_connected(const struct slot *slot)
{
    return slot_tcp_state(slot) >= STATE_ESTABLISHED;
}

size_t slot_lowat(const struct slot *slot)
{
    struct tcp_status status;
    if (slot->options->rcvlowat <= 1 || !slot->so)
        return 1;
    stack_status(slot->so, &status);
    return min_u32(slot->options->rcvlowat, status.rcvbuf / 2);
}

int slot_set_options(struct nstcp *stack, struct slot *slot, const struct slot_options *options)
{
    const struct slot_options *wanted = shared_get(&stack->options, options);
    if (!wanted)
        return -ENOMEM;
    shared_put(&stack->options, slot->options);
    slot->options = wanted;
    return 0;
}

int slot_apply(struct slot *slot, uint64_t now_ns)
{
    const struct slot_options *o = slot->options;
    int err = stack_set(slot->so, &o->tcp, now_ns);
    if (!err && o->quickack >= 0)
        stack_set_quickack(slot->so, o->quickack, now_ns);
    return err_to_errno(err);
}

int slot_apply_ip_options(struct slot *slot, uint64_t now_ns)
{
    return err_to_errno(stack_set_options(slot->so, &slot->options->ip, now_ns));
}
