/* epoll, pipe and splice of the table. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "driver.h"

static struct packetdrill_interface t;
static struct conn c;
static int epfd;

static int begin(void **state)
{
    (void)state;
    load(&t, NULL);
    c = must_open(&t);
    epfd = t.epoll_create(t.userdata, 1);
    assert_true(epfd >= 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    t.free(t.userdata);
    return 0;
}

static void control(int op, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = 0x1234567890};
    assert_int_equal(t.epoll_ctl(t.userdata, epfd, op, c.fd, &event), 0);
}

/* What is reported now: the events, 0 for none. */
static uint32_t look(void)
{
    struct epoll_event events[3] = {0};
    int n = t.epoll_wait(t.userdata, epfd, events, 3, 0);
    assert_true(n == 0 || n == 1);
    if (n == 1)
        assert_true(events[0].data.u64 == 0x1234567890);
    return events[0].events;
}

static void text_arrives(size_t len)
{
    INJECT(&t, .flags = ACK, .seq = c.seq, .ack = c.ack, .len = len);
    c.seq += (uint32_t)len;
}

static void level(void **state)
{
    (void)state;
    char buf[100];
    control(EPOLL_CTL_ADD, EPOLLIN);
    assert_int_equal(look(), 0);
    text_arrives(100);
    assert_int_equal(look(), EPOLLIN);
    assert_int_equal(look(), EPOLLIN);
    control(EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
    assert_int_equal(look(), EPOLLIN | EPOLLOUT);
    assert_int_equal(t.read(t.userdata, c.fd, buf, sizeof buf), sizeof buf);
    assert_int_equal(look(), EPOLLOUT);
    INJECT(&t, .flags = FIN | ACK, .seq = c.seq, .ack = c.ack);
    assert_int_equal(look(), EPOLLIN | EPOLLOUT | EPOLLRDHUP);
    control(EPOLL_CTL_DEL, 0);
    assert_int_equal(look(), 0);
}

/* epoll(7): an edge for each arrival, whether the one before was read or not. */
static void edge_of_text(void **state)
{
    (void)state;
    char buf[10];
    control(EPOLL_CTL_ADD, EPOLLIN | EPOLLET);
    assert_int_equal(look(), 0);
    text_arrives(100);
    assert_int_equal(look(), EPOLLIN);
    assert_int_equal(look(), 0);
    assert_int_equal(t.read(t.userdata, c.fd, buf, sizeof buf), sizeof buf);
    assert_int_equal(look(), 0);
    text_arrives(1);
    text_arrives(1);
    assert_int_equal(look(), EPOLLIN);
    assert_int_equal(look(), 0);
    control(EPOLL_CTL_MOD, EPOLLIN | EPOLLET);
    assert_int_equal(look(), EPOLLIN);
    INJECT(&t, .flags = RST | ACK, .seq = c.seq, .ack = c.ack);
    assert_int_equal(look(), EPOLLIN | EPOLLERR | EPOLLHUP);
}

/* Room in the send queue, a third of it, is an edge when there was none before, not at each
 * acknowledgment. */
static void edge_of_room(void **state)
{
    (void)state;
    static char buf[20000];
    assert_int_equal(
        t.setsockopt(t.userdata, c.fd, SOL_SOCKET, SO_SNDBUF, &(int){5000}, sizeof(int)), 0);
    assert_int_equal(t.fcntl(t.userdata, c.fd, F_SETFL, O_NONBLOCK), 0);
    control(EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT | EPOLLET);
    assert_int_equal(look(), EPOLLOUT); /* from the beginning */
    assert_int_equal(look(), 0);
    assert_int_equal(t.write(t.userdata, c.fd, buf, 100), 100);
    must_sniff(&t, PSH | ACK, 100);
    c.ack += 100;
    INJECT(&t, .flags = ACK, .seq = c.seq, .ack = c.ack);
    assert_int_equal(look(), 0);
    assert_true(t.write(t.userdata, c.fd, buf, sizeof buf) < (ssize_t)sizeof buf);
    assert_fails(t.write(t.userdata, c.fd, buf, 1), EAGAIN);
    assert_int_equal(look(), 0);
    struct tcp text;
    assert_true(sniff(&t, &text));
    INJECT(&t, .flags = ACK, .seq = c.seq, .ack = c.ack + 1000);
    assert_int_equal(look(), 0);
    INJECT(&t, .flags = ACK, .seq = c.seq, .ack = c.ack + 2000);
    assert_int_equal(look(), EPOLLOUT);
    assert_int_equal(look(), 0);
}

static void oneshot(void **state)
{
    (void)state;
    control(EPOLL_CTL_ADD, EPOLLIN | EPOLLONESHOT);
    text_arrives(1);
    assert_int_equal(look(), EPOLLIN);
    text_arrives(1);
    assert_int_equal(look(), 0);
    control(EPOLL_CTL_MOD, EPOLLIN | EPOLLONESHOT);
    assert_int_equal(look(), EPOLLIN);
    assert_int_equal(look(), 0);
}

static long do_wait(struct blocking *b)
{
    struct epoll_event event;
    return t.epoll_wait(t.userdata, b->fd, &event, 1, 500);
}

static void waits(void **state)
{
    (void)state;
    control(EPOLL_CTL_ADD, EPOLLIN | EPOLLET);
    struct blocking b = {.t = &t, .call = do_wait, .fd = epfd};
    must_block(&b);
    sleep_us(&t, 400000);
    long long at = now_us(&t);
    text_arrives(1);
    sleep_us(&t, 400000);
    must_end(&b);
    assert_int_equal(b.result, 1);
    assert_int_equal(b.end_us, at + 1);

    struct blocking late = {.t = &t, .call = do_wait, .fd = epfd};
    at = now_us(&t);
    must_block(&late);
    sleep_us(&t, 10000000);
    must_end(&late);
    assert_int_equal(late.result, 0);
    assert_int_equal(late.end_us, at + 500000 + 1);
}

/* A socket that is closed is not watched any more; nor is one by an epoll that is closed. */
static void closed(void **state)
{
    (void)state;
    control(EPOLL_CTL_ADD, EPOLLIN);
    text_arrives(1);
    assert_int_equal(look(), EPOLLIN);
    assert_int_equal(t.close(t.userdata, c.fd), 0);
    assert_int_equal(look(), 0);
    c.fd = c.listener;
    control(EPOLL_CTL_ADD, EPOLLIN);
    assert_int_equal(t.close(t.userdata, epfd), 0);
    assert_fails(t.epoll_wait(t.userdata, epfd, &(struct epoll_event){0}, 1, 0), EBADF);
    INJECT(&t, .flags = SYN, .source = 40001);
}

/* The same while a thread waits: it has nothing left to wait for but its time limit. */
static void closed_while_waiting(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        control(EPOLL_CTL_ADD, EPOLLIN);
        struct blocking b = {.t = &t, .call = do_wait, .fd = epfd};
        must_block(&b);
        assert_int_equal(t.close(t.userdata, i ? epfd : c.fd), 0);
        sleep_us(&t, 600000);
        must_end(&b);
        assert_int_equal(b.result, 0);
        c.fd = c.listener;
    }
}

static void wrong(void **state)
{
    (void)state;
    struct epoll_event event = {.events = EPOLLIN};
    int ends[2];
    assert_int_equal(t.pipe(t.userdata, ends), 0);
    assert_fails(t.epoll_create(t.userdata, 0), EINVAL);
    assert_fails(t.epoll_ctl(t.userdata, epfd, EPOLL_CTL_MOD, c.fd, &event), ENOENT);
    assert_fails(t.epoll_ctl(t.userdata, epfd, EPOLL_CTL_DEL, c.fd, &event), ENOENT);
    control(EPOLL_CTL_ADD, EPOLLIN);
    assert_fails(t.epoll_ctl(t.userdata, epfd, EPOLL_CTL_ADD, c.fd, &event), EEXIST);
    assert_fails(t.epoll_ctl(t.userdata, epfd, 77, c.fd, &event), EINVAL);
    assert_fails(t.epoll_ctl(t.userdata, epfd, EPOLL_CTL_ADD, ends[0], &event), EPERM);
    assert_fails(t.epoll_ctl(t.userdata, epfd, EPOLL_CTL_ADD, 12345, &event), EBADF);
    assert_fails(t.epoll_ctl(t.userdata, c.fd, EPOLL_CTL_ADD, c.fd, &event), EINVAL);
    assert_fails(t.epoll_wait(t.userdata, epfd, &event, 0, 0), EINVAL);
    assert_fails(t.epoll_wait(t.userdata, c.fd, &event, 1, 0), EINVAL);
}

/* ---- splice ---- */

static int splice_it(int in, int out, size_t len, unsigned flags)
{
    loff_t zero = 0;
    return t.splice(t.userdata, in, &zero, out, &zero, len, flags);
}

static void splices(void **state)
{
    (void)state;
    char buf[200000] = {0};
    int ends[2];
    assert_int_equal(t.pipe(t.userdata, ends), 0);
    assert_fails(splice_it(c.fd, ends[1], 100, SPLICE_F_NONBLOCK), EAGAIN);
    assert_fails(splice_it(ends[0], c.fd, 100, SPLICE_F_NONBLOCK), EAGAIN);
    text_arrives(1000);
    assert_int_equal(splice_it(c.fd, ends[1], 400, 0), 400);
    assert_int_equal(splice_it(c.fd, ends[1], 4000, 0), 600);
    assert_int_equal(t.read(t.userdata, ends[0], buf, 100), 100);
    assert_int_equal(splice_it(ends[0], c.fd, 4000, 0), 900);
    must_sniff(&t, PSH | ACK, 900);
    assert_int_equal(t.write(t.userdata, ends[1], buf, 50), 50);
    assert_int_equal(splice_it(ends[0], c.fd, 50, 0), 50);
    assert_fails(splice_it(ends[0], ends[1], 1, 0), EINVAL);
    assert_int_equal(t.close(t.userdata, ends[1]), 0);
    assert_fails(splice_it(c.fd, ends[1], 1, 0), EBADF);
}

/* What the pipe, or the send queue, has no room for stays where it is. */
static void splices_no_more_than_fits(void **state)
{
    (void)state;
    static char buf[60000];
    int ends[2], n;
    assert_int_equal(t.pipe(t.userdata, ends), 0);
    assert_int_equal(t.write(t.userdata, ends[1], buf, sizeof buf), sizeof buf);
    text_arrives(10000);
    int moved = splice_it(c.fd, ends[1], 10000, 0);
    assert_int_equal(moved, 65536 - 60000);
    assert_fails(splice_it(c.fd, ends[1], 10000, SPLICE_F_NONBLOCK), EAGAIN);
    assert_int_equal(t.ioctl(t.userdata, c.fd, FIONREAD, &n), 0);
    assert_int_equal(n, 10000 - moved);
    assert_int_equal(
        t.setsockopt(t.userdata, c.fd, SOL_SOCKET, SO_SNDBUF, &(int){5000}, sizeof(int)), 0);
    assert_int_equal(splice_it(ends[0], c.fd, 10000, 0), 5000);
    assert_fails(splice_it(ends[0], c.fd, 10000, SPLICE_F_NONBLOCK), EAGAIN);
    assert_int_equal(ioctl(ends[0], FIONREAD, &n), 0);
    assert_int_equal(n, 65536 - 5000);
}

static long do_splice(struct blocking *b)
{
    return splice_it(b->fd, c.fd, 5000, 0);
}

static void splice_waits_for_room(void **state)
{
    (void)state;
    static char buf[20000];
    int ends[2];
    assert_int_equal(t.pipe(t.userdata, ends), 0);
    assert_int_equal(t.write(t.userdata, ends[1], buf, sizeof buf), sizeof buf);
    assert_int_equal(
        t.setsockopt(t.userdata, c.fd, SOL_SOCKET, SO_SNDBUF, &(int){5000}, sizeof(int)), 0);
    assert_int_equal(splice_it(ends[0], c.fd, 10000, 0), 5000);
    struct blocking b = {.t = &t, .call = do_splice, .fd = ends[0]};
    must_block(&b);
    struct tcp text;
    assert_true(sniff(&t, &text));
    INJECT(&t, .flags = ACK, .seq = c.seq, .ack = text.seq + 2000);
    now_us(&t);
    must_end(&b);
    assert_int_equal(b.result, 2000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(level),
        TEST(edge_of_text),
        TEST(edge_of_room),
        TEST(oneshot),
        TEST(waits),
        TEST(closed),
        TEST(closed_while_waiting),
        TEST(wrong),
        TEST(splices),
        TEST(splices_no_more_than_fits),
        TEST(splice_waits_for_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
