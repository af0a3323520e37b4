/*
 * What the scenarios of posix*.c share: two ends, "us" in host1, whose calls are tried and whose
 * results are printed, and "them" in host2, each the kernel's TCP or ours; and the printing.
 *
 * Every line is "scenario: what = result", the same in every run: ports that the stack chose are
 * printed as such, nothing depends on time. What arrives from the other end is waited for before it
 * is looked at.
 */
#ifndef POSIX_H
#define POSIX_H

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>

#include "calls.h"

struct end {
    const struct calls *c;
    struct nstcp *stack;
    int netns;
    const char *ip;
};

extern struct end us, them;

/* Seconds, by the clock that packets are stamped with. */
double now(void);
extern double last_call; /* when the last of these was begun */

/* A call of ours, of theirs. */
#define US(call, ...)   (last_call = now(), us.c->call(us.stack, __VA_ARGS__))
#define THEM(call, ...) (last_call = now(), them.c->call(them.stack, __VA_ARGS__))

/* The lines from now on are this scenario's. */
void scenario(const char *name);

/* A line of text. */
__attribute__((format(printf, 2, 3))) void line(const char *what, const char *format, ...);

/* A line for the result of a call: the number, or the errno by name. */
void result(const char *what, int64_t result);
#define RESULT(what, call) result(what, (errno = 0, (call)))

/* "5", "EAGAIN": as result() prints it; until the next call. */
const char *result_text(int64_t result);

/* "IN|OUT". */
const char *events_text(short revents);

/* "10.0.1.1:20000", "[fd00::1]:20000"; ports beyond 32767 are "some port". */
const char *addr_text(const struct sockaddr *addr, socklen_t len);

/* A line for a recv of up to 64 octets by our socket: the result, and what it brought. */
void recv_line(const char *what, int sock, size_t len, int flags);

/* The same without waiting, and urgent_line(). */
void try_line(const char *what, int sock, size_t len, int flags);

/* A line for what poll, SIOCATMARK and FIONREAD say of our socket. */
void urgent_line(const char *what, int sock);

/* What poll says of one of our sockets now, asked for everything. */
short our_events(int sock);

/* A line for it. */
void poll_line(const char *what, int sock);

/* Waits until poll says any of these of a socket; prints a line when it does not in time. */
void await(const struct end *e, int sock, short events);

/* Waits until TCP_INFO has this state for our socket. */
void await_state(int sock, int state);

struct sockaddr_in addr_of(const char *ip, uint16_t port);
#define SA(addr) (const struct sockaddr *)&(addr), sizeof(addr)

/* A port that nothing has used yet, the same in every run. */
uint16_t fresh_port(void);

/* Must succeed, or the program ends with a message. */
int must(const char *what, int64_t result);

/* Their socket, made in their namespace; bound and listening at a fresh port if port is not NULL.
 */
int their_socket(void);
int their_listener(uint16_t *port, int backlog);
int their_connect(const char *ip, uint16_t port); /* -1 and errno */

/* Ours, blocking. */
int our_socket(void);
int our_listener(uint16_t *port, int backlog);
int set_int(int sock, int level, int name, int value); /* as setsockopt */
int get_int(int sock, int level, int name);            /* the value; -1 and errno */
void nonblocking(int sock, bool on);
void linger_of(const struct end *e, int sock, int on, int seconds);

/* A connection from us to them. */
struct joined {
    int ours, theirs;
};
struct joined join(void);
struct joined join_by(bool in_line); /* with SO_OOBINLINE so */
void part(struct joined j);          /* closes both */

/* So many octets arrive at our socket, unread. */
void they_send(struct joined j, size_t len);

/* The same with a text; flags: of their send. */
void they_send_text(struct joined j, const char *text, int flags);

/* Waits until so many octets in all have arrived at our socket. */
void await_octets(int sock, uint64_t n);

/* Their FIN has arrived; their RST has, and j->theirs is no more. */
void they_close(struct joined j);
void they_reset(struct joined *j);

/* Connecting there gets no answer: a listener whose queue is full. */
struct sockaddr_in black_hole(void);

/* Into the network namespace of an end, where its calls are to be made; `us` is where we are, but
 * for a moment. Into that of the router. */
void enter(const struct end *e);
void enter_router(void);

/* Whether the router throws all TCP away. */
void cut(bool on);

/* The scenarios. */
void matrix(void);
void transfers(void);
void options(void);
void ip(void);
void icmp(void);
void tcp(void);
void names(void);
void endings(void);
void urgent(void);
void sequences(void);
void families(void);

#endif
