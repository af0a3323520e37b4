/* Every call in every state that a socket can be in. */
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "posix.h"

static char buf[8];

/* ---- The states: each makes a socket of ours, non-blocking, and perhaps one of theirs ---- */

static struct joined in_new(void)
{
    return (struct joined){our_socket(), -1};
}

static struct joined in_bound(void)
{
    struct joined j = in_new();
    struct sockaddr_in at = addr_of(us.ip, fresh_port());
    must("bind", US(bind, j.ours, SA(at)));
    return j;
}

static struct joined in_listening(void)
{
    uint16_t port;
    return (struct joined){our_listener(&port, 4), -1};
}

static struct joined in_connecting(void)
{
    struct joined j = in_new();
    struct sockaddr_in to = black_hole();
    nonblocking(j.ours, true);
    US(connect, j.ours, SA(to));
    return j;
}

static struct joined in_peer_closed(void)
{
    struct joined j = join();
    they_close(j);
    return j;
}

static struct joined in_peer_closed_unread(void)
{
    struct joined j = join();
    they_send(j, 3);
    they_close(j);
    return j;
}

static struct joined in_unread(void)
{
    struct joined j = join();
    they_send(j, 3);
    return j;
}

/* "ab" and, with MSG_OOB, "C", out of band. */
static struct joined in_urgent(void)
{
    struct joined j = join();
    they_send_text(j, "abC", MSG_OOB);
    return j;
}

static struct joined in_urgent_in_line(void)
{
    struct joined j = in_urgent();
    must("SO_OOBINLINE", set_int(j.ours, SOL_SOCKET, SO_OOBINLINE, 1));
    return j;
}

static struct joined in_mark(void)
{
    struct joined j = in_urgent();
    must("recv", US(recv, j.ours, buf, 2, 0));
    return j;
}

static struct joined in_mark_taken(void)
{
    struct joined j = in_mark();
    must("recv", US(recv, j.ours, buf, 1, MSG_OOB));
    return j;
}

static struct joined in_mark_peer_closed(void)
{
    struct joined j = in_mark();
    they_close(j);
    return j;
}

static struct joined in_mark_reset(void)
{
    struct joined j = in_mark();
    they_reset(&j);
    return j;
}

static struct joined in_shut_wr(void)
{
    struct joined j = join();
    must("shutdown", US(shutdown, j.ours, SHUT_WR));
    await(&them, j.theirs, POLLRDHUP);
    await_state(j.ours, TCP_FIN_WAIT2);
    return j;
}

static struct joined in_shut_rd(void)
{
    struct joined j = join();
    must("shutdown", US(shutdown, j.ours, SHUT_RD));
    return j;
}

static struct joined in_shut_rdwr(void)
{
    struct joined j = join();
    must("shutdown", US(shutdown, j.ours, SHUT_RDWR));
    await(&them, j.theirs, POLLRDHUP);
    await_state(j.ours, TCP_FIN_WAIT2);
    return j;
}

static struct joined in_peer_closed_shut_wr(void)
{
    struct joined j = in_peer_closed();
    must("shutdown", US(shutdown, j.ours, SHUT_WR));
    await_state(j.ours, TCP_CLOSE);
    return j;
}

static struct joined in_shut_wr_peer_closed(void)
{
    struct joined j = in_shut_wr();
    they_close(j);
    await_state(j.ours, TCP_CLOSE);
    return j;
}

static struct joined in_reset(void)
{
    struct joined j = join();
    they_reset(&j);
    return j;
}

static struct joined in_reset_unread(void)
{
    struct joined j = in_unread();
    they_reset(&j);
    return j;
}

static struct joined in_reset_told(void)
{
    struct joined j = in_reset();
    get_int(j.ours, SOL_SOCKET, SO_ERROR);
    return j;
}

/* The peer's program is gone: what we send is answered with RST. */
static struct joined in_reset_peer_closed(void)
{
    struct joined j = join();
    must("close", THEM(close, j.theirs));
    j.theirs = -1;
    await(&us, j.ours, POLLRDHUP);
    must("send", US(send, j.ours, "x", 1, 0));
    await(&us, j.ours, POLLERR);
    return j;
}

static struct joined in_refused(void)
{
    struct joined j = in_new();
    struct sockaddr_in to = addr_of(them.ip, fresh_port());
    nonblocking(j.ours, true);
    US(connect, j.ours, SA(to));
    await(&us, j.ours, POLLERR);
    return j;
}

static struct joined in_refused_told(void)
{
    struct joined j = in_refused();
    get_int(j.ours, SOL_SOCKET, SO_ERROR);
    return j;
}

static struct joined in_refused_waiting(void)
{
    struct joined j = in_new();
    struct sockaddr_in to = addr_of(them.ip, fresh_port());
    US(connect, j.ours, SA(to));
    return j;
}

static struct joined in_dissolved(void)
{
    struct joined j = join();
    const struct sockaddr none = {.sa_family = AF_UNSPEC};
    must("connect", US(connect, j.ours, SA(none)));
    get_int(j.ours, SOL_SOCKET, SO_ERROR);
    return j;
}

static struct joined in_listener_shut(void)
{
    struct joined j = in_listening();
    must("shutdown", US(shutdown, j.ours, SHUT_RD));
    return j;
}

static struct joined in_closed(void)
{
    struct joined j = in_new();
    must("close", US(close, j.ours));
    return j;
}

static const struct {
    const char *name;
    struct joined (*make)(void);
} states[] = {
    {"new", in_new},
    {"bound", in_bound},
    {"listening", in_listening},
    {"listener shut down", in_listener_shut},
    {"connecting", in_connecting},
    {"connected", join},
    {"unread", in_unread},
    {"peer closed", in_peer_closed},
    {"peer closed, unread", in_peer_closed_unread},
    {"urgent", in_urgent},
    {"urgent in line", in_urgent_in_line},
    {"at the mark", in_mark},
    {"at the mark, taken", in_mark_taken},
    {"at the mark, peer closed", in_mark_peer_closed},
    {"at the mark, reset", in_mark_reset},
    {"shut down WR", in_shut_wr},
    {"shut down RD", in_shut_rd},
    {"shut down RDWR", in_shut_rdwr},
    {"peer closed, shut down WR", in_peer_closed_shut_wr},
    {"shut down WR, peer closed", in_shut_wr_peer_closed},
    {"reset", in_reset},
    {"reset, unread", in_reset_unread},
    {"reset, told", in_reset_told},
    {"reset after peer closed", in_reset_peer_closed},
    {"refused", in_refused},
    {"refused, told", in_refused_told},
    {"refused while waiting", in_refused_waiting},
    {"dissolved", in_dissolved},
    {"closed", in_closed},
};

/* ---- The calls: each returns what is to be printed ---- */

static int64_t do_fcntl(int s)
{
    return US(fcntl, s, 1000, 0); /* not a command */
}

static int64_t do_ioctl(int s)
{
    return US(ioctl, s, 0x54ff, &(int){0}); /* not a request */
}

static int64_t do_bind(int s)
{
    struct sockaddr_in at = addr_of(us.ip, fresh_port());
    return US(bind, s, SA(at));
}

static int64_t do_listen(int s)
{
    return US(listen, s, 4);
}

static int64_t do_accept(int s)
{
    return US(accept4, s, NULL, NULL, 0);
}

static int64_t do_connect(int s)
{
    struct sockaddr_in to = black_hole();
    return US(connect, s, SA(to));
}

static int64_t do_dissolve(int s)
{
    const struct sockaddr none = {.sa_family = AF_UNSPEC};
    return US(connect, s, SA(none));
}

static int64_t do_send(int s)
{
    return US(send, s, "x", 1, 0);
}

static int64_t do_send_0(int s)
{
    return US(send, s, "x", 0, 0);
}

static int64_t do_send_oob(int s)
{
    return US(send, s, "x", 1, MSG_OOB);
}

static int64_t do_sendmsg(int s)
{
    struct iovec iov[] = {{buf, 1}, {NULL, 0}, {buf, 2}};
    const struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 3};
    return US(sendmsg, s, &msg, 0);
}

static int64_t do_recv(int s)
{
    return US(recv, s, buf, 8, 0);
}

static int64_t do_recv_0(int s)
{
    return US(recv, s, buf, 0, 0);
}

static int64_t do_recv_peek(int s)
{
    return US(recv, s, buf, 2, MSG_PEEK);
}

static int64_t do_recv_all(int s)
{
    return US(recv, s, buf, 8, MSG_WAITALL);
}

static int64_t do_recv_oob(int s)
{
    return US(recv, s, buf, 8, MSG_OOB);
}

static int64_t do_recv_trunc(int s)
{
    return US(recv, s, NULL, 2, MSG_TRUNC);
}

static int64_t do_recvmsg(int s)
{
    struct iovec iov[] = {{buf, 1}, {buf + 1, 1}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
    return US(recvmsg, s, &msg, 0);
}

static int64_t do_shutdown_rd(int s)
{
    return US(shutdown, s, SHUT_RD);
}

static int64_t do_shutdown_wr(int s)
{
    return US(shutdown, s, SHUT_WR);
}

static int64_t do_shutdown_rdwr(int s)
{
    return US(shutdown, s, SHUT_RDWR);
}

static int64_t do_shutdown_wrong(int s)
{
    return US(shutdown, s, 77);
}

static int64_t do_getpeername(int s)
{
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    return US(getpeername, s, (struct sockaddr *)&peer, &len);
}

static int64_t do_error(int s)
{
    return get_int(s, SOL_SOCKET, SO_ERROR);
}

static int64_t do_info(int s)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    return US(getsockopt, s, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 ? -1 : info.tcpi_state;
}

static int64_t do_fionread(int s)
{
    int n = 0;
    return US(ioctl, s, FIONREAD, &n) < 0 ? -1 : n;
}

static int64_t do_siocatmark(int s)
{
    int n = 0;
    return US(ioctl, s, SIOCATMARK, &n) < 0 ? -1 : n;
}

static int64_t do_siocoutq(int s)
{
    int n = 0;
    return US(ioctl, s, SIOCOUTQ, &n) < 0 ? -1 : n;
}

static int64_t do_ip_mtu(int s)
{
    return get_int(s, IPPROTO_IP, IP_MTU);
}

static int64_t do_acceptconn(int s)
{
    return get_int(s, SOL_SOCKET, SO_ACCEPTCONN);
}

static int64_t do_nodelay(int s)
{
    return set_int(s, IPPROTO_TCP, TCP_NODELAY, 1);
}

static const struct {
    const char *name;
    int64_t (*make)(int sock);
} tried[] = {
    {"fcntl 1000", do_fcntl},
    {"ioctl 0x54ff", do_ioctl},
    {"bind", do_bind},
    {"listen", do_listen},
    {"accept", do_accept},
    {"connect", do_connect},
    {"connect AF_UNSPEC", do_dissolve},
    {"send", do_send},
    {"send of 0 octets", do_send_0},
    {"send MSG_OOB", do_send_oob},
    {"sendmsg", do_sendmsg},
    {"recv", do_recv},
    {"recv of 0 octets", do_recv_0},
    {"recv MSG_PEEK", do_recv_peek},
    {"recv MSG_WAITALL", do_recv_all},
    {"recv MSG_OOB", do_recv_oob},
    {"recv MSG_TRUNC", do_recv_trunc},
    {"recvmsg", do_recvmsg},
    {"shutdown RD", do_shutdown_rd},
    {"shutdown WR", do_shutdown_wr},
    {"shutdown RDWR", do_shutdown_rdwr},
    {"shutdown 77", do_shutdown_wrong},
    {"getpeername", do_getpeername},
    {"SO_ERROR", do_error},
    {"TCP_INFO state", do_info},
    {"FIONREAD", do_fionread},
    {"SIOCATMARK", do_siocatmark},
    {"SIOCOUTQ", do_siocoutq},
    {"IP_MTU", do_ip_mtu},
    {"SO_ACCEPTCONN", do_acceptconn},
    {"TCP_NODELAY", do_nodelay},
};

/* A call in a state, what poll says before and after it, and the error left behind. */
static void try_call(size_t state, size_t call)
{
    struct joined j = states[state].make();
    if (states[state].make != in_closed)
        nonblocking(j.ours, true);
    char before[80], after[80];
    strcpy(before, events_text(our_events(j.ours)));
    errno = 0;
    char text[24];
    strcpy(text, result_text(tried[call].make(j.ours)));
    strcpy(after, events_text(our_events(j.ours)));
    const char *left = strerrorname_np(get_int(j.ours, SOL_SOCKET, SO_ERROR));
    line(tried[call].name, "%s (before: %s; after: %s; error left: %s)", text, before, after,
         left ? left : "unknown");
    if (j.theirs >= 0) {
        linger_of(&them, j.theirs, 1, 0);
        THEM(close, j.theirs);
    }
    US(close, j.ours);
}

void matrix(void)
{
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        scenario(states[i].name);
        for (size_t k = 0; k < sizeof tried / sizeof *tried; k++)
            try_call(i, k);
    }
}
