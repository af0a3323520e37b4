/* queue.h - the kernel's packet queues: packets come out one by one, and wait for a verdict. */
#ifndef NETNS_QUEUE_H
#define NETNS_QUEUE_H

#include "nl.h"

#include <stdbool.h>
#include <stddef.h>

/* Queues, numbered from 0; and packets taken in one system call. */
#define QUEUE_COUNT 2
#define QUEUE_BATCH 64

struct queue {
    struct nl nl; /* of all of them */
    struct queue_buffers *buffers;
};

struct queue_packet {
    int queue;
    uint32_t number;     /* in its queue; always greater than the one before */
    uint32_t len;        /* octets of the IP packet */
    uint64_t came;       /* at the router: ns of CLOCK_REALTIME; 0: the kernel did not look */
    const uint8_t *text; /* its first octets; gone with the next call */
    uint32_t text_len;
};

struct queue_verdict {
    int queue;
    uint32_t number;
    bool up_to;          /* on all up to that number that still wait; else on it alone */
    bool accept;         /* forward it, else drop it */
    const uint8_t *text; /* of one alone: forward this in its place; NULL: as it is */
    uint32_t text_len;
};

typedef void queue_take_one(void *arg, const struct queue_packet *packet);

/* Opens the packet queues of the calling thread's network namespace. 0, or -1 after saying why. */
int queue_open(struct queue *q);
void queue_close(struct queue *q); /* packets still in it are dropped */

/* To poll for packets. */
int queue_fd(const struct queue *q);

/* From now on packets come with all their octets, or with one only, which is cheaper. */
void queue_show(struct queue *q, bool whole);

/* Takes what is there, a batch at the most, in the order in which it came to any of the queues;
 * never waits. True if there may be more. */
bool queue_take(struct queue *q, queue_take_one *take, void *arg);

/* Verdicts are collected, and in force with queue_flush. */
void queue_decide(struct queue *q, const struct queue_verdict *verdict);
void queue_flush(struct queue *q);

/* Packets the kernel has dropped so far because a queue was full. */
uint64_t queue_overflow(void);

#endif
