/*
 * The receive ring that a packet socket shares with the kernel (packet(7), TPACKET_V2): frames are
 * found by looking at memory, without a system call. A frame that is larger than its place in the
 * ring lies there cut off, and whole in the socket's queue (PACKET_COPY_THRESH), to be received by
 * recvmsg(2); so both kinds keep their order, and the ring stays small.
 *
 * Called by the packet link only, by one thread at a time.
 */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/if_packet.h>
#include <linux/virtio_net.h>

struct ring {
    uint8_t *frames; /* NULL: not made */
    uint32_t next;   /* the frame that comes next, */
    uint32_t taken;  /* and so many before it are not given back yet */
};

struct ring_frame {
    const struct virtio_net_hdr *vnet;
    const struct sockaddr_ll *from;
    const uint8_t *octets; /* from the Ethernet header on */
    size_t len;            /* octets that are here, */
    size_t whole;          /* of so many */
    bool queued;           /* all of them are next in the socket's queue */
};

/* Makes the ring of a socket that has PACKET_VNET_HDR and is not bound yet. A child made by fork()
 * does not have it. Negative errno; then nothing is left to be destroyed. */
int ring_create(struct ring *r, int fd);
void ring_destroy(struct ring *r);

/* Takes the next frame, if one has come. Its memory stays as it is until ring_give_back(). */
bool ring_take(struct ring *r, struct ring_frame *f);

/* The frame taken last is not: it comes next again. */
void ring_leave(struct ring *r);

/* All frames taken so far may be written anew. */
void ring_give_back(struct ring *r);

#endif
