/* The public face of guard/: see guard.h. What is held is remembered here; nft.c hides it from the
 * kernel, hold.c and ephemeral.c hold it. All of it happens in the keeper's thread, to which every
 * descriptor belongs; the public functions, at the end, only have it done there. */
#include "guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "ephemeral.h"
#include "hold.h"
#include "keeper.h"
#include "list.h"
#include "nft.h"
#include "zone.h"

#define ERROR_MAX 160

/* One port, or one block of ports of both wildcards. */
struct held {
    struct list node;
    struct nft_ports what;
    bool block;
    int fds[]; /* what.count of them */
};

struct guard {
    struct keeper *keeper;
    struct nft nft;
    struct list held;
    struct ephemeral ephemeral;
    char error[ERROR_MAX];
};

static const struct in6_addr any4 = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

/* Notes the sentence "<what>: <reason>"; returns err. */
static int __attribute__((format(printf, 3, 4)))
fail(struct guard *g, int err, const char *what, ...)
{
    va_list args;
    va_start(args, what);
    int n = vsnprintf(g->error, sizeof g->error, what, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof g->error)
        snprintf(g->error + n, sizeof g->error - (size_t)n, ": %s", strerror(-err));
    return err;
}

static void let_go(struct held *h)
{
    for (unsigned i = 0; i < h->what.count; i++)
        close(h->fds[i]);
    list_remove(&h->node);
    free(h);
}

/* The entry for the port, or for the block that begins there; NULL when there is none. */
static struct held *find(struct guard *g, const struct in6_addr *addr, uint16_t port, bool block)
{
    for (struct list *n = g->held.next; n != &g->held; n = n->next) {
        struct held *h = container_of(n, struct held, node);
        if (h->block == block && h->what.first == port && IN6_ARE_ADDR_EQUAL(&h->what.addr, addr))
            return h;
    }
    return NULL;
}

static struct held *held_new(struct guard *g, const struct in6_addr *addr, uint16_t count,
                             bool block)
{
    struct held *h = calloc(1, sizeof *h + count * sizeof h->fds[0]);
    if (h == NULL)
        return NULL;
    h->what.addr = *addr;
    h->block = block;
    list_push_back(&g->held, &h->node);
    return h;
}

/* The nftables side of one entry: a block stands in both wildcards' sets. */
static int hide(struct guard *g, const struct held *h,
                int (*change)(struct nft *, const struct nft_ports *, size_t))
{
    struct nft_ports v[2] = {h->what, h->what};
    v[1].addr = in6addr_any;
    return change(&g->nft, v, h->block ? 2 : 1);
}

/* "10.0.0.1:80", "[2001:db8::1]:80" or "[fe80::1%2]:80", in buf. */
#define ADDR_PORT_MAX (INET6_ADDRSTRLEN + 20)
static const char *addr_port(char buf[ADDR_PORT_MAX], const struct in6_addr *addr, uint16_t port)
{
    char text[INET6_ADDRSTRLEN];
    bool v4 = IN6_IS_ADDR_V4MAPPED(addr);
    const struct in6_addr plain = zone_cut(addr);
    inet_ntop(v4 ? AF_INET : AF_INET6, plain.s6_addr + (v4 ? 12 : 0), text, sizeof text);
    if (v4)
        snprintf(buf, ADDR_PORT_MAX, "%s:%u", text, port);
    else if (zone_of(addr) != 0)
        snprintf(buf, ADDR_PORT_MAX, "[%s%%%u]:%u", text, zone_of(addr), port);
    else
        snprintf(buf, ADDR_PORT_MAX, "[%s]:%u", text, port);
    return buf;
}

static int hold_port(struct guard *g, const struct in6_addr *addr, uint16_t port, bool freebind)
{
    char name[ADDR_PORT_MAX];
    addr_port(name, addr, port);
    struct held *h = held_new(g, addr, 1, false);
    if (h == NULL)
        return fail(g, -ENOMEM, "bind %s", name);
    int fd = port != 0 ? port_hold(addr, port, freebind) : address_hold(addr);
    if (fd < 0) {
        let_go(h);
        return fail(g, fd, "bind %s", name);
    }
    h->fds[0] = fd;
    h->what.first = port;
    h->what.count = 1;
    int err = hide(g, h, nft_add);
    if (err < 0) {
        let_go(h);
        return fail(g, err, "hide %s from the kernel by nftables", name);
    }
    return 0;
}

static int release(struct guard *g, struct held *h, const char *name)
{
    if (h == NULL)
        return fail(g, -ENOENT, "release %s", name);
    int err = hide(g, h, nft_remove);
    let_go(h);
    return err < 0 ? fail(g, err, "show %s to the kernel again by nftables", name) : 0;
}

static int claim_block(struct guard *g, uint16_t *first)
{
    uint32_t random;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return fail(g, -errno, "get a random number");
    struct held *h = held_new(g, &any4, GUARD_BLOCK, true);
    if (h == NULL)
        return fail(g, -ENOMEM, "claim a block of ports");
    int err = ephemeral_claim(&g->ephemeral, random, GUARD_BLOCK, h->fds, &h->what.first);
    if (err < 0) {
        let_go(h);
        return fail(g, err, "claim a block of %d ports", GUARD_BLOCK);
    }
    h->what.count = GUARD_BLOCK;
    err = hide(g, h, nft_add);
    if (err < 0) {
        uint16_t from = h->what.first;
        let_go(h);
        return fail(g, err, "hide ports %u-%u from the kernel by nftables", from,
                    from + GUARD_BLOCK - 1);
    }
    *first = h->what.first;
    return 0;
}

/* ---- what the keeper's thread is given to do ---- */

struct job {
    struct guard *g;
    const struct in6_addr *addr;
    uint16_t port;
    bool freebind;    /* do_hold */
    uint16_t *first;  /* do_claim */
    const char *step; /* do_open: what failed */
};

static int do_open(void *arg)
{
    struct job *job = arg;
    return nft_open(&job->g->nft, &job->step);
}

static int do_hold(void *arg)
{
    const struct job *job = arg;
    return hold_port(job->g, job->addr, job->port, job->freebind);
}

static int do_release(void *arg)
{
    const struct job *job = arg;
    char name[ADDR_PORT_MAX];
    return release(job->g, find(job->g, job->addr, job->port, false),
                   addr_port(name, job->addr, job->port));
}

static int do_claim(void *arg)
{
    const struct job *job = arg;
    return claim_block(job->g, job->first);
}

static int do_release_block(void *arg)
{
    const struct job *job = arg;
    char name[ADDR_PORT_MAX];
    return release(job->g, find(job->g, &any4, job->port, true), addr_port(name, &any4, job->port));
}

static int do_close(void *arg)
{
    struct guard *g = arg;
    nft_close(&g->nft);
    while (!list_empty(&g->held))
        let_go(container_of(g->held.next, struct held, node));
    return 0;
}

/* ---- the public functions ---- */

int guard_create(struct guard **out, char *err, size_t errlen)
{
    struct guard *g = calloc(1, sizeof *g);
    if (g == NULL) {
        snprintf(err, errlen, "guard: %s", strerror(ENOMEM));
        return -ENOMEM;
    }
    list_init(&g->held);
    ephemeral_read(&g->ephemeral);
    struct job job = {.g = g, .step = "start a thread with descriptors of its own"};
    const char *why = "";
    int e = keeper_create(&g->keeper);
    if (e == 0) {
        e = keeper_do(g->keeper, do_open, &job);
        if (e == -EPERM)
            why = " (this needs CAP_NET_ADMIN in the network namespace)";
        if (e < 0)
            keeper_destroy(g->keeper);
    }
    if (e < 0) {
        snprintf(err, errlen, "%s: %s%s", job.step, strerror(-e), why);
        free(g);
        return e;
    }
    *out = g;
    return 0;
}

void guard_destroy(struct guard *g)
{
    if (g == NULL)
        return;
    keeper_do(g->keeper, do_close, g);
    keeper_destroy(g->keeper);
    free(g);
}

int guard_hold(struct guard *g, const struct in6_addr *addr, uint16_t port, bool freebind)
{
    struct job job = {.g = g, .addr = addr, .port = port, .freebind = freebind};
    return keeper_do(g->keeper, do_hold, &job);
}

int guard_release(struct guard *g, const struct in6_addr *addr, uint16_t port)
{
    struct job job = {.g = g, .addr = addr, .port = port};
    return keeper_do(g->keeper, do_release, &job);
}

int guard_claim_block(struct guard *g, uint16_t *first)
{
    struct job job = {.g = g, .first = first};
    return keeper_do(g->keeper, do_claim, &job);
}

int guard_release_block(struct guard *g, uint16_t first)
{
    struct job job = {.g = g, .port = first};
    return keeper_do(g->keeper, do_release_block, &job);
}

const char *guard_error(const struct guard *g)
{
    return g->error;
}
