/* link_pcap.c and write_whole.c: what a wrapped pair leaves in the record. */
#include "link_pcap.h"
#include "support.h"

#include "codec.h"
#include "nstime.h"
#include "pair.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define INBOUND  1U
#define OUTBOUND 2U

static const struct trace no_trace;
static const struct pair_config config = {
    .caps = {.mtu = 1500, .super_max = 64000, .csum_offload = true}, .queue_max = 4};
static uint8_t text[70000];

/* A wrapped end, the other end, and the record. */
struct wrapped {
    struct link *a, *b;
    int fd;
};

static struct wrapped wrap(int fd, const struct trace *trace)
{
    struct wrapped w = {.fd = fd};
    assert_int_equal(pair_create(&config, &w.a, &w.b), 0);
    assert_int_equal(link_pcap_create(&w.a, w.a, fd, trace), 0);
    return w;
}

static struct wrapped wrap_file(const struct trace *trace)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    struct wrapped w = wrap(dup(fileno(file)), trace);
    fclose(file);
    return w;
}

static void end(struct wrapped *w)
{
    w->a->ops->destroy(w->a);
    w->b->ops->destroy(w->b);
    close(w->fd);
}

/* A segment of that much text, in two pieces, whose checksum is left to the device. */
static void segment(struct packet *p, bool v6, size_t len, bool partial)
{
    struct flow f = {.local = ip_addr_v4(0x0a000001),
                     .remote = ip_addr_v4(0x0a000101),
                     .local_port = 61000,
                     .remote_port = 40000};
    if (v6) {
        f.local = ip_addr_v6_bytes((const uint8_t[16]){0xfd, [15] = 1});
        f.remote = ip_addr_v6_bytes((const uint8_t[16]){0xfd, [15] = 2});
    }
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7 >> 3);
    struct seg s = {.seq = {1000}, .flags = TCP_ACK, .wnd = 100, .text_len = (uint32_t)len};
    if (len > 0) {
        s.text[0] = (struct bytes){text, len / 3};
        s.text[1] = (struct bytes){text + len / 3, len - len / 3};
        s.n_text = 2;
    }
    packet_encode(p, &f, &s, 0, 64, partial);
    p->gso_size = len > 1460 ? 1400 : 0;
}

static uint64_t wall_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* ---- reading the record, by the words of the draft ---- */

struct record {
    uint8_t octets[200000];
    size_t len, at;
};

static uint32_t u32(const struct record *r, size_t at)
{
    uint32_t v;
    assert_true(at + 4 <= r->len);
    memcpy(&v, r->octets + at, 4);
    return v;
}

static uint16_t u16(const struct record *r, size_t at)
{
    uint16_t v;
    assert_true(at + 2 <= r->len);
    memcpy(&v, r->octets + at, 2);
    return v;
}

/* Goes past a block of this type; where it begins. */
static size_t block(struct record *r, uint32_t type)
{
    size_t at = r->at;
    assert_int_equal(u32(r, at), type);
    uint32_t len = u32(r, at + 4);
    assert_int_equal(len % 4, 0);
    assert_int_equal(u32(r, at + len - 4), len);
    r->at += len;
    return at;
}

/* 4.1 Section Header Block, 4.2 Interface Description Block. */
static void read_record(const struct wrapped *w, struct record *r)
{
    ssize_t n = pread(w->fd, r->octets, sizeof r->octets, 0);
    assert_true(n > 0 && n < (ssize_t)sizeof r->octets);
    r->len = (size_t)n;
    r->at = 0;
    size_t at = block(r, 0x0a0d0d0a);
    assert_int_equal(u32(r, at + 8), 0x1a2b3c4d);
    assert_int_equal(u16(r, at + 12), 1); /* version 1.0 */
    assert_int_equal(u16(r, at + 14), 0);
    assert_int_equal(u32(r, at + 16), 0xffffffff);
    assert_int_equal(u32(r, at + 20), 0xffffffff);
    at = block(r, 1);
    assert_int_equal(u16(r, at + 8), 101); /* LINKTYPE_RAW */
    assert_int_equal(u32(r, at + 12), 0);
    assert_int_equal(u16(r, at + 16), 9); /* if_tsresol: 10^-9 */
    assert_int_equal(u16(r, at + 18), 1);
    assert_int_equal(r->octets[at + 20], 9);
}

/* 4.3 Enhanced Packet Block: the next one is this packet, complete. Returns its time. */
static uint64_t next_is(struct record *r, const struct packet *p, uint32_t direction)
{
    size_t at = block(r, 6), len = packet_len(p);
    assert_int_equal(u32(r, at + 8), 0);
    assert_int_equal(u32(r, at + 20), len);
    assert_int_equal(u32(r, at + 24), len);
    size_t options = at + 28 + (len + 3) / 4 * 4;
    assert_int_equal(u16(r, options), 2);
    assert_int_equal(u16(r, options + 2), 4);
    assert_int_equal(u32(r, options + 4), direction);
    assert_int_equal(u32(r, options + 8), 0);
    assert_int_equal(options + 16, r->at);

    struct packet got = {.head = {r->octets + at + 28, len}};
    struct flow flow;
    struct ip_hdr ip;
    struct seg seg;
    const char *why;
    assert_int_equal(packet_decode(&got, &flow, &ip, &seg, &why), DECODE_OK);
    size_t left = len;
    const uint8_t *octets = got.head.ptr;
    for (int i = -1; i < p->n_body; i++) {
        const struct bytes *b = i < 0 ? &p->head : &p->body[i];
        size_t field = i < 0 && p->csum == CSUM_PARTIAL ? ip_hdr_len(&ip.dst) + 16 : b->len;
        assert_memory_equal(octets, b->ptr, field);
        if (field < b->len)
            assert_memory_equal(octets + field + 2, b->ptr + field + 2, b->len - field - 2);
        octets += b->len;
        left -= b->len;
    }
    assert_int_equal(left, 0);
    return (uint64_t)u32(r, at + 12) << 32 | u32(r, at + 16);
}

/* ---- the tests ---- */

static void sent_and_received(void **state)
{
    (void)state;
    static struct record r;
    for (int v6 = 0; v6 < 2; v6++) {
        struct wrapped w = wrap_file(&no_trace);
        assert_memory_equal(&w.a->caps, &config.caps, sizeof w.a->caps);
        assert_int_equal(w.a->ops->recv(w.a, &(struct packet){0}, 1), 0);
        struct packet out[3], in[2], got[3];
        segment(&out[0], v6, 0, false);
        segment(&out[1], v6, 63999, true);
        segment(&out[2], v6, 5, true);
        segment(&in[0], v6, 1001, true);
        segment(&in[1], v6, 2, false);
        uint64_t before = wall_ns();
        assert_int_equal(w.a->ops->send(w.a, out, 3), 3);
        assert_int_equal(w.b->ops->recv(w.b, got, 3), 3); /* unchanged */
        assert_int_equal(got[1].csum, CSUM_PARTIAL);
        assert_int_equal(got[1].gso_size, 1400);
        assert_memory_equal(got[1].head.ptr, out[1].head.ptr, out[1].head.len);
        assert_int_equal(w.b->ops->send(w.b, in, 2), 2);
        assert_int_equal(w.a->ops->recv(w.a, got, 3), 2);
        uint64_t after = wall_ns();
        read_record(&w, &r);
        uint64_t last = before;
        for (int i = 0; i < 5; i++) {
            uint64_t at = next_is(&r, i < 3 ? &out[i] : &in[i - 3], i < 3 ? OUTBOUND : INBOUND);
            assert_in_range(at, last, after);
            last = at;
        }
        assert_int_equal(r.at, r.len);
        end(&w);
    }
}

/* What a busy device did not take is not in the record, and comes once when it did. */
static void only_what_was_taken(void **state)
{
    (void)state;
    static struct record r;
    struct wrapped w = wrap_file(&no_trace);
    struct packet p[6], got;
    for (int i = 0; i < 6; i++)
        segment(&p[i], false, (size_t)i, true);
    assert_int_equal(w.a->ops->send(w.a, p, 6), 4);
    assert_int_equal(w.b->ops->recv(w.b, &got, 1), 1);
    assert_int_equal(w.a->ops->send(w.a, p + 4, 2), 1);
    read_record(&w, &r);
    for (int i = 0; i < 5; i++)
        next_is(&r, &p[i], OUTBOUND);
    assert_int_equal(r.at, r.len);
    end(&w);
}

/* Something else than TCP, and what is not even IP, stays as it is. */
static void not_tcp(void **state)
{
    (void)state;
    static struct record r;
    struct wrapped w = wrap_file(&no_trace);
    struct packet p[2] = {{.head = {(const uint8_t *)"what?", 5}, .csum = CSUM_PARTIAL}};
    segment(&p[1], true, 0, true);
    p[1].store[6] = IP_PROTO_ICMP6;
    assert_int_equal(w.a->ops->send(w.a, p, 2), 2);
    read_record(&w, &r);
    size_t at = block(&r, 6);
    assert_memory_equal(r.octets + at + 28, "what?\0\0\0", 8);
    at = block(&r, 6);
    assert_memory_equal(r.octets + at + 28, p[1].head.ptr, p[1].head.len);
    assert_int_equal(r.at, r.len);
    end(&w);
}

static void count_points(void *ctx, const struct trace_point *point)
{
    assert_int_equal(point->kind, TRACE_EVENT);
    assert_non_null(strstr(point->text, "PcapEnded: "));
    ++*(int *)ctx;
}

/* A file that may not get longer, in the middle of a block: the record ends with the one before,
 * and no SIGXFSZ ends the program. */
static void full_disk(void **state)
{
    (void)state;
    static struct record r;
    int told = 0;
    struct wrapped w = wrap_file(&(struct trace){count_points, &told});
    struct packet p[3], got[3];
    for (int i = 0; i < 3; i++)
        segment(&p[i], false, 100, true);
    struct rlimit before, limit;
    getrlimit(RLIMIT_FSIZE, &before);
    limit = (struct rlimit){400, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_int_equal(w.a->ops->send(w.a, p, 3), 3);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(told, 1);
    assert_int_equal(w.a->ops->send(w.a, p, 1), 1);
    assert_int_equal(told, 1);
    assert_int_equal(w.b->ops->recv(w.b, got, 3), 3);
    assert_int_equal(w.b->ops->send(w.b, got, 1), 1);
    assert_int_equal(w.a->ops->recv(w.a, got, 3), 1);
    read_record(&w, &r);
    next_is(&r, &p[0], OUTBOUND);
    assert_int_equal(r.at, r.len);
    end(&w);
}

/* A reader that is gone: no SIGPIPE, and the packets go on. */
static void reader_gone(void **state)
{
    (void)state;
    int told = 0, fds[2];
    assert_int_equal(pipe(fds), 0);
    struct wrapped w = wrap(fds[1], &(struct trace){count_points, &told});
    struct packet p[2], got[2];
    segment(&p[0], false, 100, true);
    segment(&p[1], false, 100, true);
    close(fds[0]);
    assert_int_equal(w.a->ops->send(w.a, p, 2), 2);
    assert_int_equal(w.b->ops->recv(w.b, got, 2), 2);
    assert_int_equal(told, 1);
    end(&w);
}

static void no_beginning(void **state)
{
    (void)state;
    struct link *a, *b, *none;
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(pair_create(&config, &a, &b), 0);
    assert_int_equal(link_pcap_create(&none, a, fileno(full), &no_trace), -ENOSPC);
    a->ops->destroy(a); /* still ours */
    b->ops->destroy(b);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sent_and_received), cmocka_unit_test(only_what_was_taken),
        cmocka_unit_test(not_tcp),           cmocka_unit_test(full_disk),
        cmocka_unit_test(reader_gone),       cmocka_unit_test(no_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
