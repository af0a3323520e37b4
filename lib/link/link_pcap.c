/* See link_pcap.h. Numbers in blocks are in host order, which the section header shows. */
#include "link_pcap.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "codec.h"
#include "list.h"
#include "nstime.h"
#include "write_whole.h"

#define BLOCK_SECTION   0x0a0d0d0aU
#define BLOCK_INTERFACE 1
#define BLOCK_PACKET    6
#define BYTE_ORDER_MARK 0x1a2b3c4dU
#define LINKTYPE_RAW    101
#define OPT_IF_TSRESOL  9
#define OPT_EPB_FLAGS   2

enum direction { INBOUND = 1, OUTBOUND = 2 }; /* the lowest bits of epb_flags */

struct link_pcap {
    struct link link;
    struct link *inner;
    struct trace trace;
    int fd;
    pthread_mutex_t lock; /* over the record */
    int error;            /* why the recording has ended; 0: it goes on */
    bool told;
};

struct section_block {
    uint32_t type, len, byte_order;
    uint16_t major, minor;
    uint32_t section_len[2]; /* all ones: not known */
    uint32_t len_again;
};

struct interface_block {
    uint32_t type, len;
    uint16_t linktype, reserved;
    uint32_t snaplen; /* 0: no limit */
    uint16_t opt_tsresol, tsresol_len;
    uint8_t tsresol, pad[3]; /* a negative power of ten */
    uint16_t opt_end, end_len;
    uint32_t len_again;
};

struct packet_block {
    uint32_t type, len, interface, time_high, time_low, captured, original;
};

/* Behind the packet, which is padded to 32 bits. */
struct packet_block_end {
    uint16_t opt_flags, flags_len;
    uint32_t flags;
    uint16_t opt_end, end_len;
    uint32_t len_again;
};

/* The block, the head cut in two by its checksum, the body, padding, the block's end. */
#define PIECES_MAX (6 + SEG_REFS_MAX)

static struct link_pcap *of(const struct link *l)
{
    return container_of((struct link *)(uintptr_t)l, struct link_pcap, link);
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static struct iovec piece(const void *ptr, size_t len)
{
    return (struct iovec){(void *)(uintptr_t)ptr, len}; /* writev() only reads */
}

static int write_beginning(int fd)
{
    struct section_block section = {
        BLOCK_SECTION, sizeof section, BYTE_ORDER_MARK, 1, 0, {UINT32_MAX, UINT32_MAX},
        sizeof section};
    struct interface_block interface = {
        BLOCK_INTERFACE, sizeof interface, LINKTYPE_RAW, 0, 0, OPT_IF_TSRESOL, 1, 9, {0}, 0, 0,
        sizeof interface};
    struct iovec iov[] = {piece(&section, sizeof section), piece(&interface, sizeof interface)};
    return write_whole(fd, iov, 2, NULL);
}

/* The recording has ended; a block that was begun is taken back, from a file. */
static void stop(struct link_pcap *lp, int err, size_t part)
{
    lp->error = -err;
    off_t end = lseek(lp->fd, 0, SEEK_CUR);
    if (end >= (off_t)part && ftruncate(lp->fd, end - (off_t)part) == 0)
        lseek(lp->fd, -(off_t)part, SEEK_CUR);
}

/* Lock held. */
static void record(struct link_pcap *lp, const struct packet *p, enum direction direction,
                   uint64_t at_ns)
{
    static const uint8_t zeros[4];
    if (lp->error)
        return;
    size_t len = packet_len(p), pad = -len & 3;
    uint32_t whole =
        (uint32_t)(sizeof(struct packet_block) + len + pad + sizeof(struct packet_block_end));
    const struct packet_block begin = {
        BLOCK_PACKET,  whole,        0, (uint32_t)(at_ns >> 32), (uint32_t)at_ns,
        (uint32_t)len, (uint32_t)len};
    const struct packet_block_end end = {OPT_EPB_FLAGS, 4, direction, 0, 0, whole};
    struct iovec iov[PIECES_MAX];
    int n = 0;
    size_t at;
    uint8_t checksum[2];
    iov[n++] = piece(&begin, sizeof begin);
    if (p->csum == CSUM_PARTIAL && packet_checksum(p, &at, checksum)) {
        iov[n++] = piece(p->head.ptr, at);
        iov[n++] = piece(checksum, 2);
        iov[n++] = piece(p->head.ptr + at + 2, p->head.len - at - 2);
    } else {
        iov[n++] = piece(p->head.ptr, p->head.len);
    }
    for (unsigned i = 0; i < p->n_body; i++)
        iov[n++] = piece(p->body[i].ptr, p->body[i].len);
    iov[n++] = piece(zeros, pad);
    iov[n++] = piece(&end, sizeof end);
    size_t part;
    int err = write_whole(lp->fd, iov, n, &part);
    if (err)
        stop(lp, err, part);
}

/* The lock is held while the packets go out, or the answer could be recorded before them. */
static size_t send_packets(struct link *l, const struct packet *p, size_t n)
{
    struct link_pcap *lp = of(l);
    pthread_mutex_lock(&lp->lock);
    uint64_t now = clock_ns(CLOCK_REALTIME);
    size_t sent = lp->inner->ops->send(lp->inner, p, n);
    for (size_t i = 0; i < sent; i++)
        record(lp, &p[i], OUTBOUND, now);
    if (lp->error && !lp->told) {
        char text[100];
        snprintf(text, sizeof text, "PcapEnded: %s", strerror(lp->error));
        TRACE(&lp->trace, TRACE_EVENT, .now_ns = clock_ns(CLOCK_MONOTONIC), .text = text);
        lp->told = true;
    }
    pthread_mutex_unlock(&lp->lock);
    return sent;
}

static size_t recv_packets(struct link *l, struct packet *p, size_t n)
{
    struct link_pcap *lp = of(l);
    size_t taken = lp->inner->ops->recv(lp->inner, p, n);
    if (taken == 0)
        return 0;
    pthread_mutex_lock(&lp->lock);
    uint64_t now = clock_ns(CLOCK_REALTIME);
    for (size_t i = 0; i < taken; i++)
        record(lp, &p[i], INBOUND, now);
    pthread_mutex_unlock(&lp->lock);
    return taken;
}

static void doubt(struct link *l, const struct ip_addr *dst)
{
    struct link *inner = of(l)->inner;
    if (inner->ops->doubt)
        inner->ops->doubt(inner, dst);
}

static int poll_fd(const struct link *l)
{
    return of(l)->inner->ops->poll_fd(of(l)->inner);
}

static void destroy(struct link *l)
{
    struct link_pcap *lp = of(l);
    lp->inner->ops->destroy(lp->inner);
    pthread_mutex_destroy(&lp->lock);
    free(lp);
}

static void expect(struct link *l, const struct link_expect *e)
{
    struct link *inner = of(l)->inner;
    if (inner->ops->expect)
        inner->ops->expect(inner, e);
}

static const struct link_ops ops = {
    .send = send_packets,
    .recv = recv_packets,
    .expect = expect,
    .doubt = doubt,
    .poll_fd = poll_fd,
    .destroy = destroy,
};

int link_pcap_create(struct link **out, struct link *inner, int fd, const struct trace *trace)
{
    struct link_pcap *lp = calloc(1, sizeof *lp);
    int err = lp ? write_beginning(fd) : -ENOMEM;
    if (err) {
        free(lp);
        return err;
    }
    lp->link = (struct link){&ops, inner->caps};
    lp->inner = inner;
    lp->trace = *trace;
    lp->fd = fd;
    pthread_mutex_init(&lp->lock, NULL);
    *out = &lp->link;
    return 0;
}
