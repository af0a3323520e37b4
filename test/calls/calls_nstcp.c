/* The table of calls, by nstcp. */
#include "calls.h"

#include <nstcp.h>
#include <stdio.h>

static bool begin(struct nstcp **stack, const struct nstcp_options *options)
{
    char why[NSTCP_WHY_MAX];
    if (nstcp_create(stack, options, why) == 0)
        return true;
    fprintf(stderr, "nstcp: %s\n", why);
    return false;
}

const struct calls calls_nstcp = {
    .name = "nstcp",
    .begin = begin,
    .end = nstcp_destroy,
    .socket = nstcp_socket,
    .bind = nstcp_bind,
    .listen = nstcp_listen,
    .accept4 = nstcp_accept4,
    .connect = nstcp_connect,
    .send = nstcp_send,
    .recv = nstcp_recv,
    .sendmsg = nstcp_sendmsg,
    .recvmsg = nstcp_recvmsg,
    .shutdown = nstcp_shutdown,
    .close = nstcp_close,
    .getsockname = nstcp_getsockname,
    .getpeername = nstcp_getpeername,
    .setsockopt = nstcp_setsockopt,
    .getsockopt = nstcp_getsockopt,
    .fcntl = nstcp_fcntl,
    .ioctl = nstcp_ioctl,
    .poll = nstcp_poll,
    .reserve = nstcp_reserve,
    .commit = nstcp_commit,
    .borrow = nstcp_borrow,
    .release = nstcp_release,
};
