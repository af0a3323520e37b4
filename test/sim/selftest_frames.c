/* Self test of what is looked at when a packet leaves the engine. See selftest.h. */
#include <stdio.h>

#include "codec.h"
#include "fail.h"
#include "frame.h"
#include "selftest.h"

struct shape {
    uint32_t text_len;
    uint16_t gso_size;
    bool partial, spoil_csum, v6;
    const char *checker;
};

static const struct link_caps caps = {.mtu = 1500, .super_max = 20000, .csum_offload = false};
static const struct link_caps offload = {.mtu = 1500, .super_max = 20000, .csum_offload = true};

static void encode(const struct shape *s, struct packet *p)
{
    static uint8_t text[30000];
    const uint8_t b[16] = {0xfd, 1};
    struct flow flow = {ip_addr_v4(0x0a000001), ip_addr_v4(0x0a000002), 1, 2};
    if (s->v6)
        flow.local = flow.remote = ip_addr_v6_bytes(b);
    struct seg seg = {.flags = TCP_ACK | TCP_FIN, .text_len = s->text_len, .n_text = 1};
    seg.text[0] = (struct bytes){text, s->text_len};
    seg.gso_size = s->gso_size;
    for (uint32_t i = 0; i < s->text_len; i++)
        text[i] = (uint8_t)(i * 7);
    packet_encode(p, &flow, &seg, 0, 64, s->partial);
    p->gso_size = s->gso_size; /* what makes no sense too */
    if (s->spoil_csum)
        p->store[(s->v6 ? 40 : 20) + TCP_CSUM_OFFSET] ^= 1;
}

/* No checker, so its failing needs no self test. */
static void demand(bool holds, const char *what)
{
    if (!holds)
        sim_fail(what, "not so");
}

/* The frame, its pieces and a broken copy, as a receiver sees them. */
static void leave(void *arg)
{
    const struct shape *s = arg;
    struct packet p, in;
    struct rng rng;
    rng_init(&rng, 1);
    encode(s, &p);
    struct frame *f = frame_copy(&p, s->partial ? &offload : &caps);
    struct flow flow;
    struct ip_hdr ip;
    struct seg seg;
    const char *why;
    for (uint32_t at = 0; s->gso_size && at < s->text_len; at += s->gso_size) {
        uint32_t left = s->text_len - at, n = left < s->gso_size ? left : s->gso_size;
        struct frame *piece = frame_piece(f, at, n);
        frame_to_packet(piece, &in, &rng);
        demand(packet_decode(&in, &flow, &ip, &seg, &why) == DECODE_OK, "piece");
        demand(seg.text_len == n && seg.seq.v == at, "piece");
        demand(((seg.flags & TCP_FIN) != 0) == (at + n == s->text_len), "FIN");
        frame_unref(piece);
    }
    frame_finish_csum(f);
    frame_to_packet(f, &in, &rng);
    demand(packet_decode(&in, &flow, &ip, &seg, &why) == DECODE_OK, "finish");
    frame_corrupt(f, &rng);
    frame_to_packet(f, &in, &rng);
    demand(packet_decode(&in, &flow, &ip, &seg, &why) != DECODE_OK, "corrupt");
    frame_unref(f);
}

/* However little there is to cut off, a packet is cut short, whatever its checksum (seed 939180).
 */
static void shorten(void *arg)
{
    (void)arg;
    for (uint32_t port = 0; port < 0x10000; port++) {
        const struct shape s = {.text_len = 1, .partial = true};
        struct packet p;
        struct rng rng;
        rng_init(&rng, port);
        encode(&s, &p);
        p.store[20] = (uint8_t)(port >> 8);
        p.store[21] = (uint8_t)port;
        struct frame *f = frame_copy(&p, &offload);
        uint32_t len = f->len;
        frame_shorten(f, &rng);
        demand(f->len < len, "shorten");
        frame_unref(f);
    }
}

int selftest_frames(void)
{
    static const struct shape shapes[] = {
        {.text_len = 1000},
        {.text_len = 1001, .v6 = true},
        {.text_len = 1001, .partial = true},
        {.text_len = 10001, .gso_size = 1000, .partial = true},
        {.text_len = 9999, .gso_size = 1001, .partial = true, .v6 = true},
        {.text_len = 1000, .spoil_csum = true, .checker = "checksum"},
        {.text_len = 1000, .partial = true, .spoil_csum = true, .checker = "checksum"},
        {.text_len = 1461, .checker = "caps"},
        {.text_len = 1000, .gso_size = 1000, .partial = true, .checker = "caps"},
        {.text_len = 3000, .gso_size = 1461, .partial = true, .checker = "caps"},
        {.text_len = 20001, .gso_size = 1000, .partial = true, .checker = "caps"},
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct shape s = shapes[i];
        char name[16];
        snprintf(name, sizeof name, "frame %zu", i);
        failed += expect(name, leave, &s, s.checker);
    }
    return failed + expect("shorten", shorten, NULL, NULL);
}
