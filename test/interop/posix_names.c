/* Addresses and ports: bind, listen, accept, connect, getsockname, getpeername. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>

#include "posix.h"

static void sockname(const char *what, int sock)
{
    struct sockaddr_in in = {0};
    socklen_t len = sizeof in;
    errno = 0;
    int err = US(getsockname, sock, (struct sockaddr *)&in, &len);
    line(what, "%s", err ? result_text(err) : addr_text((struct sockaddr *)&in, len));
}

static void peername(const char *what, int sock)
{
    struct sockaddr_in in = {0};
    socklen_t len = sizeof in;
    errno = 0;
    int err = US(getpeername, sock, (struct sockaddr *)&in, &len);
    line(what, "%s", err ? result_text(err) : addr_text((struct sockaddr *)&in, len));
}

static int bind_to(int sock, const char *ip, uint16_t port)
{
    struct sockaddr_in at = addr_of(ip, port);
    return US(bind, sock, SA(at));
}

static int connect_to(int sock, const char *ip, uint16_t port)
{
    struct sockaddr_in to = addr_of(ip, port);
    return US(connect, sock, SA(to));
}

static void sockets(void)
{
    scenario("socket");
    static const struct {
        const char *name;
        int domain, type, protocol;
    } tried[] = {{"of family 77", 77, SOCK_STREAM, 0},
                 {"TCP", AF_INET, SOCK_STREAM, IPPROTO_TCP},
                 {"protocol UDP", AF_INET, SOCK_STREAM, IPPROTO_UDP},
                 {"IPv6", AF_INET6, SOCK_STREAM, 0},
                 {"non-blocking", AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0}};
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        errno = 0;
        int sock = US(socket, tried[i].domain, tried[i].type, tried[i].protocol);
        line(tried[i].name, "%s", sock < 0 ? result_text(sock) : "a socket");
        if (sock < 0)
            continue;
        RESULT("F_GETFL", US(fcntl, sock, F_GETFL, 0));
        must("close", US(close, sock));
    }
}

static void wrong_addresses(void)
{
    scenario("wrong address");
    int sock = our_socket();
    uint16_t port = fresh_port();
    struct sockaddr_in in = addr_of(us.ip, port);
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    RESULT("bind, short", US(bind, sock, (struct sockaddr *)&in, sizeof in - 1));
    RESULT("bind, IPv6", US(bind, sock, SA(in6)));
    RESULT("bind, not ours", bind_to(sock, "10.9.9.9", port));
    RESULT("connect, short", US(connect, sock, (struct sockaddr *)&in, sizeof in - 1));
    RESULT("connect, 1 octet", US(connect, sock, (struct sockaddr *)&in, 1));
    RESULT("connect, IPv6", US(connect, sock, SA(in6)));
    RESULT("connect, broadcast", connect_to(sock, "255.255.255.255", port));
    RESULT("connect, multicast", connect_to(sock, "224.0.0.1", port));
    int six = must("socket", US(socket, AF_INET6, SOCK_STREAM, 0));
    RESULT("bind IPv6 to IPv4", US(bind, six, SA(in)));
    RESULT("connect IPv6 to IPv4", US(connect, six, SA(in)));
    /* ip(7): AF_UNSPEC is taken for AF_INET beside INADDR_ANY only. */
    in.sin_family = AF_UNSPEC;
    in6.sin6_family = AF_UNSPEC;
    RESULT("bind, AF_UNSPEC", US(bind, sock, SA(in)));
    RESULT("bind IPv6, AF_UNSPEC", US(bind, six, SA(in6)));
    in.sin_addr.s_addr = INADDR_ANY;
    RESULT("bind, AF_UNSPEC, short", US(bind, sock, (struct sockaddr *)&in, sizeof in - 1));
    RESULT("bind, AF_UNSPEC, every address", US(bind, sock, SA(in)));
    sockname("its name", sock);
    must("close", US(close, six));
    must("close", US(close, sock));
}

static void binding(void)
{
    scenario("bind");
    uint16_t port = fresh_port();
    int a = our_socket(), b = our_socket(), c = our_socket();
    sockname("name of a new socket", a);
    RESULT("first", bind_to(a, us.ip, port));
    sockname("its name", a);
    RESULT("twice", bind_to(a, us.ip, fresh_port()));
    RESULT("same port", bind_to(b, us.ip, port));
    RESULT("same port, every address", bind_to(b, "0.0.0.0", port));
    RESULT("no port", bind_to(b, us.ip, 0));
    sockname("its name", b);
    RESULT("every address", bind_to(c, "0.0.0.0", fresh_port()));
    sockname("its name", c);
    must("close", US(close, a));
    a = our_socket();
    RESULT("free again", bind_to(a, us.ip, port));
    must("close", US(close, a));
    must("close", US(close, b));
    must("close", US(close, c));
}

static int reusing(void)
{
    int sock = our_socket();
    must("SO_REUSEADDR", set_int(sock, SOL_SOCKET, SO_REUSEADDR, 1));
    return sock;
}

static void sharing(void)
{
    scenario("SO_REUSEADDR");
    uint16_t port = fresh_port(), first, second;
    int one = their_listener(&first, 4), two = their_listener(&second, 4);
    int a = reusing(), b = reusing(), c = our_socket();
    RESULT("first", bind_to(a, us.ip, port));
    RESULT("second", bind_to(b, us.ip, port));
    RESULT("without", bind_to(c, us.ip, port));
    RESULT("connect", connect_to(a, them.ip, first));
    RESULT("connect from there to another", connect_to(b, them.ip, second));
    sockname("the one", a);
    sockname("the other", b);
    must("close", US(close, c));
    c = reusing();
    RESULT("third", bind_to(c, us.ip, port));
    RESULT("connect to the same", connect_to(c, them.ip, first));
    RESULT("listen", US(listen, c, 4));
    int d = reusing();
    RESULT("beside a listener", bind_to(d, us.ip, port));
    must("close", US(close, c));
    RESULT("after it", bind_to(d, us.ip, port));
    c = reusing();
    RESULT("every address", bind_to(c, "0.0.0.0", port));
    must("close", US(close, c));
    c = reusing();
    RESULT("two are bound", bind_to(c, us.ip, port));
    RESULT("one listens", US(listen, c, 4));
    RESULT("both listen", US(listen, d, 4));
    must("close", US(close, a));
    must("close", US(close, b));
    must("close", US(close, c));
    must("close", US(close, d));
    must("close", THEM(close, one));
    must("close", THEM(close, two));
}

static void connecting_from(void)
{
    scenario("connecting from a chosen end");
    uint16_t port;
    int listener = their_listener(&port, 4);
    static const struct {
        const char *name, *ip;
        bool with_port;
    } tried[] = {{"address and port", "10.0.0.1", true},
                 {"address", "10.0.0.1", false},
                 {"port", "0.0.0.0", true},
                 {"neither", "0.0.0.0", false}};
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        int sock = our_socket();
        RESULT(tried[i].name, bind_to(sock, tried[i].ip, tried[i].with_port ? fresh_port() : 0));
        RESULT("connect", connect_to(sock, them.ip, port));
        sockname("name", sock);
        peername("peer", sock);
        struct sockaddr_in in;
        socklen_t len = sizeof in;
        int theirs = must("accept", THEM(accept4, listener, (struct sockaddr *)&in, &len, 0));
        line("they see", "%s", addr_text((struct sockaddr *)&in, len));
        linger_of(&us, sock, 1, 0);
        must("close", US(close, sock));
        must("close", THEM(close, theirs));
    }
    must("close", THEM(close, listener));
}

static void wildcard(void)
{
    scenario("listening on every address");
    uint16_t port = fresh_port();
    int listener = our_socket();
    RESULT("bind", bind_to(listener, "0.0.0.0", port));
    RESULT("listen", US(listen, listener, 4));
    sockname("its name", listener);
    int client = must("connect", their_connect(us.ip, port));
    struct sockaddr_in in;
    socklen_t len = 5;
    memset(&in, 0xee, sizeof in);
    int sock = must("accept", US(accept4, listener, (struct sockaddr *)&in, &len, SOCK_NONBLOCK));
    line("room for 5 octets", "%u, of which the 6th is %02x", len, ((unsigned char *)&in)[5]);
    sockname("accepted", sock);
    peername("its peer", sock);
    RESULT("F_GETFL", US(fcntl, sock, F_GETFL, 0));
    len = 0;
    RESULT("getsockname, no room", US(getsockname, sock, (struct sockaddr *)&in, &len));
    line("length", "%u", len);
    len = (socklen_t)-1;
    RESULT("getsockname, length -1", US(getsockname, sock, (struct sockaddr *)&in, &len));
    len = (socklen_t)-1;
    RESULT("getpeername, length -1", US(getpeername, sock, (struct sockaddr *)&in, &len));
    must("close", US(close, sock));
    must("close", US(close, listener));
    must("close", THEM(close, client));
}

static void listening(void)
{
    scenario("listen");
    int sock = our_socket();
    RESULT("unbound", US(listen, sock, 4));
    sockname("its name", sock);
    struct sockaddr_in in;
    socklen_t len = sizeof in;
    must("getsockname", US(getsockname, sock, (struct sockaddr *)&in, &len));
    int client = must("connect", their_connect(us.ip, ntohs(in.sin_port)));
    await(&us, sock, POLLIN);
    poll_line("poll", sock);
    RESULT("shutdown WR", US(shutdown, sock, SHUT_WR));
    poll_line("poll", sock);
    RESULT("accept4, wrong flags", US(accept4, sock, NULL, NULL, 1));
    RESULT("shutdown RD", US(shutdown, sock, SHUT_RD));
    poll_line("poll", sock);
    RESULT("accept", US(accept4, sock, NULL, NULL, 0));
    await(&them, client, POLLERR);
    RESULT("they read", THEM(recv, client, &in, 1, 0));
    RESULT("listen again", US(listen, sock, 4));
    sockname("its name", sock);
    must("close", US(close, sock));
    must("close", THEM(close, client));
}

static void backlogs(void)
{
    scenario("backlog");
    uint16_t port;
    int listener = our_listener(&port, 4), clients[3];
    RESULT("listen with 10", US(listen, listener, 10));
    RESULT("listen with -1", US(listen, listener, -1));
    for (int i = 0; i < 3; i++) {
        clients[i] = must("connect", their_connect(us.ip, port));
        must("send", THEM(send, clients[i], &(char){(char)('a' + i)}, 1, 0));
    }
    for (int i = 0; i < 3; i++) {
        char c = 0;
        int sock = must("accept", US(accept4, listener, NULL, NULL, 0));
        must("recv", US(recv, sock, &c, 1, 0));
        line("accepted", "%c", c);
        must("close", US(close, sock));
        must("close", THEM(close, clients[i]));
    }
    nonblocking(listener, true);
    RESULT("nobody waits", US(accept4, listener, NULL, NULL, 0));
    clients[0] = must("connect", their_connect(us.ip, port));
    linger_of(&them, clients[0], 1, 0);
    must("close", THEM(close, clients[0]));
    await(&us, listener, POLLIN);
    int sock = must("accept", US(accept4, listener, NULL, NULL, 0));
    await(&us, sock, POLLERR);
    peername("of one that was reset", sock);
    RESULT("its recv", US(recv, sock, &(char){0}, 1, 0));
    must("close", US(close, sock));
    must("close", US(close, listener));
}

static void connecting(void)
{
    scenario("connect");
    uint16_t port;
    int listener = their_listener(&port, 4), sock = our_socket();
    RESULT("refused", connect_to(sock, them.ip, fresh_port()));
    sockname("name", sock);
    peername("peer", sock);
    RESULT("again", connect_to(sock, them.ip, port));
    RESULT("twice", connect_to(sock, them.ip, port));
    must("close", US(close, sock));
    sock = our_socket();
    nonblocking(sock, true);
    RESULT("O_NONBLOCK", connect_to(sock, them.ip, port));
    await(&us, sock, POLLOUT);
    poll_line("poll", sock);
    peername("peer", sock);
    RESULT("SO_ERROR", get_int(sock, SOL_SOCKET, SO_ERROR));
    RESULT("again", connect_to(sock, them.ip, port));
    RESULT("and again", connect_to(sock, them.ip, port));
    must("close", US(close, sock));
    for (int told = 0; told < 2; told++) {
        sock = our_socket();
        nonblocking(sock, true);
        RESULT("O_NONBLOCK, refused", connect_to(sock, them.ip, fresh_port()));
        await(&us, sock, POLLERR);
        poll_line("poll", sock);
        if (told)
            RESULT("SO_ERROR", get_int(sock, SOL_SOCKET, SO_ERROR));
        RESULT("again", connect_to(sock, them.ip, port));
        poll_line("poll", sock);
        RESULT("and again", connect_to(sock, them.ip, port));
        await(&us, sock, POLLOUT);
        RESULT("at last", connect_to(sock, them.ip, port));
        must("close", US(close, sock));
    }
    sock = our_socket();
    nonblocking(sock, true);
    struct sockaddr_in hole = black_hole();
    RESULT("no answer", US(connect, sock, SA(hole)));
    RESULT("no answer, again", US(connect, sock, SA(hole)));
    sockname("name", sock);
    peername("peer", sock);
    must("close", US(close, sock));
    must("close", THEM(close, listener));
}

void names(void)
{
    sockets();
    wrong_addresses();
    binding();
    sharing();
    connecting_from();
    wildcard();
    listening();
    backlogs();
    connecting();
}
