/* queue.h - the kernel's packet queue: packets come out one by one, and wait for a verdict. */
#ifndef NETNS_QUEUE_H
#define NETNS_QUEUE_H

#include "nl.h"

#include <stdbool.h>
#include <stddef.h>

/* Packets taken, or let go, in one system call. */
#define QUEUE_BATCH 64

struct queue {
    struct nl nl;
    uint32_t newest;   /* the last packet taken */
    uint32_t released; /* the last packet let go; every one before it is gone too */
    struct queue_buffers *buffers;
};

/* What to do with a packet that leaves by the device of that index: true to forward it, false to
 * lose it. Asked once for each packet, in the order in which they came. */
typedef bool queue_judge(void *arg, uint32_t out_index);

/* Opens packet queue 0 of the calling thread's network namespace. 0, or -1 after saying why. */
int queue_open(struct queue *q);
void queue_close(struct queue *q); /* packets still in it are dropped */

/* To poll for packets. */
int queue_fd(const struct queue *q);

/* Takes what is there, a batch at the most, and drops what the judge says; never waits. Then lets
 * a batch of the others go, in order. True if there is more to do. */
bool queue_work(struct queue *q, queue_judge *judge, void *arg);

/* Packets the kernel has dropped so far because the queue was full. */
uint64_t queue_overflow(void);

#endif
