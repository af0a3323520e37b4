/* packetdrill's part. See driver.h. */
#include "driver.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PACKET_MAX 65536

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif

/* A sanitizer does not let a library have symbols of its own before all others'. */
#ifdef SANITIZED
#define LOAD_MODE (RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)
#else
#define LOAD_MODE (RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE | RTLD_DEEPBIND)
#endif

void load(struct packetdrill_interface *t, const char *flags)
{
    const char *path = getenv("NSTCP_PACKETDRILL_OBJECT");
    if (!path)
        fail_msg("NSTCP_PACKETDRILL_OBJECT does not say where the object is");
    void *handle = dlopen(path, LOAD_MODE);
    if (!handle)
        fail_msg("%s", dlerror());
    void (*init)(const char *flags, struct packetdrill_interface *t);
    *(void **)&init = dlsym(handle, "packetdrill_interface_init");
    assert_non_null(init);
    memset(t, 0, sizeof *t);
    init(flags, t);
}

long long now_us(const struct packetdrill_interface *t)
{
    struct timeval tv;
    assert_int_equal(t->gettimeofday(t->userdata, &tv, NULL), 0);
    return tv.tv_sec * 1000000LL + tv.tv_usec;
}

void sleep_us(const struct packetdrill_interface *t, long long us)
{
    assert_int_equal(t->usleep(t->userdata, (useconds_t)us), 0);
}

/* ---- Packets ---- */

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

/* RFC 1071, from what was added up before */
static uint16_t checksum(const uint8_t *p, size_t len, uint32_t sum)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += get16(p + i);
    if (len % 2)
        sum += (uint32_t)p[len - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* The pseudo header's part of TCP's sum. */
static uint32_t pseudo_sum(const uint8_t *ip, size_t tcp_len)
{
    uint32_t sum = IPPROTO_TCP + (uint32_t)tcp_len;
    for (size_t i = 12; i < 20; i += 2)
        sum += get16(ip + i);
    return sum;
}

static size_t put_options(uint8_t *p, const struct tcp *tcp)
{
    size_t len = 0;
    if (tcp->mss) {
        put32(p, 0x02040000u | tcp->mss);
        len = 4;
    }
    if (tcp->wscale) {
        put32(p + len, 0x01030300u | (uint32_t)(tcp->wscale - 1));
        len += 4;
    }
    return len;
}

void inject(const struct packetdrill_interface *t, struct tcp tcp)
{
    static uint8_t packet[PACKET_MAX];
    uint8_t *ip = packet, *p = packet + 20;
    memset(packet, 0, sizeof packet);
    size_t header = 20 + put_options(p + 20, &tcp), len = header + tcp.len;
    put16(ip, 0x4500);
    put16(ip + 2, (uint32_t)(20 + len));
    put16(ip + 8, 0xff00 | IPPROTO_TCP);
    put32(ip + 12, REMOTE);
    put32(ip + 16, LOCAL);
    put16(ip + 10, checksum(ip, 20, 0));
    put16(p, tcp.source ? tcp.source : PEER_PORT);
    put16(p + 2, tcp.target ? tcp.target : PORT);
    put32(p + 4, tcp.seq);
    put32(p + 8, tcp.ack);
    put16(p + 12, (uint32_t)(header / 4) << 12 | tcp.flags);
    put16(p + 14, tcp.window ? tcp.window : 65535);
    put16(p + 16, checksum(p, len, pseudo_sum(ip, len)));
    assert_int_equal(t->netdev_send(t->userdata, packet, 20 + len), 0);
    memset(packet, 0xee, sizeof packet); /* it must have been copied */
}

static void get_options(const uint8_t *p, const uint8_t *end, struct tcp *tcp)
{
    while (p < end && *p != 0) {
        if (p[0] == 2)
            tcp->mss = get16(p + 2);
        if (p[0] == 3)
            tcp->wscale = p[2] + 1;
        tcp->sack_ok |= p[0] == 4;
        tcp->ts |= p[0] == 8;
        p += p[0] == 1 ? 1 : p[1];
    }
}

bool sniff(const struct packetdrill_interface *t, struct tcp *tcp)
{
    static uint8_t packet[PACKET_MAX];
    size_t len = sizeof packet;
    *tcp = (struct tcp){0};
    assert_int_equal(t->netdev_receive(t->userdata, packet, &len, &tcp->time_us), 0);
    if (len == 0)
        return false;
    const uint8_t *p = packet + 20;
    assert_int_equal(packet[0], 0x45);
    assert_int_equal(get16(packet + 2), len);
    assert_int_equal(checksum(packet, 20, 0), 0);
    assert_int_equal(checksum(p, len - 20, pseudo_sum(packet, len - 20)), 0);
    size_t header = (size_t)(p[12] >> 4) * 4;
    tcp->source_addr = get32(packet + 12);
    tcp->target_addr = get32(packet + 16);
    tcp->source = get16(p);
    tcp->target = get16(p + 2);
    tcp->seq = get32(p + 4);
    tcp->ack = get32(p + 8);
    tcp->flags = p[13];
    tcp->window = get16(p + 14);
    tcp->len = len - 20 - header;
    get_options(p + 20, p + header, tcp);
    return true;
}

struct tcp must_sniff(const struct packetdrill_interface *t, uint8_t flags, size_t len)
{
    struct tcp tcp;
    assert_true(sniff(t, &tcp));
    assert_int_equal(tcp.flags, flags);
    assert_int_equal(tcp.len, len);
    return tcp;
}

void must_be_silent(const struct packetdrill_interface *t)
{
    struct tcp tcp;
    assert_false(sniff(t, &tcp));
}

/* ---- Sockets ---- */

static struct sockaddr_in address(uint32_t addr)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(addr)};
}

int must_socket(const struct packetdrill_interface *t)
{
    int fd = t->socket(t->userdata, AF_INET, SOCK_STREAM, IPPROTO_TCP);
    assert_true(fd >= 0);
    return fd;
}

int must_bind(const struct packetdrill_interface *t, int fd)
{
    struct sockaddr_in in = address(LOCAL);
    assert_int_equal(t->bind(t->userdata, fd, (struct sockaddr *)&in, sizeof in), 0);
    return fd;
}

int must_listen(const struct packetdrill_interface *t)
{
    int fd = must_bind(t, must_socket(t));
    assert_int_equal(t->listen(t->userdata, fd, 5), 0);
    return fd;
}

int call_connect(const struct packetdrill_interface *t, int fd)
{
    struct sockaddr_in in = address(REMOTE);
    return t->connect(t->userdata, fd, (struct sockaddr *)&in, sizeof in);
}

struct conn must_open(const struct packetdrill_interface *t)
{
    struct conn c = {.listener = must_listen(t), .seq = 1};
    INJECT(t, .flags = SYN, .mss = 1000);
    struct tcp synack = must_sniff(t, SYN | ACK, 0);
    c.ack = synack.seq + 1;
    INJECT(t, .flags = ACK, .seq = c.seq, .ack = c.ack);
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    c.fd = t->accept(t->userdata, c.listener, (struct sockaddr *)&peer, &len);
    assert_true(c.fd >= 0);
    assert_int_equal(len, sizeof peer);
    assert_int_equal(ntohl(peer.sin_addr.s_addr), REMOTE);
    assert_int_equal(ntohs(peer.sin_port), PEER_PORT);
    return c;
}

/* ---- The second thread ---- */

static void *run(void *arg)
{
    struct blocking *b = arg;
    __atomic_store_n(&b->tid, (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
    errno = 0;
    b->result = b->call(b);
    b->error = errno;
    struct timeval tv;
    b->t->gettimeofday(b->t->userdata, &tv, NULL);
    b->end_us = tv.tv_sec * 1000000LL + tv.tv_usec;
    __atomic_store_n(&b->done, true, __ATOMIC_SEQ_CST);
    return NULL;
}

/* As packetdrill looks at it: the third field of /proc/PID/task/TID/stat. */
static bool sleeps(int tid)
{
    char name[64], state = '?';
    snprintf(name, sizeof name, "/proc/self/task/%d/stat", tid);
    FILE *f = fopen(name, "re");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*d (%*[^)]) %c", &state), 1);
    fclose(f);
    return state == 'S';
}

void must_block(struct blocking *b)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run, b), 0);
    b->thread = thread;
    int tid;
    while ((tid = __atomic_load_n(&b->tid, __ATOMIC_SEQ_CST)) == 0)
        sched_yield();
    while (!sleeps(tid)) {
        if (__atomic_load_n(&b->done, __ATOMIC_SEQ_CST))
            fail_msg("the call did not block: %ld, %s", b->result, strerror(b->error));
        sched_yield();
    }
}

void must_end(struct blocking *b)
{
    assert_int_equal(pthread_join((pthread_t)b->thread, NULL), 0);
}
