/*
 * Many connections: the engine as its callers see it. Sans-I/O: no clock, no socket, no thread, no
 * allocator of its own. Time is an argument (ns of a monotonic clock), randomness is the secret in
 * the configuration, memory comes from struct mem.
 *
 * After any call the caller asks for packets until there are none (stack_output), then sleeps until
 * a packet comes or stack_deadline() passes. Once stack_output() has returned 0 it returns 0 until
 * the next input, user call or deadline. Nothing here calls back: what happened is pulled with
 * stack_next_event().
 *
 * Not thread-safe: the caller holds one lock over all calls on one stack. Two stacks share nothing.
 */
#ifndef STACK_H
#define STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "ip_options.h"
#include "mem.h"
#include "packet.h"
#include "port_set.h"
#include "siphash.h"
#include "tcb.h"
#include "trace.h"

struct stack;

/* A listener or a connection. Valid from the call that gave it until stack_close/stack_abort. */
struct sock;

struct stack_config {
    struct mem *mem;           /* must outlive the stack */
    struct siphash_key secret; /* from the system's random source; a constant in simulations */
    struct trace trace;
    struct link_caps caps;
    struct tcp_config tcp;    /* tcp_config_default() and changes to it */
    uint32_t max_socks;       /* listeners and connections, TIME-WAIT included */
    bool accept_source_route; /* see stack_set_options() */
};

/* ERR_NONE or ERR_NOMEM. */
int stack_create(struct stack **out, const struct stack_config *config);

/* Frees everything, sends nothing: the peers see a crash. NULL is allowed. */
void stack_destroy(struct stack *s);

/* ---- The user calls of RFC 9293 3.10.1-6 ---- */

/* Ports that stack_connect may choose from (RFC 6056 2.1); may be called again for more. ERR_NOMEM.
 */
int stack_add_ports(struct stack *s, uint16_t first, uint16_t count);

/* Adds every local port that a connection has, TIME-WAIT included. O(connections). */
void stack_used_ports(const struct stack *s, struct port_set *used);

/* Whether a socket has this port by bind(), so that stack_connect chooses it for no other: what it
 * is bound for may be the very same connection. Not counted: false says that the last has left. */
void stack_set_bound(struct stack *s, uint16_t port, bool bound);

/* Active OPEN: sends the SYN. flow->local must be set; flow->local_port may be 0: chosen by RFC
 * 6056 algorithm 4. mtu: of the path's first link, 0 for the link's. `user` comes back with every
 * event. ERR_ADDRESS, ERR_NO_PORT, ERR_IN_USE, ERR_NOMEM. The answer comes as SOCK_EV_COMPLETED or
 * SOCK_EV_CLOSED. */
int stack_connect(struct stack *s, const struct flow *flow, uint32_t mtu, void *user,
                  uint64_t now_ns, struct sock **out);

/* Passive OPEN. addr: a local address, or a wildcard: IPv4's takes IPv4, IPv6's takes both
 * families (see stack_set_v6only). backlog: completed connections that wait for stack_accept; when
 * they are that many, new ones are dropped, not reset. ERR_IN_USE, ERR_NOMEM. */
int stack_listen(struct stack *s, const struct ip_addr *addr, uint16_t port, uint32_t backlog,
                 void *user, struct sock **out);

/* What a second listen(2) changes. */
void stack_set_backlog(struct sock *listener, uint32_t backlog);

/* IPv6's wildcard takes IPv6 only from now on; IPv4 may have a listener of its own at the port. */
void stack_set_v6only(struct sock *listener);

/* The longest-waiting completed connection; its events from now on carry `user`. ERR_AGAIN, or
 * ERR_INVAL for a socket that does not listen. */
int stack_accept(struct sock *listener, void *user, uint64_t now_ns, struct sock **out);

/* SEND: copies up to len octets into the send queue. The octets taken (at least 1 for len > 0), or
 * ERR_AGAIN when the queue is full, ERR_NOMEM, ERR_PIPE, ERR_NOT_CONNECTED; or once the error that
 * ended the connection, then ERR_PIPE. Before the connection is synchronized: ERR_AGAIN. */
int64_t stack_send(struct sock *so, const void *data, size_t len, uint64_t now_ns);

/* The same without copying at once: the octets must stay where they are until stack_keep, which
 * copies those that are not acknowledged by then (stack_lent: how many), or stack_close, or
 * stack_abort. */
int64_t stack_lend(struct sock *so, const void *data, size_t len, uint64_t now_ns);
size_t stack_lent(const struct sock *so);
void stack_keep(struct sock *so);

/* The same for text that is in its place already: memory from stack_block, of which the first len
 * octets, at least one, are text, all of them, whether there is room or not. len, or the same
 * errors: then the block stays the caller's. stack_send_room: how much there is room for, or the
 * same errors. */
int64_t stack_send_room(struct sock *so);
int64_t stack_send_block(struct sock *so, void *block, size_t size, size_t len, uint64_t now_ns);

/* Memory of the stack's, counted as all of it is; NULL: there is none. */
void *stack_block(struct stack *s, size_t size);
void stack_block_free(struct stack *s, void *block, size_t size);

/* The same with the URGENT flag: all that is in the send queue then is urgent
 * (3.8.5). */
int64_t stack_send_urgent(struct sock *so, const void *data, size_t len, uint64_t now_ns);

/* MSG_MORE: what the last stack_send has taken is not PUSHed (3.9.1.2, MAY-15). Of it only full
 * segments go before more is sent without this, something is acknowledged, or 200 ms are over
 * (MUST-60). To be called before stack_output. */
void stack_more(struct sock *so, uint64_t now_ns);

/* Ends the waiting of what is queued, for that or for TCP_CORK: TCP_NODELAY, when it is set
 * (tcp(7)). */
void stack_flush(struct sock *so, uint64_t now_ns);

/* RECEIVE: the octets copied, 0 when the peer has closed and all is read (or stack_shutdown_recv
 * was called), or ERR_AGAIN, ERR_NOT_CONNECTED; or once the error that ended the connection, then
 * 0. What arrived before an error can be read first; all of it when the peer had closed, and then
 * it is 0 that follows. peek: leaves them in the queue. buf may be NULL: what would have been
 * copied is not. Ends at the mark, see below. */
int64_t stack_recv(struct sock *so, void *buf, size_t len, bool peek, uint64_t now_ns);

/* Urgent data (3.8.5, MUST-33): octets from the first unread one up to the urgent pointer, also
 * those that have not arrived; 0: what is unread is not urgent. The mark lies before the last of
 * them: stack_recv ends there when it has octets to give, and the next one goes on with that octet,
 * or behind it (oobinline, below). */
size_t stack_urgent(const struct sock *so);

/* RECEIVE of that last octet out of band: 1, once, with peek any number of times; 0 when the peer
 * has closed before it has come (or stack_shutdown_recv was called). ERR_AGAIN: it has not arrived.
 * ERR_INVAL: there is none, it was taken or passed, or comes in line. ERR_NOT_CONNECTED. */
int stack_recv_urgent(struct sock *so, uint8_t *octet, bool peek);

/* CLOSE as RFC 9293 3.10.4 has it: no more SENDs, what is queued and a FIN follow; RECEIVE goes on.
 * ERR_NOT_CONNECTED, ERR_PIPE when it was called before, ERR_NOMEM: nothing has changed. */
int stack_shutdown_send(struct sock *so, uint64_t now_ns);

/* No more RECEIVEs: what is unread and what arrives is thrown away and acknowledged. */
int stack_shutdown_recv(struct sock *so, uint64_t now_ns);

/* Gives the socket up. A connection is closed in order behind the scenes (FIN, TIME-WAIT), or reset
 * when text is unread or arrives later (RFC 9293 3.6.1, SHLD-3), or there is no memory for the FIN.
 * A listener's unaccepted connections are reset. so must not be used any more. */
void stack_close(struct sock *so, uint64_t now_ns);

/* What stack_close does, but so stays valid until stack_close or stack_abort, and goes on having
 * events. For SO_LINGER with a time: call this, wait for events until stack_finished(so) or the
 * time is over, then stack_close: what is left goes on behind the scenes, as with Linux. Nothing
 * may be sent or received any more. No effect on a listener. */
void stack_linger(struct sock *so, uint64_t now_ns);

/* Whether the peer has acknowledged all text and the FIN, or the connection is over. SOCK_EV_ACKED
 * or SOCK_EV_CLOSED tells of it. */
bool stack_finished(const struct sock *so);

/* ABORT: sends a RST where the state asks for it (3.10.5). so must not be used any more. */
void stack_abort(struct sock *so, uint64_t now_ns);

/* Connections whose text or FIN the peer has not acknowledged yet: while there are any, the program
 * should not end. O(1). */
uint32_t stack_unfinished(const struct stack *s);

/* Aborts every connection that was given up by stack_close and has not ended. O(sockets). */
void stack_abort_left(struct stack *s, uint64_t now_ns);

/* STATUS (3.10.6). */
void stack_status(const struct sock *so, struct tcp_status *status);

/* Two parts of it, for who asks at every call: the state, and the octets that one stack_recv would
 * give. */
enum tcp_state stack_state(const struct sock *so);
size_t stack_unread(const struct sock *so);

/* A RECEIVE that waits (3.10.3), for when stack_recv has said ERR_AGAIN: what arrives is copied
 * into r's buffer at once, as far as it has room and no urgent data comes, until stack_recv_end(),
 * stack_shutdown_recv(), or the socket is closed; r and the buffer must stay that long. False:
 * another one waits already, or it is no connection. */
bool stack_recv_begin(struct sock *so, struct receive *r);
void stack_recv_end(struct sock *so, struct receive *r, uint64_t now_ns);

/* Where a connection's next text would be copied: of which flow, from which number on, and the room
 * for it. Text that a packet refers to there is not copied. False: no RECEIVE waits for it. */
bool stack_recv_next(const struct sock *so, struct flow *flow, seq_t *seq, struct bytes *room);

/* SO_ERROR: what the user has not been told yet by this call, stack_send or stack_recv: trouble, or
 * why the connection ended; then ERR_NONE. */
int stack_take_error(struct sock *so);

/* Why the connection ended: ERR_NONE, ERR_REFUSED, ERR_RESET, ERR_TIMEDOUT, ERR_ABORTED, or what
 * ICMP said: ERR_NETUNREACH, ERR_HOSTUNREACH, ERR_PROHIBITED, ERR_PROTOCOL. Does not clear it. */
int stack_error(const struct sock *so);

/*
 * Options. Who changes some copies stack_settings() and gives the changed copy to stack_set(),
 * which keeps equal ones once: they hold at once, at any time, or none does (ERR_NOMEM). A
 * listener's are those that its connections begin with, from the SYN on; with ones made by
 * stack_connect the caller sets them before the next stack_output, which sends the SYN. What the
 * members of struct tcp_settings (config.h) are to sockets:
 *
 * nodelay: TCP_NODELAY, MUST-17. sndbuf: SO_SNDBUF.
 *
 * rcvbuf: SO_RCVBUF. Once it is set (above 0) the buffer no longer grows by itself. What was
 * offered to the peer stays offered (SHLD-14): a smaller buffer takes effect as that is used up, a
 * larger one as far as the window scale goes that the SYN has fixed (64 KiB without).
 *
 * oobinline: SO_OOBINLINE. stack_recv gives the last urgent octet as well. On, as RFC 6093 6 asks.
 *
 * keepalive: SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT (MUST-24, MUST-27), see
 * keepalive.h. The idle time counts from the last segment, also when it was before this call.
 *
 * user_timeout_ms: TCP_USER_TIMEOUT, R2 for this connection (MUST-21): without progress for so long
 * it fails with ERR_TIMEDOUT. It holds for the SYN, for text that a shut window keeps back, though
 * the peer answer (as tcp(7) has it), and for keep-alives in place of their number.
 *
 * cork: TCP_CORK. Only full segments go, or what has waited for 200 ms and nothing is in flight
 * (MUST-60), until it is off again; then everything.
 *
 * orphan_ms: TCP_LINGER2, how long FIN-WAIT-2 lasts once the user has left.
 *
 * syn_retries: TCP_SYNCNT. After so many retransmissions of the SYN or SYN-ACK, and the wait for an
 * answer to the last, the connection fails with ERR_TIMEDOUT (MUST-22, 3.8.3).
 *
 * mss_max: TCP_MAXSEG, announced in the SYN and kept to. Decides nothing any more once the peer's
 * SYN has come (3.7.1).
 *
 * ip4, ip6: IP_TOS, IP_TTL; IPV6_TCLASS, IPV6_UNICAST_HOPS: what the IP header has from the next
 * segment on, RST included (MUST-48, SHLD-21, SHLD-22, MUST-49). IP_RECVERR, IPV6_RECVERR: whether
 * trouble is an error to be told at once, though the connection goes on (MUST-47; off by default,
 * SHLD-20): an ICMP error (SHLD-25), or ERR_TIMEDOUT when R1 is reached (SHLD-9). It is told once,
 * by the next stack_send, or stack_recv when nothing can be read, or stack_take_error.
 */
const struct tcp_settings *stack_settings(const struct sock *so);
int stack_set(struct sock *so, const struct tcp_settings *settings, uint64_t now_ns);

/*
 * IP_OPTIONS: what goes with every packet of an IPv4 connection from now on, instead of what did
 * before; without octets: nothing. A source route (MUST-51, SHLD-24) leads to the remote address by
 * way of the routers it names. No effect on another socket: a listener's connections do not have
 * them, as with Linux. ERR_NOMEM.
 *
 * With accept_source_route in its configuration the stack also takes over, reversed, a completed
 * source route of a SYN to a listener, and of any acceptable segment after it (MUST-53, SHLD-24),
 * unless the user has set options (MUST-52). Without it, which is the default, options that arrive
 * are ignored (RFC 7126 4.3, 4.4).
 */
int stack_set_options(struct sock *so, const struct ip_options *options, uint64_t now_ns);

/* Those that go with its packets now; NULL: none. */
const struct ip_options *stack_options(const struct sock *so);

/* TCP_QUICKACK: all text is acknowledged at once from now on, or as 3.8.6.3 has it; what it is
 * until then, tcp_config says. No effect on a listener. */
void stack_set_quickack(struct sock *so, bool on, uint64_t now_ns);

/* Whether the next text will be. */
bool stack_quickack(const struct sock *so);

/* ---- Addresses ---- */

/* addr is ours alone: the kernel has it not, so echo requests (RFC 1122 3.2.2.6, RFC 4443 4.2) to
 * it are answered here, at most 1000 a second. To other addresses the kernel answers. Nothing else
 * depends on it. Twice is as once. ERR_NOMEM. */
int stack_own_address(struct stack *s, const struct ip_addr *addr);
void stack_disown_address(struct stack *s, const struct ip_addr *addr);

/* ---- Readiness and events ---- */

#define SOCK_READABLE 0x01u /* stack_recv (or stack_accept) would not answer ERR_AGAIN */
#define SOCK_WRITABLE                                                                              \
    0x02u                    /* a third of the send buffer is free, or stack_send would fail for   \
                                another reason than ERR_AGAIN */
#define SOCK_PEER_DONE 0x04u /* the peer has closed: POLLRDHUP */
#define SOCK_DEAD      0x08u /* both directions are over, or an error: POLLHUP */
#define SOCK_FAILED    0x10u /* there is an error to be told: POLLERR */
#define SOCK_URGENT                                                                                \
    0x20u /* POLLPRI: the last urgent octet is here, neither taken nor passed; or it can't come    \
             because the window is shut: the user has to read */

/* What holds now. */
unsigned stack_readiness(const struct sock *so);

/* What happened, as bits. Names as in the book this project mirrors. */
#define SOCK_EV_COMPLETED                                                                          \
    0x01u /* ConnectionCompleted: connected, or a connection can be accepted */
#define SOCK_EV_ACKED                                                                              \
    0x02u /* Acked: text is, and the send queue has room (SOCK_WRITABLE); or the FIN */
#define SOCK_EV_ARRIVED 0x04u /* DataArrived: text, or the peer's FIN */
#define SOCK_EV_CLOSED  0x08u /* ConnectionClosed: over, in order or by an error */
#define SOCK_EV_TROUBLE                                                                            \
    0x10u /* R1 was reached (SHLD-9): retransmissions get no answer; or an ICMP error has come     \
             (SHLD-25): stack_status() says which */
#define SOCK_EV_URGENT 0x20u /* the urgent pointer has advanced (MUST-32) */

struct stack_event {
    struct sock *sock;
    void *user;
    uint32_t sock_id;
    unsigned what;
};

/* Takes the next socket off the ready list, with all that happened to it since it was last taken.
 * A socket is on the list at most once, so the list is bounded and no event is ever lost. False
 * when there is none. O(1). */
bool stack_next_event(struct stack *s, struct stack_event *ev);

/* ---- Advice to IP ---- */

/* Takes an address to which IP should look for another way: R1 was reached by a connection whose
 * packets go there first, the remote address or the beginning of a source route (RFC 9293 3.8.3
 * (b), MUST-20; RFC 1122 3.3.1.4), and each timeout from then on says it again. False when there is
 * none. To be asked before stack_output, whose next packet is the retransmission. O(1). */
bool stack_next_advice(struct stack *s, struct ip_addr *hop);

/* ---- Packets and time ---- */

/* Takes a batch of packets, as they came. Never sends: answers come with stack_output. */
void stack_input(struct stack *s, const struct packet *p, size_t n, uint64_t now_ns);

/* To be called when stack_deadline() has passed; harmless at any time. */
void stack_tick(struct stack *s, uint64_t now_ns);

/* Fills up to max outgoing packets and returns how many; 0: nothing more to send now. The packets
 * refer to the engine's memory and are valid until the next call of any stack_ function. */
size_t stack_output(struct stack *s, struct packet *p, size_t max, uint64_t now_ns);

/* When stack_tick wants to be called; TIME_NEVER: not before something else happens. O(1). */
uint64_t stack_deadline(const struct stack *s);

/* ---- Looking inside ---- */

struct stack_counters {
    uint64_t segs_in, segs_out, retransmits, resets_out;
    uint64_t bad_packets, bad_checksums; /* malformed; MUST-3 */
    uint64_t fragments, reassembled;     /* of packets; packets made of them */
    uint64_t fragment_drops;             /* of those fragments; see reassembly.h */
    uint64_t not_for_us;                 /* no socket, answered with RST where 3.10.7.1 says so */
    uint64_t listen_drops;               /* SYNs and handshakes dropped for want of room, and
                                          * half-open connections that gave way to others */
    /* SYN cookies: sent; come back; ACKs that looked like one (Linux's SyncookiesSent and so on) */
    uint64_t cookies_sent, cookies_received, cookies_failed;
    uint64_t no_memory;  /* text or connections refused */
    uint64_t invariants; /* failed invariants; each cost one connection */

    uint64_t icmp_in;         /* well-formed ICMP and ICMPv6 messages: */
    uint64_t icmp_echoes;     /* echo requests answered */
    uint64_t icmp_echo_drops; /* not answered: too many, or no memory */
    uint64_t icmp_acted;      /* errors that changed or told a connection something */
    uint64_t icmp_not_ours;   /* errors about none of our connections */
    uint64_t icmp_bad_seq;    /* about no segment in flight: forged, or late (RFC 5927 4.1) */
    uint64_t icmp_bad_mtu;    /* too big: an MTU that can't be, or is no news */
    uint64_t icmp_other; /* of a kind we do nothing about, source quench (MUST-55) among them */
};

void stack_counters(const struct stack *s, struct stack_counters *out);

/* Sockets of all kinds that exist, TIME-WAIT included. */
uint32_t stack_sock_count(const struct stack *s);

uint32_t stack_sock_id(const struct sock *so); /* as the trace shows it; never 0 */

/* Every invariant of every socket: NULL, or the text of the first that does not hold. O(all). */
const char *stack_check(const struct stack *s);

#endif
