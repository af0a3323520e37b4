/* Waiting for one of many sockets: epoll(7), the kernel's or ours, or poll(2) for lwIP's. */
#ifndef READY_H
#define READY_H

#include "bench.h"

struct ready;

/* For at most b->conns sockets. */
struct ready *ready_create(struct bench *b);
void ready_destroy(struct ready *r);

/* The n-th one that was added is n. */
void ready_add(struct ready *r, int sock);

/* Waits until some can be read. Their numbers: as many as fit into max. */
unsigned ready_wait(struct ready *r, unsigned *which, unsigned max);

#endif
