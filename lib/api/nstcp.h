/*
 * nstcp: TCP in user space, with calls in the shape of POSIX's sockets.
 *
 * A program makes a stack, opens sockets in it, and ends the stack:
 *
 *     struct nstcp *stack;
 *     char why[NSTCP_WHY_MAX];
 *     if (nstcp_create(&stack, NULL, why) < 0)
 *         errx(1, "%s", why);
 *     int sock = nstcp_socket(stack, AF_INET, SOCK_STREAM, 0);
 *     ...
 *     nstcp_destroy(stack, 5000);
 *
 * Every call is its namesake of POSIX with the stack as first argument, and does what the named
 * man page says; here stands what is different or worth saying. Calls that fail return -1 and set
 * errno. Sockets are small positive ints that mean something to their stack only: no descriptor of
 * the kernel's, not for read(2), poll(2) or close(2).
 *
 * Errors of every call on a socket, besides its own: EBADF (no such socket; also when another
 * thread closes it during the call), ESHUTDOWN (nstcp_stop).
 *
 * Threads: all calls are thread-safe, on one socket too, except where "Threads:" says more. No call
 * is a cancellation point, none may be made from a signal handler, and none is interrupted by one
 * (no EINTR). After fork() the child may use none of the parent's stacks, not even nstcp_destroy.
 *
 * Blocking: a call waits only where it says "waits", and not when the socket is non-blocking
 * (O_NONBLOCK) or the call has MSG_DONTWAIT; then it fails with EAGAIN instead.
 *
 * The library prints nothing, ends no process, handles no signal (there is no SIGPIPE), and keeps
 * nothing outside its stacks. A stack has one thread of its own.
 */
#ifndef NSTCP_H
#define NSTCP_H

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct nstcp;

/* All zero: the defaults. */
struct nstcp_options {
    /* A descriptor to which every segment, state change, retransmission and event is written, a
     * line each; 0: none. The stack waits for whoever reads it; a line that can't be written is
     * lost. It stays the caller's and must stay open as long as the stack. */
    int trace_fd;
    size_t memory_max;        /* octets for connections and their queues; 0: 1 GiB */
    unsigned max_sockets;     /* listeners and connections, TIME-WAIT included; 0: 65536 */
    unsigned msl_ms;          /* maximum segment lifetime, of which TIME-WAIT lasts two; 0: 30 s */
    unsigned user_timeout_ms; /* without an answer for so long a connection fails; 0: 5 min */
};

#define NSTCP_WHY_MAX 256

/* Makes a stack in the calling thread's network namespace, where it stays. options: NULL for the
 * defaults; not kept. why: NULL, or room for a sentence on what failed and why. Needs CAP_NET_RAW
 * and CAP_NET_ADMIN there: EPERM. ENOMEM, EMFILE; others of the kernel. The caller owns the stack.
 */
int nstcp_create(struct nstcp **stack, const struct nstcp_options *options,
                 char why[NSTCP_WHY_MAX]);

/* Makes all calls on the stack fail with ESHUTDOWN from now on, those that wait at once; except
 * nstcp_close and nstcp_destroy. Nothing is sent. To end the threads of a program before the stack.
 */
void nstcp_stop(struct nstcp *stack);

/* Closes all sockets, waits until the peers have acknowledged all that was sent and the FINs, for
 * sockets closed earlier too, and frees the stack. What is not acknowledged after timeout_ms is
 * reset, and -1 with ETIMEDOUT returned; the stack is gone all the same. timeout_ms < 0: no limit.
 * stack may be NULL.
 *
 * TIME-WAIT ends with the stack: a peer that did not get our last ACK is answered with RST, by the
 * kernel.
 *
 * Threads: calls of other threads that are under way end with ESHUTDOWN, and are waited for; none
 * may begin. nstcp_stop and joining the threads before is the way to be sure. */
int nstcp_destroy(struct nstcp *stack, int timeout_ms);

/* socket(2). domain: AF_INET or AF_INET6 (for both families: IPv4 peers are ::ffff:a.b.c.d). type:
 * SOCK_STREAM, with SOCK_NONBLOCK or without; SOCK_CLOEXEC changes nothing. protocol: 0 or
 * IPPROTO_TCP. EAFNOSUPPORT, EPROTONOSUPPORT, EMFILE (max_sockets), ENOMEM. */
int nstcp_socket(struct nstcp *stack, int domain, int type, int protocol);

/* bind(2). Takes the port from the kernel and all other programs until the stack is destroyed. Port
 * 0: a free one, see nstcp_getsockname. As if SO_REUSEADDR were set: connections in TIME-WAIT are
 * no hindrance. EADDRINUSE, EADDRNOTAVAIL (not an address of this host, or a loopback address),
 * EACCES (port below 1024), EINVAL (bound already), EAFNOSUPPORT. May take milliseconds.
 *
 * With IP_FREEBIND or IPV6_FREEBIND (ip(7)) the address need not be this host's. One of a network
 * that this host is on, which nobody has, becomes the stack's own until nstcp_destroy, with all its
 * ports: it answers ARP, neighbour discovery and echo requests (ping) of one packet's size, the
 * kernel sees nothing that arrives for it, and any socket of the stack may be bound to it. This
 * host itself can't reach it. Waits 0.3 s for a host that has the address. EADDRINUSE: there is
 * one, or another stack has it. EADDRNOTAVAIL: on none of our networks, or a loopback, multicast or
 * broadcast address. */
int nstcp_bind(struct nstcp *stack, int sock, const struct sockaddr *addr, socklen_t len);

/* listen(2). backlog: connections that wait for nstcp_accept; further ones have to try again.
 * EDESTADDRREQ (not bound), EINVAL (connected), EADDRINUSE, ENOMEM. */
int nstcp_listen(struct nstcp *stack, int sock, int backlog);

/* accept(2). Waits for a connection; SO_RCVTIMEO. The new socket blocks. addr may be NULL.
 * EINVAL (not listening), EMFILE, ENOMEM: the connection goes on waiting. */
int nstcp_accept(struct nstcp *stack, int sock, struct sockaddr *addr, socklen_t *len);

/* connect(2). Waits until the connection is open or has failed; SO_SNDTIMEO. Non-blocking, or at
 * the timeout: EINPROGRESS, and nstcp_poll tells of the end by POLLOUT; then SO_ERROR or a second
 * nstcp_connect has the result. ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, EACCES (ICMP:
 * prohibited; an unreachable host or net is what the timeout is called then, RFC 9293 3.9.2.2),
 * EADDRNOTAVAIL (an address of this host itself, which can't be reached yet; not an address to
 * connect to; or no ephemeral port left), EADDRINUSE, EALREADY, EISCONN, EAFNOSUPPORT. After a
 * failure the socket may be used to connect again. The first of a stack may take milliseconds. */
int nstcp_connect(struct nstcp *stack, int sock, const struct sockaddr *addr, socklen_t len);

/* send(2). Copies len octets into the send queue; waits for room in it, SO_SNDTIMEO. The octets
 * taken: all of them, or fewer at the timeout, at an error, or when it must not wait. buf is not
 * used after return. flags: MSG_DONTWAIT; MSG_NOSIGNAL and MSG_MORE change nothing; others
 * EOPNOTSUPP. EPIPE, ENOTCONN, and once ECONNRESET, ETIMEDOUT. Threads: pieces of two sends on one
 * socket that both have to wait may alternate. */
ssize_t nstcp_send(struct nstcp *stack, int sock, const void *buf, size_t len, int flags);

/* recv(2). Waits for the first octet, with MSG_WAITALL for all; SO_RCVTIMEO. The octets copied; 0
 * at the end, when the peer has closed. flags: MSG_DONTWAIT, MSG_PEEK, MSG_WAITALL; others
 * EOPNOTSUPP. ENOTCONN, and once ECONNRESET, ETIMEDOUT. */
ssize_t nstcp_recv(struct nstcp *stack, int sock, void *buf, size_t len, int flags);

/* shutdown(2). how: SHUT_WR sends a FIN after all that is queued, SHUT_RD throws away what is
 * unread and what arrives. Does not wait. ENOTCONN, EINVAL. */
int nstcp_shutdown(struct nstcp *stack, int sock, int how);

/* close(2). Does not wait: what is queued and a FIN follow by themselves, see nstcp_destroy; a RST
 * instead when text is unread or arrives later (RFC 9293 3.6.1), or with SO_LINGER of 0. Threads:
 * calls of other threads on this socket end with EBADF. */
int nstcp_close(struct nstcp *stack, int sock);

/* getsockname(2), getpeername(2): ENOTCONN. */
int nstcp_getsockname(struct nstcp *stack, int sock, struct sockaddr *addr, socklen_t *len);
int nstcp_getpeername(struct nstcp *stack, int sock, struct sockaddr *addr, socklen_t *len);

/*
 * setsockopt(2), getsockopt(2), socket(7), tcp(7).
 *   SOL_SOCKET   SO_RCVTIMEO, SO_SNDTIMEO (struct timeval; zero: no limit), SO_LINGER (off, or on
 *                with 0: nstcp_close resets), SO_REUSEADDR (always as if on), SO_SNDBUF (octets as
 *                given, not doubled);
 *                read only: SO_ERROR (taken by reading), SO_TYPE, SO_PROTOCOL, SO_DOMAIN,
 *                SO_ACCEPTCONN
 *   IPPROTO_TCP  TCP_NODELAY; an accepted socket has it from the listener
 *   IPPROTO_IPV6 IPV6_V6ONLY: off, and no other value; IPV6_FREEBIND
 *   IPPROTO_IP   IP_FREEBIND
 * ENOPROTOOPT, EINVAL, EDOM.
 */
int nstcp_setsockopt(struct nstcp *stack, int sock, int level, int name, const void *value,
                     socklen_t len);
int nstcp_getsockopt(struct nstcp *stack, int sock, int level, int name, void *value,
                     socklen_t *len);

/* fcntl(2). F_GETFL, and F_SETFL of which O_NONBLOCK counts. EINVAL. */
int nstcp_fcntl(struct nstcp *stack, int sock, int command, int arg);

/* poll(2), on sockets of the stack. Waits, timeout_ms at most; < 0: no limit; 0: does not wait.
 * POLLIN, POLLRDNORM, POLLOUT, POLLWRNORM, POLLRDHUP, POLLERR, POLLHUP, POLLNVAL. A socket that is
 * closed meanwhile is POLLNVAL. Level-triggered. O(n). */
int nstcp_poll(struct nstcp *stack, struct pollfd *fds, nfds_t n, int timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
