/*
 * Holding a port by an ordinary kernel socket: bound, never listening (socket(7), ip(7), tcp(7)).
 *
 * Such a socket makes bind() fail for every other program, whatever options that one sets, as long
 * as ours does not have SO_REUSEADDR itself.
 */
#include "hold.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "zone.h"

static int set_int(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

static int bind_plain(int fd, const struct sockaddr *sa, socklen_t len)
{
    return bind(fd, sa, len) < 0 ? -errno : 0;
}

/* Binds fd, which has no SO_REUSEADDR. */
static int bind_alone(int fd, const struct sockaddr *sa, socklen_t len)
{
    int err = bind_plain(fd, sa, len);
    if (err != -EADDRINUSE)
        return err;
    /*
     * Perhaps only connections in TIME-WAIT are in the way, which SO_REUSEADDR overlooks (as it
     * does living ones whose listener has left: whoever names the port has to know them). Cleared
     * afterwards, so that nobody can do to us what we did. Between the two calls another program
     * that tries the same could get in as well; that is why it is not the first attempt.
     */
    err = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (err == 0)
        err = bind_plain(fd, sa, len);
    if (err == 0)
        err = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 0);
    return err;
}

typedef int bind_fn(int fd, const struct sockaddr *sa, socklen_t len);

static int hold(const struct sockaddr *sa, socklen_t len, bool only_v6, bool freebind,
                bind_fn *bind_it)
{
    int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0)
        return -errno;
    int err = 0;
    if (sa->sa_family == AF_INET6)
        err = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, only_v6);
    if (err == 0 && freebind)
        err = set_int(fd, IPPROTO_IP, IP_FREEBIND, 1);
    if (err == 0)
        err = bind_it(fd, sa, len);
    if (err == 0)
        return fd;
    close(fd);
    return err;
}

/* An address that a connection over a link can have. The kernel would bind the others as well. */
static bool usable(const struct in6_addr *a)
{
    if (!IN6_IS_ADDR_V4MAPPED(a))
        return !IN6_IS_ADDR_MULTICAST(a) && !IN6_IS_ADDR_LOOPBACK(a);
    uint32_t v4 = ntohl(a->s6_addr32[3]);
    return v4 == INADDR_ANY || (v4 >> 24 != 0 && v4 >> 24 != 127 && v4 >> 28 < 14);
}

int port_hold(const struct in6_addr *addr, uint16_t port, bool freebind)
{
    if (!usable(addr))
        return -EADDRNOTAVAIL;
    if (IN6_IS_ADDR_V4MAPPED(addr)) {
        struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
        sin.sin_addr.s_addr = addr->s6_addr32[3];
        return hold((const struct sockaddr *)&sin, sizeof sin, false, freebind, bind_alone);
    }
    struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6,
                                .sin6_port = htons(port),
                                .sin6_addr = zone_cut(addr),
                                .sin6_scope_id = zone_of(addr)};
    return hold((const struct sockaddr *)&sin6, sizeof sin6, true, freebind, bind_alone);
}

/* The lock is a name in the abstract namespace of unix(7): there is one for each network namespace,
 * and a name goes with the socket, however the process ends. */
int address_hold(const struct in6_addr *addr)
{
    static const char prefix[] = "nstcp/";
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    char *name = sun.sun_path + 1;
    memcpy(name, prefix, sizeof prefix);
    inet_ntop(AF_INET6, addr, name + sizeof prefix - 1, INET6_ADDRSTRLEN);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int err = bind_plain(fd, (const struct sockaddr *)&sun, len);
    if (err == 0)
        return fd;
    close(fd);
    return err;
}

int port_hold_everywhere(uint16_t port)
{
    struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int fd = hold((const struct sockaddr *)&sin6, sizeof sin6, false, false, bind_plain);
    if (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL)
        return fd;
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
    return hold((const struct sockaddr *)&sin, sizeof sin, false, false, bind_plain);
}
