/* See ring.h. The fields of a frame are the kernel's until its status says otherwise. */
#include "ring.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* A frame of an Ethernet with the usual MTU fits, with what the kernel puts before it. */
#define FRAME_SIZE 2048u
#define FRAMES     4096u
#define BLOCK_SIZE 65536u
#define RING_SIZE  ((size_t)FRAME_SIZE * FRAMES)

/* The kernel puts a frame's IP header behind its own header, aligned to 16, and the virtio header:
 * so many more, and it is aligned again. */
#define RESERVE (16 - sizeof(struct virtio_net_hdr))

/* Where the kernel puts the address: TPACKET_ALIGN(sizeof(struct tpacket2_hdr)). */
#define ADDRESS_AT 32
_Static_assert(sizeof(struct tpacket2_hdr) == ADDRESS_AT, "a multiple of TPACKET_ALIGNMENT");

static int set(int fd, int name, const void *value, size_t len)
{
    return setsockopt(fd, SOL_PACKET, name, value, (socklen_t)len) < 0 ? -errno : 0;
}

int ring_create(struct ring *r, int fd)
{
    const int version = TPACKET_V2, reserve = RESERVE, queue_large = 1;
    const struct tpacket_req req = {
        .tp_block_size = BLOCK_SIZE,
        .tp_block_nr = RING_SIZE / BLOCK_SIZE,
        .tp_frame_size = FRAME_SIZE,
        .tp_frame_nr = FRAMES,
    };
    int err = set(fd, PACKET_VERSION, &version, sizeof version);
    if (err == 0)
        err = set(fd, PACKET_RESERVE, &reserve, sizeof reserve);
    if (err == 0)
        err = set(fd, PACKET_COPY_THRESH, &queue_large, sizeof queue_large);
    if (err == 0)
        err = set(fd, PACKET_RX_RING, &req, sizeof req);
    if (err < 0)
        return err;
    void *frames = mmap(NULL, RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (frames == MAP_FAILED)
        return -errno;
    if (madvise(frames, RING_SIZE, MADV_DONTFORK) < 0) { /* it would keep the socket open */
        err = -errno;
        munmap(frames, RING_SIZE);
        return err;
    }
    *r = (struct ring){.frames = frames};
    return 0;
}

void ring_destroy(struct ring *r)
{
    if (r->frames)
        munmap(r->frames, RING_SIZE);
}

static struct tpacket2_hdr *header(const struct ring *r, uint32_t at)
{
    return (struct tpacket2_hdr *)(void *)(r->frames + (size_t)(at % FRAMES) * FRAME_SIZE);
}

bool ring_take(struct ring *r, struct ring_frame *f)
{
    const struct tpacket2_hdr *h = header(r, r->next);
    uint32_t status = __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE);
    if (!(status & TP_STATUS_USER) || r->taken == FRAMES)
        return false;
    const uint8_t *frame = (const uint8_t *)h, *octets = frame + h->tp_mac;
    *f = (struct ring_frame){
        .vnet = (const void *)(octets - sizeof *f->vnet),
        .from = (const void *)(frame + ADDRESS_AT),
        .octets = octets,
        .len = h->tp_snaplen,
        .whole = h->tp_len,
        .queued = (status & TP_STATUS_COPY) != 0,
    };
    r->next++;
    r->taken++;
    return true;
}

void ring_leave(struct ring *r)
{
    r->next--;
    r->taken--;
}

void ring_give_back(struct ring *r)
{
    for (; r->taken > 0; r->taken--)
        __atomic_store_n(&header(r, r->next - r->taken)->tp_status, TP_STATUS_KERNEL,
                         __ATOMIC_RELEASE);
}
