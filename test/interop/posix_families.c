/* Sockets of AF_INET6: beside IPv4's, instead of them, and with addresses of one link only. */
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "posix.h"

#define US_6   "fd00:0:0:1::1"
#define THEM_6 "fd00:0:0:2::1"
#define DEVICE "host1-veth1"

static struct sockaddr_in6 addr6_of(const char *ip, uint16_t port)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    must("address", inet_pton(AF_INET6, ip, &in6.sin6_addr) == 1 ? 0 : -1);
    return in6;
}

static int our_socket6(void)
{
    return must("socket", US(socket, AF_INET6, SOCK_STREAM, 0));
}

static int only(int sock, int on)
{
    return set_int(sock, IPPROTO_IPV6, IPV6_V6ONLY, on);
}

static int bind6(int sock, const char *ip, uint16_t port)
{
    struct sockaddr_in6 at = addr6_of(ip, port);
    return US(bind, sock, SA(at));
}

static int connect6(int sock, const char *ip, uint16_t port)
{
    struct sockaddr_in6 to = addr6_of(ip, port);
    return US(connect, sock, SA(to));
}

static void sockname(const char *what, int sock)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    errno = 0;
    int err = US(getsockname, sock, (struct sockaddr *)&at, &len);
    line(what, "%s", err ? result_text(err) : addr_text((struct sockaddr *)&at, len));
}

static void peername(const char *what, int sock)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    errno = 0;
    int err = US(getpeername, sock, (struct sockaddr *)&at, &len);
    line(what, "%s", err ? result_text(err) : addr_text((struct sockaddr *)&at, len));
}

static int their_listener6(uint16_t *port)
{
    *port = fresh_port();
    struct sockaddr_in6 at = addr6_of("::", *port);
    enter(&them);
    int sock = must("socket", THEM(socket, AF_INET6, SOCK_STREAM, 0));
    must("bind", THEM(bind, sock, SA(at)));
    must("listen", THEM(listen, sock, 4));
    enter(&us);
    return sock;
}

/* Whether they get through to our listeners, of which there may be one for each family: what it
 * gets then. */
static void they_try(int listener4, int listener6, uint16_t port)
{
    const struct sockaddr_in in = addr_of(us.ip, port);
    const struct sockaddr_in6 in6 = addr6_of(US_6, port);
    for (unsigned i = 0; i < 2; i++) {
        enter(&them);
        int theirs = must("socket", THEM(socket, i ? AF_INET6 : AF_INET, SOCK_STREAM, 0));
        errno = 0;
        int err = i ? THEM(connect, theirs, SA(in6)) : THEM(connect, theirs, SA(in));
        enter(&us);
        result(i ? "they connect, IPv6" : "they connect, IPv4", err);
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof from;
        int listener = i ? listener6 : listener4;
        if (err < 0) {
            must("close", THEM(close, theirs));
            continue;
        }
        nonblocking(listener, true);
        await(&us, listener, POLLIN);
        int sock = US(accept4, listener, (struct sockaddr *)&from, &len, 0);
        if (sock < 0) {
            RESULT("accept", sock);
        } else {
            line("accepted", "%s", addr_text((struct sockaddr *)&from, len));
            peername("its peer", sock);
            sockname("its name", sock);
            RESULT("IPV6_V6ONLY of it", get_int(sock, IPPROTO_IPV6, IPV6_V6ONLY));
            linger_of(&us, sock, 1, 0); /* no TIME-WAIT: in Linux that keeps the port */
            must("close", US(close, sock));
        }
        must("close", THEM(close, theirs));
    }
}

static void both(void)
{
    scenario("both families");
    for (int v6only = 0; v6only < 2; v6only++) {
        uint16_t port = fresh_port();
        int sock = our_socket6();
        RESULT("IPV6_V6ONLY set", only(sock, v6only));
        RESULT("bind", bind6(sock, "::", port));
        RESULT("listen", US(listen, sock, 4));
        sockname("name", sock);
        they_try(sock, sock, port);
        must("close", US(close, sock));
    }
    uint16_t port = fresh_port();
    int sock = our_socket6(); /* IPv4 by an IPv6 socket */
    RESULT("bind, mapped", bind6(sock, "::ffff:10.0.0.1", port));
    RESULT("listen", US(listen, sock, 4));
    sockname("name", sock);
    RESULT("IPV6_V6ONLY", get_int(sock, IPPROTO_IPV6, IPV6_V6ONLY));
    they_try(sock, sock, port);
    must("close", US(close, sock));
}

static void beside(void)
{
    scenario("beside each other");
    for (int v6only = 0; v6only < 2; v6only++) {
        for (int v4_first = 0; v4_first < 2; v4_first++) {
            uint16_t port = fresh_port();
            const struct sockaddr_in any = addr_of("0.0.0.0", port);
            int four = our_socket(), six = our_socket6();
            must("IPV6_V6ONLY", only(six, v6only));
            if (v4_first)
                RESULT("bind, IPv4", US(bind, four, SA(any)));
            RESULT("bind, IPv6", bind6(six, "::", port));
            if (!v4_first)
                RESULT("bind, IPv4", US(bind, four, SA(any)));
            if (v6only) {
                RESULT("listen, IPv4", US(listen, four, 4));
                RESULT("listen, IPv6", US(listen, six, 4));
                they_try(four, six, port);
                must("close", US(close, six));
                they_try(four, -1, port);
            } else {
                must("close", US(close, six));
            }
            must("close", US(close, four));
            /* The port is free for both again. */
            six = our_socket6();
            RESULT("bind again, both", bind6(six, "::", port));
            RESULT("listen again", US(listen, six, 4));
            they_try(six, six, port);
            must("close", US(close, six));
        }
    }
}

static void v6only(void)
{
    scenario("IPV6_V6ONLY");
    uint16_t port;
    int listener = their_listener6(&port), sock = our_socket6();
    RESULT("by default", get_int(sock, IPPROTO_IPV6, IPV6_V6ONLY));
    RESULT("set to 7", only(sock, 7));
    RESULT("read back", get_int(sock, IPPROTO_IPV6, IPV6_V6ONLY));
    RESULT("bind, mapped", bind6(sock, "::ffff:10.0.0.1", fresh_port()));
    RESULT("connect, mapped", connect6(sock, "::ffff:10.0.1.1", port));
    RESULT("set to 0", only(sock, 0));
    RESULT("bind, ours", bind6(sock, US_6, fresh_port()));
    RESULT("set when bound", only(sock, 0));
    RESULT("read back", get_int(sock, IPPROTO_IPV6, IPV6_V6ONLY));
    RESULT("connect, mapped", connect6(sock, "::ffff:10.0.1.1", port));
    RESULT("connect", connect6(sock, THEM_6, port));
    sockname("name", sock);
    peername("peer", sock);
    must("close", THEM(close, must("accept", THEM(accept4, listener, NULL, NULL, 0))));
    must("close", US(close, sock));
    sock = our_socket6();
    RESULT("bind, every address", bind6(sock, "::", fresh_port()));
    RESULT("set when bound", only(sock, 1));
    RESULT("connect, mapped", connect6(sock, "::ffff:10.0.1.1", port));
    sockname("name", sock);
    peername("peer", sock);
    RESULT("set when connected", only(sock, 1));
    must("close", THEM(close, must("accept", THEM(accept4, listener, NULL, NULL, 0))));
    must("close", US(close, sock));
    sock = our_socket6();
    RESULT("bind, mapped", bind6(sock, "::ffff:10.0.0.1", fresh_port()));
    RESULT("read back", get_int(sock, IPPROTO_IPV6, IPV6_V6ONLY));
    must("close", US(close, sock));
    sock = our_socket();
    RESULT("of an IPv4 socket", only(sock, 0));
    must("close", US(close, sock));
    must("close", THEM(close, listener));
}

/* Bound to IPv4 by an IPv6 socket: it does not go to IPv6. */
static void mapped(void)
{
    scenario("bound to a mapped address");
    uint16_t port;
    int listener = their_listener6(&port);
    static const char *const from[] = {"::ffff:0.0.0.0", "::ffff:10.0.0.1", "::", US_6};
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        for (int to6 = 0; to6 < 2; to6++) {
            int sock = our_socket6();
            RESULT(from[i], bind6(sock, from[i], fresh_port()));
            errno = 0;
            int err = connect6(sock, to6 ? THEM_6 : "::ffff:10.0.1.1", port);
            result(to6 ? "connect, IPv6" : "connect, mapped", err);
            sockname("name", sock);
            if (err == 0)
                must("close", THEM(close, must("accept", THEM(accept4, listener, NULL, NULL, 0))));
            must("close", US(close, sock));
        }
    }
    must("close", THEM(close, listener));
}

/* fe80::77 is ours, of the link to the router. */
static void link_local(void)
{
    scenario("link-local");
    must("address", system("ip addr add fe80::77/64 dev " DEVICE " nodad"));
    uint32_t zone = if_nametoindex(DEVICE);
    struct sockaddr_in6 at = addr6_of("fe80::77", fresh_port());
    int sock = our_socket6(), other = our_socket6();
    RESULT("bind, no link", US(bind, sock, SA(at)));
    at.sin6_scope_id = 99;
    RESULT("bind, no such link", US(bind, sock, SA(at)));
    at.sin6_scope_id = zone;
    RESULT("bind", US(bind, sock, SA(at)));
    sockname("name", sock);
    RESULT("bind, the same", US(bind, other, SA(at)));
    RESULT("IPV6_V6ONLY", get_int(sock, IPPROTO_IPV6, IPV6_V6ONLY));
    at.sin6_scope_id = 99;
    RESULT("connect, another link", US(connect, sock, SA(at)));
    at.sin6_scope_id = 0;
    RESULT("connect, no link", US(connect, our_socket6(), SA(at)));
    at = addr6_of(US_6, fresh_port());
    at.sin6_scope_id = zone; /* of no meaning */
    RESULT("bind, an address of every link", US(bind, other, SA(at)));
    sockname("name", other);
    RESULT("short by the link", US(connect, our_socket6(), (struct sockaddr *)&at, 24 - 1));
    must("close", US(close, sock));
    must("close", US(close, other));
    other = our_socket6();
    at = addr6_of(US_6, fresh_port());
    RESULT("bind, without a place for the link", US(bind, other, (struct sockaddr *)&at, 24));
    sockname("name", other);
    must("close", US(close, other));
}

void families(void)
{
    link_local();
    both();
    beside();
    v6only();
    mapped();
}
