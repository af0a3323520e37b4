/* pcap_fd of a stack: what passes is recorded while all threads of two busy stacks write. */
#include "two_stacks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "api_priv.h"
#include "pair.h"

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

static void destroy_nothing(struct host *h)
{
    (void)h;
}

/* A record that can't even begin: no stack, and all is freed. */
static void no_beginning(void **state)
{
    (void)state;
    static const struct host_ops ops = {.destroy = destroy_nothing};
    struct host host = {&ops};
    const struct pair_config config = {.caps = {.mtu = 1500}, .queue_max = 1};
    struct link *a, *b;
    struct nstcp *stack;
    char why[NSTCP_WHY_MAX];
    const struct nstcp_options options = {.pcap_fd = open("/dev/full", O_WRONLY)};
    assert_true(options.pcap_fd > 0);
    assert_int_equal(pair_create(&config, &a, &b), 0);
    assert_fails(nstcp_create_on(&stack, &options, a, &host, why), ENOSPC);
    assert_string_equal(why, "write to pcap_fd: No space left on device");
    b->ops->destroy(b);
    close(options.pcap_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
        cmocka_unit_test(no_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
