/*
 * Plays packetdrill for tests of the shared object: loads it as packetdrill does, makes its calls,
 * builds the packets that travel to it and takes apart those that come back.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "interface.h"

#define PORT      8080  /* of the stack's socket, and of a peer that is connected to */
#define PEER_PORT 40000 /* of a peer that connects */
#define LOCAL     0xc0a80001u
#define REMOTE    0xc0000201u

#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10

/* A segment between the two, seen from the stack's peer when it is one to send. */
struct tcp {
    uint16_t source, target; /* ports; 0 in one to send: PEER_PORT to PORT */
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t window; /* 0 in one to send: 65535 */
    uint16_t mss;    /* options; 0: not there */
    int wscale;      /* 0: not there; 1 more than the option says */
    bool sack_ok;    /* SACK-permitted; of one that was sent */
    bool ts;         /* timestamps, likewise */
    size_t len;      /* of text, zeros */
    long long time_us;
    uint32_t source_addr, target_addr;
};

/* Loads the object, whose path the environment's NSTCP_PACKETDRILL_OBJECT has, and makes an
 * instance. The table is the caller's. */
void load(struct packetdrill_interface *t, const char *flags);

/* The clock */
long long now_us(const struct packetdrill_interface *t);
void sleep_us(const struct packetdrill_interface *t, long long us);

/* netdev_send */
void inject(const struct packetdrill_interface *t, struct tcp tcp);
#define INJECT(t, ...) inject((t), (struct tcp){__VA_ARGS__})

/* netdev_receive. False for the answer of length 0. Checks lengths and both checksums. */
bool sniff(const struct packetdrill_interface *t, struct tcp *tcp);

/* The next packet has these flags and this much text. */
struct tcp must_sniff(const struct packetdrill_interface *t, uint8_t flags, size_t len);

/* Nothing has been sent, nor will anything be by itself. */
void must_be_silent(const struct packetdrill_interface *t);

int must_socket(const struct packetdrill_interface *t);
int must_bind(const struct packetdrill_interface *t, int fd);
int must_listen(const struct packetdrill_interface *t); /* the socket, bound */

/* A connection that a peer at PEER_PORT has opened. */
struct conn {
    int listener, fd;
    uint32_t seq, ack; /* of the peer's next segment */
};

struct conn must_open(const struct packetdrill_interface *t);

/* connect(2) to REMOTE:PORT */
int call_connect(const struct packetdrill_interface *t, int fd);

/* A call on a second thread, that is made and asks for the time as packetdrill's does. */
struct blocking {
    const struct packetdrill_interface *t;
    long (*call)(struct blocking *b);
    int fd;
    long result;
    int error;
    long long end_us;
    int tid; /* atomically */
    unsigned long thread;
    bool done; /* atomically */
};

/* Begins it; returns when the thread sleeps in the kernel. Fails when the call is over before that.
 */
void must_block(struct blocking *b);

/* Its result and end; the thread is gone. */
void must_end(struct blocking *b);

#define assert_fails(call, error)                                                                  \
    do {                                                                                           \
        assert_int_equal((call), -1);                                                              \
        assert_int_equal(errno, (error));                                                          \
    } while (0)

#endif
