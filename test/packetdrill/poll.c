/* poll(2) over what descriptors stand for: sockets by nstcp_poll, pipes by the kernel's. */
#include <errno.h>
#include <stdlib.h>

#include "object.h"

/* What is to be asked of the stack; the others' revents, and how many have some. */
static int sort_out(struct object *o, struct pollfd *fds, struct pollfd *socks, nfds_t n)
{
    int ready = 0;
    for (nfds_t i = 0; i < n; i++) {
        struct fd_entry e = fds_find(&o->fds, fds[i].fd);
        socks[i] = (struct pollfd){-1, fds[i].events, 0};
        fds[i].revents = 0;
        if (e.kind == FD_SOCKET)
            socks[i].fd = e.sock;
        else if (e.kind == FD_PIPE)
            poll(&fds[i], 1, 0);
        else if (fds[i].fd >= 0)
            fds[i].revents = POLLNVAL;
        ready += fds[i].revents != 0;
    }
    return ready;
}

/* With something ready that is no socket the sockets are not waited for. */
static int call_poll(void *u, struct pollfd *fds, nfds_t n, int timeout_ms)
{
    struct object *o = object_enter(u);
    struct pollfd *socks = calloc(n ? n : 1, sizeof *socks);
    if (!socks) {
        errno = ENOMEM;
        return -1;
    }
    int others = sort_out(o, fds, socks, n);
    int ready = nstcp_poll(o->stack, socks, n, others ? 0 : timeout_ms);
    for (nfds_t i = 0; i < n; i++) {
        if (socks[i].fd >= 0)
            fds[i].revents = socks[i].revents;
    }
    free(socks);
    return ready < 0 ? ready : ready + others;
}

void poll_fill(struct packetdrill_interface *table)
{
    table->poll = call_poll;
}
