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
 * thread closes it during the call), ESHUTDOWN (nstcp_stop, fork(2)).
 *
 * Threads: all calls are thread-safe, on one socket too, except where "Threads:" says more. No call
 * is a cancellation point, none may be made from a signal handler, and none is interrupted by one
 * (no EINTR). A stack has two threads of its own, with all signals blocked. One moves packets; one
 * holds the ports, in a descriptor table of its own (unshare(2)), and has the rights and the
 * network namespace of the thread that called nstcp_create.
 *
 * fork(2): a child owns nothing of its parent's stacks. There all calls on them fail with
 * ESHUTDOWN, but for nstcp_destroy, which succeeds, closes the child's copies of the packet socket
 * and the timer (those of two rtnetlink sockets and one for IPv6's groups stay open), and leaves
 * the parent's stack alone. A child that does not call it does no harm: ports and connections end
 * with the parent. It may make stacks of its own. vfork(2): the child may make no call. execve(2):
 * all descriptors are close-on-exec.
 *
 * IP: the kernel is asked for a route by the destination only: rules by source, mark, protocol or
 * port (ip-rule(8)) are not followed, nor are ICMP redirects. Of a route the hop limit and advmss
 * are not used, nor is the device's hop limit: it is 64 unless set (IP_TTL), and the MSS is the
 * MTU's. IPv6 packets with extension headers that we can't take, or more than eight, are dropped
 * without a word (no Parameter Problem); the flow label is 0.
 *
 * Blocking: a call waits only where it says "waits", and not when the socket is non-blocking
 * (O_NONBLOCK) or the call has MSG_DONTWAIT; then it fails with EAGAIN instead.
 *
 * The library prints nothing, ends no process, handles and sends no signal (there is no SIGPIPE,
 * nor SIGURG), and keeps nothing outside its stacks. A process that ends without nstcp_destroy,
 * however it ends, takes its connections along without a word, as in a crash; the kernel has the
 * ports again and answers the peers' next segments with RST.
 */
#ifndef NSTCP_H
#define NSTCP_H

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* These, and nothing else, are seen outside of the library. */
#pragma GCC visibility push(default)

struct nstcp;

/* All zero: the defaults. */
struct nstcp_options {
    /* A descriptor to which every segment, state change, retransmission and event is written, a
     * line each; 0: none. The stack waits for whoever reads it, and all calls with it, nstcp_stop
     * too; a line that can't be written is lost. It stays the caller's and must stay open as long
     * as the stack. */
    int trace_fd;
    /* A descriptor to which every packet sent or received is written, as pcapng; 0: none. The stack
     * waits for whoever reads it; when it can't be written any more the record ends there, and the
     * trace says so. Ownership as of trace_fd. The record of a file is whole at any moment. */
    int pcap_fd;
    size_t memory_max;        /* octets for connections and their queues; 0: 1 GiB */
    unsigned max_sockets;     /* listeners and connections, TIME-WAIT included; 0: 65536 */
    unsigned msl_ms;          /* maximum segment lifetime, of which TIME-WAIT lasts two; 0: 30 s */
    unsigned user_timeout_ms; /* without an answer for so long a connection fails; 0: 5 min */
    /* 1: a source route that a peer's packets come by is used for the way back, see IP_OPTIONS.
     * Then whoever sends a SYN says who is to hear the answer (RFC 7126 4.3, 4.4). 0: such packets
     * are taken as if they had none. Linux's net.ipv4.conf.all.accept_source_route. */
    unsigned accept_source_route;
    /* What follows is Linux's net.ipv4 of that name, with its numbers; but for 0, which is the
     * default, as Linux's, and -1, which is Linux's 0. EINVAL for others. */

    /* Explicit Congestion Notification (RFC 3168). 1: asked for, and given to who asks; 2, the
     * default: given; -1: neither. */
    int tcp_ecn;
    /* A listener answers a SYN by a SYN cookie, of which it keeps nothing (RFC 4987 3.6). 1, the
     * default: when there is no room for one more half-open connection; 2: always, for tests:
     * without timestamps in the client's SYN the connection has neither window scale nor SACK; -1:
     * never, the oldest half-open connection gives way instead. */
    int tcp_syncookies;
    /* RFC 2018, and RFC 7323 twice. 1, the default: asked for, given to who asks; -1: neither. */
    int tcp_sack, tcp_timestamps, tcp_window_scaling;
    /* RFC 2883: 1, the default: a peer with SACK is told what has come twice; -1: it is not. */
    int tcp_dsack;
    /* RFC 8985 7: 3, the default, or 4: when nothing is heard of the last that was sent, something
     * goes again after two round trips, which tells what was lost (TLP, where there is SACK); -1, 1
     * or 2: it waits for the retransmission timer. */
    int tcp_early_retrans;
    /* RFC 8985 6, by which losses are found where there is SACK. 1, the default; 3: the reordering
     * window is a quarter of the least round trip, whatever D-SACKs tell; 5: it lasts as long also
     * when three segments were SACKed and no other order was ever seen; 7: both. EINVAL for even
     * numbers, by which Linux finds losses as in RFC 6675, and for -1. */
    int tcp_recovery;
    /* 1, the default: after an idle RTO the congestion window is the initial one at most (RFC 5681
     * 4.1); -1: it stays. */
    int tcp_slow_start_after_idle;
    /* 1, the default, which is not Linux's: a path that swallows large packets and says nothing is
     * found out (RFC 4821 7.7); -1: it is not looked for. ICMP is heeded anyhow. */
    int tcp_mtu_probing;
    /* New text goes spread over the round trip, where that is a millisecond or longer: so much in
     * percent of the congestion window in one, in slow start (200; Linux: in its first half) and
     * after it (120), up to 1000; -1: all that the window lets go at once. Linux paces where
     * SO_MAX_PACING_RATE is set, or a queueing discipline does it. */
    int tcp_pacing_ss_ratio, tcp_pacing_ca_ratio;
    /* 1, the default: the receive buffer grows with use, until SO_RCVBUF is set; -1: it stays. The
     * window's scale is that of the largest in both cases. */
    int tcp_moderate_rcvbuf;
    /* Octets of a socket's receive buffer and of its send buffer, tcp(7): the least, which has no
     * effect, as memory_max holds for all sockets together; to begin with, which SO_RCVBUF and
     * SO_SNDBUF are until they are set; and the most it grows to by itself. 0 each: 4096, 64 KiB
     * (of the send buffer 256 KiB, and 1 MiB where round trips take less than 1 ms), 4 MiB. EINVAL:
     * below 4096, above 64 MiB, or less than the one before. */
    unsigned tcp_rmem[3], tcp_wmem[3];
    /* What TCP_CONGESTION is until it is set, by its names: NULL, the default: "cubic". EINVAL for
     * others. */
    const char *tcp_congestion_control;
};

#define NSTCP_WHY_MAX 256

/* Makes a stack in the calling thread's network namespace, where it stays. options: NULL for the
 * defaults; not kept. why: NULL, or room for a sentence on what failed and why. Needs CAP_NET_RAW
 * and CAP_NET_ADMIN there: EPERM. EINVAL, ENOMEM, EMFILE; others of the kernel. The caller owns the
 * stack. */
int nstcp_create(struct nstcp **stack, const struct nstcp_options *options,
                 char why[NSTCP_WHY_MAX]);

/* Makes all calls on the stack fail with ESHUTDOWN from now on, those that wait at once; except
 * nstcp_close and nstcp_destroy. Nothing is sent. To end the threads of a program before the stack.
 */
void nstcp_stop(struct nstcp *stack);

/* Closes all sockets, waits until the peers have acknowledged all that was sent and the FINs, for
 * sockets closed earlier too, and frees the stack. What is not acknowledged after timeout_ms is
 * reset, and -1 with ETIMEDOUT returned; the stack is gone all the same. timeout_ms < 0: no limit.
 * stack may be NULL. In a child made by fork(): see there.
 *
 * TIME-WAIT ends with the stack: a peer that did not get our last ACK is answered with RST, by the
 * kernel.
 *
 * Threads: calls of other threads that have begun end with ESHUTDOWN and are waited for, those that
 * wait as well as those that have not come that far. None may begin any more. A thread of which one
 * can't tell whether its call has begun has to be joined first, after nstcp_stop. */
int nstcp_destroy(struct nstcp *stack, int timeout_ms);

/* socket(2). domain: AF_INET or AF_INET6 (for both families: IPv4 peers are ::ffff:a.b.c.d;
 * see IPV6_V6ONLY). type:
 * SOCK_STREAM, with SOCK_NONBLOCK or without; SOCK_CLOEXEC changes nothing. protocol: 0 or
 * IPPROTO_TCP. EAFNOSUPPORT, EPROTONOSUPPORT, EMFILE (max_sockets), ENOMEM. */
int nstcp_socket(struct nstcp *stack, int domain, int type, int protocol);

/* bind(2). Takes the port from the kernel and all other programs until the stack is destroyed. Port
 * 0: a free one, see nstcp_getsockname. Sockets of this stack share an address and port as in Linux
 * when all have SO_REUSEADDR and none listens; connections and TIME-WAIT are no hindrance, also
 * without it. EADDRINUSE, EADDRNOTAVAIL (not an address of this host, or a loopback or broadcast
 * address), EACCES (port below 1024), EINVAL (bound already, or connected; a link-local address
 * without sin6_scope_id), EAFNOSUPPORT, ENOMEM, EMFILE (each port that is held counts in a
 * descriptor table of its own, RLIMIT_NOFILE long), ENOBUFS (about a thousand ports that lie
 * apart). May take milliseconds.
 *
 * With IP_FREEBIND or IPV6_FREEBIND (ip(7)) the address need not be this host's. One of a network
 * that this host is on, which nobody has, becomes the stack's own until nstcp_destroy, with all its
 * ports: it answers ARP, neighbour discovery and echo requests (ping) of one packet's size, the
 * kernel sees nothing that arrives for it, and any socket of the stack may be bound to it. This
 * host itself can't reach it. Waits 0.3 s for a host that has the address. EADDRINUSE: there is
 * one, or another stack has it. EADDRNOTAVAIL: on none of our networks, or a loopback, link-local,
 * multicast or broadcast address. */
int nstcp_bind(struct nstcp *stack, int sock, const struct sockaddr *addr, socklen_t len);

/* listen(2). backlog: connections that wait for nstcp_accept; further ones have to try again. A
 * second call changes it. Not bound: at a free port on every address. EINVAL (connected),
 * EADDRINUSE, ENOMEM. */
int nstcp_listen(struct nstcp *stack, int sock, int backlog);

/* accept(2). Waits for a connection; SO_RCVTIMEO. The new socket blocks, and has the listener's
 * options. addr may be NULL. EINVAL (not listening, or not any more), EMFILE, ENOMEM: the
 * connection goes on waiting. */
int nstcp_accept(struct nstcp *stack, int sock, struct sockaddr *addr, socklen_t *len);

/* accept4(2): the same. flags: SOCK_NONBLOCK for the new socket; SOCK_CLOEXEC changes nothing. */
int nstcp_accept4(struct nstcp *stack, int sock, struct sockaddr *addr, socklen_t *len, int flags);

/* connect(2). Waits until the connection is open or has failed; SO_SNDTIMEO. Non-blocking, or at
 * the timeout: EINPROGRESS, and nstcp_poll tells of the end by POLLOUT; then SO_ERROR or a second
 * nstcp_connect has the result (ECONNABORTED from the latter when SO_ERROR has told it).
 * ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, EPROTO, EACCES (ICMP: prohibited; the three
 * before are what the timeout is called then, RFC 9293 3.9.2.2), EADDRNOTAVAIL (an address of
 * this host itself, which can't be reached yet; or no ephemeral port left), EADDRINUSE (this
 * connection is there already), EALREADY, EISCONN, EAFNOSUPPORT, ENOMEM, EMFILE (see nstcp_bind:
 * ephemeral ports are held, too, by 64; one to which a socket is bound is not chosen). After a
 * failure the socket may be used to connect again. The first of a stack may take milliseconds. A
 * link-local address needs sin6_scope_id, the index of the device behind which it is, unless the
 * socket is bound to such an address: EINVAL.
 *
 * To AF_UNSPEC: resets the connection, gives up an attempt or a listener; the socket is as new, but
 * for what was bound and set. */
int nstcp_connect(struct nstcp *stack, int sock, const struct sockaddr *addr, socklen_t len);

/* send(2). Copies len octets into the send queue; waits for room in it, SO_SNDTIMEO. The octets
 * taken: all of them, or fewer at the timeout, at an error, or when it must not wait; the error is
 * then told by the next call. buf is not used after return. flags: MSG_DONTWAIT; MSG_OOB (see
 * "Urgent data" below); MSG_MORE (what is less than a segment waits for the next call without it,
 * at most 200 ms); MSG_NOSIGNAL changes nothing; others EOPNOTSUPP. ENOTCONN; once ECONNRESET,
 * ETIMEDOUT; EPIPE after that, and after SHUT_WR. Threads: pieces of two sends on one socket that
 * both have to wait may alternate. */
ssize_t nstcp_send(struct nstcp *stack, int sock, const void *buf, size_t len, int flags);

/* recv(2). Waits for the first octet, with MSG_WAITALL for all; SO_RCVTIMEO. The octets copied; 0
 * at the end, when the peer has closed. flags: MSG_DONTWAIT, MSG_PEEK, MSG_WAITALL, MSG_TRUNC (the
 * octets are counted, not copied: buf may be NULL; tcp(7)), MSG_OOB; MSG_CMSG_CLOEXEC changes
 * nothing; others EOPNOTSUPP. ENOTCONN, and once ECONNRESET, ETIMEDOUT; what has arrived before
 * comes first. While it waits packets are received into buf: what of it is not counted in the end
 * may have changed, also when it fails; never after return. */
ssize_t nstcp_recv(struct nstcp *stack, int sock, void *buf, size_t len, int flags);

/*
 * Without a copy between the caller's memory and the stack's: text is written where it is sent
 * from, and read where it has arrived. For all four: at most one memory of each kind per socket; it
 * counts towards the stack's memory, and is gone after nstcp_close.
 *
 * nstcp_reserve: memory for len octets that are to be sent; waits for room for them, or until
 * nstcp_poll would say POLLOUT. The octets that *buf has room for: len, or fewer, at least 1 and at
 * most 256 KiB. flags: MSG_DONTWAIT: what there is room for. EALREADY: there is one already. EINVAL
 * (len 0), ENOMEM, nstcp_send's. nstcp_commit: sends the first len of them, does not wait; *buf is
 * the stack's from then on. len; 0 only gives the memory back. flags: MSG_MORE. EINVAL: more than
 * there are, or nothing is reserved. ENOMEM, and nothing has changed; nstcp_send's: the memory is
 * gone. Text that another thread sends meanwhile goes before.
 *
 * nstcp_borrow: as nstcp_recv, but *buf says where the octets are, which stay there until
 * nstcp_release. len: not more than so many. flags: MSG_DONTWAIT, MSG_WAITALL. EALREADY: some are
 * borrowed already, or being waited for. EINVAL (len 0), ENOMEM, nstcp_recv's. 0 (the end) borrows
 * nothing. nstcp_release: EINVAL: nothing is borrowed.
 */
ssize_t nstcp_reserve(struct nstcp *stack, int sock, void **buf, size_t len, int flags);
ssize_t nstcp_commit(struct nstcp *stack, int sock, size_t len, int flags);
ssize_t nstcp_borrow(struct nstcp *stack, int sock, const void **buf, size_t len, int flags);
int nstcp_release(struct nstcp *stack, int sock);

/*
 * Urgent data (RFC 9293 3.8.5): as in Linux, tcp(7) and socket(7). RFC 6093 advises new programs
 * against it (5), as middleboxes clear it, and all others to set SO_OOBINLINE (6).
 *
 * All that lies before the end of a nstcp_send with MSG_OOB is urgent, however long; Nagle does not
 * hold it back, and the peer hears of it though its window be shut. The place before its last octet
 * is the mark. nstcp_recv ends there when it has anything to return, with MSG_WAITALL too;
 * SIOCATMARK tells whether the next octet lies behind it (sockatmark(3)).
 *
 * Without SO_OOBINLINE that octet is nothing to POLLIN; FIONREAD counts up to the mark; and the
 * next nstcp_recv goes on behind it. nstcp_recv with MSG_OOB gives it, once (with MSG_PEEK, any
 * number of times), and never waits: EAGAIN when it has not arrived; EINVAL when there is none, or
 * it was given or passed; 0 when the peer has closed before it came; ENOTCONN when the connection
 * has failed. There is one mark only: when another comes, the octet at the old one becomes part of
 * the stream, or, if it is the next, is lost. With SO_OOBINLINE it always comes with the rest, and
 * MSG_OOB is EINVAL.
 *
 * POLLPRI, in place of SIGURG, tells that the octet is here; and, unlike in Linux, that it can't
 * come because so much is unread that the window is shut.
 */

/* sendmsg(2), recvmsg(2): send and recv with up to IOV_MAX buffers (EMSGSIZE), as writev(2) and
 * readv(2) have them. No address is looked at or given, and there is no ancillary data: EINVAL for
 * msg_controllen in sendmsg; recvmsg sets msg_namelen and msg_controllen to 0, and msg_flags but
 * for MSG_OOB (and then MSG_TRUNC, without room for the octet). ENOMEM (recvmsg with MSG_PEEK into
 * several buffers). */
ssize_t nstcp_sendmsg(struct nstcp *stack, int sock, const struct msghdr *msg, int flags);
ssize_t nstcp_recvmsg(struct nstcp *stack, int sock, struct msghdr *msg, int flags);

/* shutdown(2). how: SHUT_WR sends a FIN after all that is queued, SHUT_RD throws away what is
 * unread and what arrives. Does not wait. While connecting, and with SHUT_RD on a listener, gives
 * that up, as Linux: calls that wait for it end. ENOTCONN, EINVAL, ENOMEM. */
int nstcp_shutdown(struct nstcp *stack, int sock, int how);

/* close(2). What is queued and a FIN follow by themselves, see nstcp_destroy; a RST instead when
 * text is unread or arrives later (RFC 9293 3.6.1), or with SO_LINGER of 0. Waits only with
 * SO_LINGER of more: until the peer has acknowledged all, for so many seconds at most, whatever
 * O_NONBLOCK says; what is left then follows by itself all the same, and 0 is returned, as in
 * Linux. Threads: calls of other threads on this socket end with EBADF. */
int nstcp_close(struct nstcp *stack, int sock);

/* getsockname(2): before bind, and after connect has failed, the unspecified address and port 0.
 * getpeername(2): ENOTCONN, also when the connection is over. EINVAL (negative length). */
int nstcp_getsockname(struct nstcp *stack, int sock, struct sockaddr *addr, socklen_t *len);
int nstcp_getpeername(struct nstcp *stack, int sock, struct sockaddr *addr, socklen_t *len);

/*
 * setsockopt(2), getsockopt(2), socket(7), tcp(7). They may be set at any time, and hold at once;
 * an accepted socket has its listener's.
 *   SOL_SOCKET   SO_RCVTIMEO, SO_SNDTIMEO (struct timeval; zero: no limit; negative: nothing is
 *                waited for),
 *                SO_LINGER (struct linger, seconds; see nstcp_close),
 *                SO_REUSEADDR (see nstcp_bind),
 *                SO_OOBINLINE (see "Urgent data"),
 *                SO_KEEPALIVE,
 *                SO_SNDBUF, SO_RCVBUF (octets as given, not doubled; 4096 at least, 64 MiB at most;
 *                SO_RCVBUF ends the receive buffer's growing by itself, is filled up to whole
 *                segments, and a window larger than 64 KiB needs it before connect or listen: the
 *                SYN fixes the window's scale),
 *                SO_RCVLOWAT (octets, or half of the receive buffer if that is less: nstcp_recv
 *                waits for so many, and nstcp_poll has POLLIN then),
 *                SO_BUSY_POLL (microseconds; 50: while waits have been shorter, a call that waits
 *                looks for packets so long before it sleeps; 0: it sleeps at once),
 *                SO_MAX_PACING_RATE (octets of text in a second, of 4 octets or 8; all bits set: no
 *                limit; 0: what the windows let go goes at once. New text waits, for what was sent
 *                again as well, which itself does not; nor do probes, nor the first ten segments
 *                or what goes in a millisecond);
 *                read only: SO_ERROR (taken by reading), SO_TYPE, SO_PROTOCOL, SO_DOMAIN,
 *                SO_ACCEPTCONN
 *   IPPROTO_TCP  TCP_NODELAY, TCP_CORK,
 *                TCP_KEEPIDLE, TCP_KEEPINTVL (seconds), TCP_KEEPCNT,
 *                TCP_USER_TIMEOUT (milliseconds; 0: the stack's user_timeout_ms),
 *                TCP_LINGER2 (how long FIN-WAIT-2 lasts after nstcp_close, seconds, 120 at most; 0:
 *                60; negative: not at all, the peer is reset),
 *                TCP_QUICKACK (all text is acknowledged at once, until it is set to 0),
 *                TCP_SYNCNT (retransmissions of a SYN, 1 to 127; not set: three minutes of them),
 *                TCP_MAXSEG (octets of text, 88 to 32767; 0: as many as go; before connect or
 *                listen; of a connection the one in use is read),
 *                TCP_CONGESTION (a name: "cubic", RFC 9438, the default, or "reno", RFC 5681;
 * others ENOENT; 16 octets are read; the congestion window stays); read only: TCP_INFO (struct
 * tcp_info of <linux/tcp.h> or of <netinet/tcp.h>, as far as there is room; what is not known is 0)
 *   IPPROTO_IP   IP_FREEBIND (see nstcp_bind),
 *                IP_TOS (the Diffserv field, RFC 2474; its lower two bits, ECN's, are TCP's own),
 *                IP_TTL (1 to 255; -1: 64),
 *                IP_RECVERR, IP_OPTIONS (see below);
 *                IP_MTU_DISCOVER (ip(7). IP_PMTUDISC_WANT, the default, or IP_PMTUDISC_DO: packets
 *                have DF, and become smaller when ICMP says that they are too big;
 *                IP_PMTUDISC_PROBE: ICMP changes nothing, and what it has changed is forgotten, but
 *                tcp_mtu_probing goes on; EOPNOTSUPP: Linux's others, as what may be fragmented on
 *                the way needs identifications, of which we have none);
 *                read only: IP_MTU (octets of a packet on the path to the peer, as far as it is
 *                known; ENOTCONN)
 *   IPPROTO_IPV6 of AF_INET6 sockets; for their IPv4 peers are IPPROTO_IP's:
 *                IPV6_FREEBIND,
 *                IPV6_V6ONLY (off by default; EINVAL once the socket is bound: the wildcard stands
 *                for IPv6's addresses only, so that 0.0.0.0 may have the port as well; nothing else
 *                goes to or comes from IPv4),
 *                IPV6_TCLASS (as IP_TOS; -1: 0), IPV6_UNICAST_HOPS (0 to 255; -1: 64),
 *                IPV6_MTU_DISCOVER (as IP_MTU_DISCOVER),
 *                IPV6_RECVERR (see below); read only: IPV6_MTU (as IP_MTU)
 * ENOPROTOOPT, EINVAL, EDOM, ENOENT, ENOMEM.
 *
 * IP_RECVERR, IPV6_RECVERR (off by default), ip(7): trouble is an error of the socket at once,
 * though the connection goes on (RFC 9293 3.9.1.8). It is told once: by SO_ERROR, nstcp_send, or
 * nstcp_recv when nothing can be read; nstcp_poll has POLLERR until then. What ICMP says:
 * ENETUNREACH, EHOSTUNREACH, ECONNREFUSED, EACCES, EPROTO. And ETIMEDOUT when three retransmissions
 * in a row had no answer: whether the connection has ended, TCP_INFO says (tcpi_state). While
 * connecting likewise, and nstcp_connect goes on. Without the option the same errors are only the
 * reason given when the connection fails at last.
 *
 * IP_OPTIONS, ip(7): up to 40 octets of options (RFC 791 3.1) that go with every packet to an IPv4
 * peer, from the SYN on when set before connect; 0 octets: none. A source route names the first
 * router first, and not the destination; whether that of a strict one is on our own network is not
 * looked at. Record Route and Timestamp begin anew in each packet. A socket that is accepted has
 * none of its listener's, but, in a stack with accept_source_route, the route that its peer's
 * packets come by, reversed, until others are set. IPv6 has no source routes (RFC 5095).
 */
int nstcp_setsockopt(struct nstcp *stack, int sock, int level, int name, const void *value,
                     socklen_t len);
int nstcp_getsockopt(struct nstcp *stack, int sock, int level, int name, void *value,
                     socklen_t *len);

/* fcntl(2). F_GETFL, and F_SETFL of which O_NONBLOCK counts. EINVAL. */
int nstcp_fcntl(struct nstcp *stack, int sock, int command, int arg);

/* ioctl(2), tcp(7). FIONREAD: octets to be read; SIOCOUTQ (TIOCOUTQ): octets not yet acknowledged;
 * SIOCATMARK: 1 at the mark, or 0, see "Urgent data"; FIONBIO: O_NONBLOCK on or off. ENOTTY, EINVAL
 * (listening). */
int nstcp_ioctl(struct nstcp *stack, int sock, unsigned long request, int *value);

/* poll(2), on sockets of the stack. Waits, timeout_ms at most; < 0: no limit; 0: does not wait.
 * POLLIN, POLLRDNORM, POLLPRI (see "Urgent data"), POLLOUT, POLLWRNORM, POLLRDHUP, POLLERR,
 * POLLHUP, POLLNVAL, the others each when Linux has it. A socket that is closed meanwhile is
 * POLLNVAL. Level-triggered. O(n). ENOMEM. */
int nstcp_poll(struct nstcp *stack, struct pollfd *fds, nfds_t n, int timeout_ms);

/*
 * epoll(7): a set of sockets that tells which of them are ready, at a cost that does not grow with
 * their number. Level-triggered, or with EPOLLET, EPOLLONESHOT (others of its flags have no
 * effect); what EPOLLIN and the others mean is nstcp_poll's. NULL: ENOMEM. A socket that is closed
 * leaves the set. To be closed before nstcp_destroy, while no thread waits.
 */
struct nstcp_epoll;
struct nstcp_epoll *nstcp_epoll_create(struct nstcp *stack);
void nstcp_epoll_close(struct nstcp_epoll *set);

/* epoll_ctl(2): EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL (event: NULL). EEXIST, ENOENT, EINVAL,
 * EFAULT, ENOMEM. */
int nstcp_epoll_ctl(struct nstcp_epoll *set, int op, int sock, struct epoll_event *event);

/* epoll_wait(2): waits until a socket is ready, or for timeout_ms (-1: no limit); how many of them,
 * at most max, are in events. Any number of threads may. EINVAL (max). */
int nstcp_epoll_wait(struct nstcp_epoll *set, struct epoll_event *events, int max, int timeout_ms);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
