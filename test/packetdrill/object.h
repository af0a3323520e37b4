/* The object behind packetdrill's table: one stack, its descriptors, what it was told. Shared by
 * the files that implement the table. */
#ifndef OBJECT_H
#define OBJECT_H

#include "api_priv.h"
#include "fds.h"
#include "flags.h"
#include "interface.h"
#include "list.h"
#include "runtime_virtual.h"
#include "settings.h"

struct object {
    struct nstcp *stack;
    struct fds fds;
    struct so_flags flags;
    struct sysctls at_load;
    struct list epolls; /* of struct epoll */
};

/* The object of a call's first argument. The calling thread is in a call of the script's from now
 * on; see virtual_enter. */
static inline struct object *object_enter(void *u)
{
    struct object *o = u;
    virtual_enter(o->stack->rt);
    return o;
}

/* Each fills in its part of the table. */
void calls_fill(struct packetdrill_interface *table);    /* calls.c: sockets */
void transfer_fill(struct packetdrill_interface *table); /* transfer.c: read, write and their kin */
void options_fill(struct packetdrill_interface *table); /* options.c: getsockopt, setsockopt, ... */
void poll_fill(struct packetdrill_interface *table);    /* poll.c */
void epoll_fill(struct packetdrill_interface *table);   /* epoll.c */
void splice_fill(struct packetdrill_interface *table);  /* splice.c: pipe, splice */

/* calls.c: closes what the descriptor stands for, as the callback does. */
int object_close(struct object *o, int fd);

/* options.c: getsockopt, for the script and for its Python code. */
int object_getsockopt(struct object *o, int fd, int level, int name, void *value, socklen_t *len);

/* epoll.c */

/* The socket is going to be closed: no epoll watches it any more. */
void epoll_forget(struct object *o, int fd);

/* Something was written to the socket: whoever waits for room in it with EPOLLET has an edge before
 * himself when there is none left. */
void epoll_written(struct object *o, int fd);

void epoll_close(struct object *o, struct epoll *epoll);
struct epoll *epoll_of(struct list *node); /* in object.epolls */

#endif
