/* pcap_fd of a stack: what passes is recorded while all threads of two busy stacks write; and what
 * only a record shows. */
#include "two_stacks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LEN (4 << 20)

static uint8_t text[LEN];

struct side {
    struct nstcp *stack;
    int sock;
};

static void *send_text(void *arg)
{
    const struct side *side = arg;
    must_send(side->stack, side->sock, text, LEN);
    assert_int_equal(nstcp_shutdown(side->stack, side->sock, SHUT_WR), 0);
    return NULL;
}

/* The octets of all packets; every block must be whole. */
static size_t recorded(int fd)
{
    size_t len = (size_t)lseek(fd, 0, SEEK_END), octets = 0;
    uint8_t *blocks = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(blocks, MAP_FAILED);
    for (size_t at = 0; at < len;) {
        uint32_t head[6], end;
        memcpy(head, blocks + at, sizeof head);
        assert_true(head[0] == 0x0a0d0d0a || head[0] == 1 || head[0] == 6);
        assert_true(head[1] <= len - at);
        memcpy(&end, blocks + at + head[1] - 4, sizeof end);
        assert_int_equal(end, head[1]);
        octets += head[0] == 6 ? head[5] : 0;
        at += head[1];
    }
    munmap(blocks, len);
    return octets;
}

/* Both stacks append to one file: each text is sent once, and received once. */
static void both_ways(void **state)
{
    (void)state;
    char name[] = "/tmp/record-XXXXXX";
    int fd = mkostemp(name, O_APPEND);
    assert_true(fd > 0);
    unlink(name);
    const struct two_config config = {.super_max = 64000, .options = {.pcap_fd = fd}};
    struct two t;
    struct side left, right;
    two_up(&t, &config);
    left.stack = t.left;
    right.stack = t.right;
    must_pair(&t, &left.sock, &right.sock);
    pattern(text, LEN, 0);
    pthread_t threads[] = {must_thread(send_text, &left), must_thread(send_text, &right)};
    must_recv_all(left.stack, left.sock, text, LEN);
    must_recv_all(right.stack, right.sock, text, LEN);
    must_join(threads[0]);
    must_join(threads[1]);
    two_down(&t);
    assert_true(recorded(fd) > 4 * (size_t)LEN);
    close(fd);
}

/* The ISN of the first SYN of a fresh stack, always of the same four-tuple: as it is recorded. */
static uint32_t first_isn(void)
{
    char name[] = "/tmp/record-XXXXXX";
    int fd = mkostemp(name, O_APPEND);
    assert_true(fd > 0);
    unlink(name);
    const struct two_config config = {.options = {.pcap_fd = fd}};
    struct two t;
    two_up(&t, &config);
    int listener = must_listen(t.right, "10.0.1.1", PORT), sock = must_socket(t.left);
    struct sockaddr_in from = addr4("10.0.0.1", 61000), to = addr4("10.0.1.1", PORT);
    assert_int_equal(nstcp_bind(t.left, sock, (struct sockaddr *)&from, sizeof from), 0);
    assert_int_equal(nstcp_connect(t.left, sock, (struct sockaddr *)&to, sizeof to), 0);
    must_close(t.right, listener);
    two_down(&t);

    uint8_t octets[4096];
    ssize_t len = pread(fd, octets, sizeof octets, 0);
    close(fd);
    for (size_t at = 0; at + 56 < (size_t)len;) {
        uint32_t head[2];
        memcpy(head, octets + at, sizeof head);
        const uint8_t *p = octets + at + 28; /* an enhanced packet block's packet */
        if (head[0] == 6 && p[9] == 6 && p[33] == 2)
            return (uint32_t)p[24] << 24 | (uint32_t)p[25] << 16 | (uint32_t)p[26] << 8 | p[27];
        at += head[1];
    }
    fail_msg("no SYN was recorded");
    return 0;
}

/* RFC 6528 3, 4: each stack has a secret of its own, from the system's random source. Numbers of
 * stacks that follow each other within seconds are further apart than the clock has gone. */
static void secrets_differ(void **state)
{
    (void)state;
    uint32_t a = first_isn(), b = first_isn(), c = first_isn(), minute = 60 * 250000;
    assert_true(b - a > minute || c - b > minute); /* both by chance: once in 80000 */
}

/* A record that can't even begin: no stack, and all is freed. */
static void no_beginning(void **state)
{
    (void)state;
    const struct nstcp_options options = {.pcap_fd = open("/dev/full", O_WRONLY)};
    assert_true(options.pcap_fd > 0);
    must_not_create(&options, ENOSPC, "write to pcap_fd: No space left on device");
    close(options.pcap_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
        cmocka_unit_test(secrets_differ),
        cmocka_unit_test(no_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
