/*
 * Two stacks in one process, joined by a link in memory: "left" has 10.0.0.1 and fd00::1, "right"
 * 10.0.1.1 and fd00::2. No right and no network is needed. Besides: short forms of the calls, which
 * fail the test when the call fails.
 *
 * two_main() runs all tests twice: in the second run the short forms' sockets are IPv6's, and an
 * IPv4 address or wildcard stands for the machine's other one.
 */
#ifndef TWO_STACKS_H
#define TWO_STACKS_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nstcp.h"

#define PORT 40000

struct two_config {
    uint32_t super_max;                    /* as in struct link_caps */
    size_t queue_max;                      /* 0: plenty */
    struct nstcp_options options;          /* of both */
    struct link *(*around)(struct link *); /* makes of the right one's link another; NULL: not */
};

struct two {
    struct nstcp *left, *right;
};

void two_up(struct two *t, const struct two_config *config); /* config may be NULL */

/* The right one in order, while the left one answers; then the left one, which nobody answers any
 * more. A stack that is NULL has been destroyed already. */
void two_down(struct two *t);

struct sockaddr_in addr4(const char *ip, uint16_t port);
struct sockaddr_in6 addr6(const char *ip, uint16_t port);

/* An address of either family. */
struct address {
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    };
    socklen_t len;
};

/* Of the run's family, see above; ip: IPv4's. */
struct address address(const char *ip, uint16_t port);
int two_domain(void); /* AF_INET, AF_INET6 */

#define two_main(tests) two_run(tests, sizeof tests / sizeof *(tests))
int two_run(const struct CMUnitTest *tests, size_t n); /* returns how many tests failed */

int must_socket(struct nstcp *stack);
int must_listen(struct nstcp *stack, const char *ip, uint16_t port);
int must_connect(struct nstcp *stack, const char *ip, uint16_t port);
int must_accept(struct nstcp *stack, int listener);
void must_send(struct nstcp *stack, int sock, const void *data, size_t len);
void must_close(struct nstcp *stack, int sock);
void must_set(struct nstcp *stack, int sock, int level, int name, int value);

/* Receives until the peer has closed and expects exactly this. */
void must_recv_all(struct nstcp *stack, int sock, const void *data, size_t len);

/* Joined sockets: left's to a listener of right's on PORT, which is closed again. */
void must_pair(struct two *t, int *left, int *right);

double now(void); /* seconds of CLOCK_MONOTONIC */

pthread_t must_thread(void *(*run)(void *), void *arg);
void must_join(pthread_t thread);

/* Octets that are the same in every run and do not repeat soon. */
void pattern(uint8_t *to, size_t len, uint64_t from);

/* Asserts that a call failed with this errno. */
#define assert_fails(call, error)                                                                  \
    do {                                                                                           \
        assert_int_equal((call), -1);                                                              \
        assert_int_equal(errno, (error));                                                          \
    } while (0)

/* A stack with these options fails to be made with the error err, and nstcp_create() says `text`.
 */
void must_not_create(const struct nstcp_options *options, int err, const char *text);

/* TCP_INFO. */
struct tcp_info info_of(struct nstcp *stack, int sock);

#endif
