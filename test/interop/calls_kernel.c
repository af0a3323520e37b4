/* The table of calls, by the kernel's TCP. */
#include <string.h>
#include <unistd.h>

#include "calls.h"

static bool begin(const struct nstcp_options *options, char why[NSTCP_WHY_MAX])
{
    (void)options;
    (void)why;
    return true;
}

static int accept_from(int sock, struct sockaddr *addr, socklen_t *len)
{
    return accept(sock, addr, len);
}

static int bind_to(int sock, const struct sockaddr *addr, socklen_t len)
{
    return bind(sock, addr, len);
}

static int connect_to(int sock, const struct sockaddr *addr, socklen_t len)
{
    return connect(sock, addr, len);
}

static ssize_t send_quietly(int sock, const void *buf, size_t len, int flags)
{
    return send(sock, buf, len, flags | MSG_NOSIGNAL);
}

static int name_of(int sock, struct sockaddr *addr, socklen_t *len)
{
    return getsockname(sock, addr, len);
}

static int peer_of(int sock, struct sockaddr *addr, socklen_t *len)
{
    return getpeername(sock, addr, len);
}

static int control(int sock, int command, int arg)
{
    return fcntl(sock, command, arg);
}

static int end(int timeout_ms)
{
    (void)timeout_ms;
    return 0;
}

const struct calls calls_kernel = {
    "kernel", begin, socket,  bind_to, listen,     accept_from, connect_to, send_quietly, recv,
    shutdown, close, name_of, peer_of, setsockopt, getsockopt,  control,    poll,         end,
};

const struct calls *calls_named(const char *name)
{
    const struct calls *all[] = {&calls_kernel, &calls_nstcp};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    }
    return NULL;
}
