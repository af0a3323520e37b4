/*
 * nstcp for packetdrill: packetdrill_interface_init and the calls that move packets and time.
 *
 * Two things of a script go to the C library instead of to the table: at its end close(2) of the
 * descriptors that are open, and getsockopt(2) for its Python code. Where whoever runs packetdrill
 * has preloaded what catches them (preload.c does), pd_register is there to be told where they are
 * to go.
 */
#include "interface.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "host_any.h"
#include "link_queue.h"
#include "object.h"
#include "preload.h"

/* The one that the calls by way of pd_register, which have no argument for it, belong to. */
static struct object *registered;

static int registered_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    return object_getsockopt(registered, fd, level, name, value, len);
}

static int registered_close(int fd)
{
    return object_close(registered, fd);
}

/* The preloaded library's, or NULL. */
static pd_register_fn *find_register(void)
{
    pd_register_fn *fn;
    *(void **)&fn = dlsym(RTLD_DEFAULT, "pd_register");
    return fn;
}

static void object_free(void *u)
{
    struct object *o = u;
    while (!list_empty(&o->epolls))
        epoll_close(o, epoll_of(o->epolls.next));
    nstcp_destroy(o->stack, 0);
    fds_finish(&o->fds);
    if (registered == o)
        registered = NULL;
    free(o);
}

static int object_netdev_send(void *u, const void *packet, size_t len)
{
    struct object *o = u;
    virtual_input(o->stack->rt, packet, len);
    return 0;
}

/* A length of 0 is a broken packet to packetdrill, which fails at once; at -1 it would ask again
 * for ever. */
static int object_netdev_receive(void *u, void *buf, size_t *len, long long *time_us)
{
    struct object *o = u;
    uint64_t us;
    size_t got;
    if (!virtual_output(o->stack->rt, buf, *len, &got, &us)) {
        *len = 0;
        *time_us = (long long)virtual_time_us(o->stack->rt);
        return 0;
    }
    *len = got;
    *time_us = (long long)us;
    return 0;
}

static int object_usleep(void *u, useconds_t us)
{
    struct object *o = u;
    virtual_sleep(o->stack->rt, us);
    return 0;
}

static int object_gettimeofday(void *u, struct timeval *tv, struct timezone *tz)
{
    struct object *o = u;
    (void)tz;
    uint64_t us = virtual_time_us(o->stack->rt);
    *tv = (struct timeval){(time_t)(us / 1000000), (suseconds_t)(us % 1000000)};
    return 0;
}

static void make_stack(struct object *o)
{
    const struct so_flags *f = &o->flags;
    struct link *link = link_queue_create(f->mtu);
    struct host *host = host_any_create(f->has_v4 ? &f->v4 : NULL, f->has_v6 ? &f->v6 : NULL);
    char why[NSTCP_WHY_MAX] = "no memory";
    if (!link || !host || nstcp_create_on(&o->stack, NULL, link, host, why) < 0) {
        fprintf(stderr, "nstcp: %s\n", why);
        exit(2);
    }
}

/* packetdrill has no way to be told of a failure: the process ends. */
void packetdrill_interface_init(const char *flags, struct packetdrill_interface *table)
{
    struct object *o = calloc(1, sizeof *o);
    char why[FLAGS_WHY_MAX];
    if (!o) {
        fputs("nstcp: no memory\n", stderr);
        exit(2);
    }
    if (!so_flags_read(flags, &o->flags, why)) {
        fprintf(stderr, "nstcp: --so_flags: %s\n", why);
        exit(2);
    }
    make_stack(o);
    sysctls_read(&o->at_load);
    list_init(&o->epolls);
    pd_register_fn *tell = find_register();
    fds_init(&o->fds, tell != NULL);
    registered = o;
    if (tell)
        tell(registered_getsockopt, registered_close);

    table->userdata = o;
    table->free = object_free;
    table->netdev_send = object_netdev_send;
    table->netdev_receive = object_netdev_receive;
    table->usleep = object_usleep;
    table->gettimeofday = object_gettimeofday;
    calls_fill(table);
    transfer_fill(table);
    options_fill(table);
    poll_fill(table);
    epoll_fill(table);
    splice_fill(table);
}
