/* The table, the clock, blocking calls, the end: each rule that packetdrill has for a shared
 * object. The sockets' calls are in test_calls.c. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

#include "driver.h"

#define OFFSET(member, i)                                                                          \
    assert_int_equal(offsetof(struct packetdrill_interface, member), (i) * sizeof(void *))

/* 33 members, in this order; each is there after init. */
static void table(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    assert_int_equal(sizeof t, 33 * sizeof(void *));
    OFFSET(userdata, 0), OFFSET(free, 1), OFFSET(socket, 2), OFFSET(bind, 3), OFFSET(listen, 4);
    OFFSET(accept, 5), OFFSET(connect, 6), OFFSET(read, 7), OFFSET(readv, 8), OFFSET(recv, 9);
    OFFSET(recvfrom, 10), OFFSET(recvmsg, 11), OFFSET(write, 12), OFFSET(writev, 13);
    OFFSET(send, 14), OFFSET(sendto, 15), OFFSET(sendmsg, 16), OFFSET(fcntl, 17);
    OFFSET(ioctl, 18), OFFSET(close, 19), OFFSET(shutdown, 20), OFFSET(getsockopt, 21);
    OFFSET(setsockopt, 22), OFFSET(poll, 23), OFFSET(netdev_send, 24), OFFSET(netdev_receive, 25);
    OFFSET(usleep, 26), OFFSET(gettimeofday, 27), OFFSET(epoll_create, 28), OFFSET(epoll_ctl, 29);
    OFFSET(epoll_wait, 30), OFFSET(pipe, 31), OFFSET(splice, 32);

    load(&t, NULL);
    void *members[33];
    memcpy(members, &t, sizeof members);
    for (int i = 0; i < 33; i++)
        assert_non_null(members[i]);
    t.free(t.userdata);
}

/* Several scripts in one process, each with an instance of its own in the same library. */
static void one_after_the_other(void **state)
{
    (void)state;
    long long last = 0;
    for (int i = 0; i < 3; i++) {
        struct packetdrill_interface t;
        load(&t, "");
        assert_true(now_us(&t) > last);
        last = now_us(&t);
        struct conn c = must_open(&t);
        assert_int_equal(t.close(t.userdata, c.fd), 0);
        assert_int_equal(t.close(t.userdata, c.listener), 0);
        t.free(t.userdata);
    }
}

/* ---- The clock ---- */

/* At each call a microsecond more, so that a wait which only asks for the time ends. */
static void time_goes_on(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    load(&t, NULL);
    long long begin = now_us(&t);
    for (int i = 1; i <= 1000; i++)
        assert_int_equal(now_us(&t), begin + i);
    sleep_us(&t, 12345);
    assert_int_equal(now_us(&t), begin + 1000 + 12345 + 1);
    t.free(t.userdata);
}

/* What is due within a wait happens at its own time, to the microsecond, in order. RFC 6298 5.5: a
 * SYN at 0, 1, 3, 7, 15 s. */
static void timers_run_within_a_wait(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    load(&t, NULL);
    int fd = must_socket(&t);
    assert_int_equal(t.fcntl(t.userdata, fd, F_SETFL, O_RDWR | O_NONBLOCK), 0);
    assert_fails(call_connect(&t, fd), EINPROGRESS);
    long long begin = must_sniff(&t, SYN, 0).time_us;
    sleep_us(&t, 30000000);
    for (int i = 1; i <= 4; i++) {
        struct tcp syn = must_sniff(&t, SYN, 0);
        assert_int_equal(syn.time_us, begin + ((1 << i) - 1) * 1000000LL);
    }
    long long before = now_us(&t);
    assert_true(before - begin >= 30000000 && before - begin < 30000010);
    t.free(t.userdata);
}

/* 300 s of waiting take no time, and the delayed ACK at their beginning comes when it was due. */
static void five_minutes(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    load(&t, NULL);
    struct conn c = must_open(&t);
    long long at = now_us(&t);
    INJECT(&t, .flags = ACK, .seq = c.seq, .ack = c.ack, .len = 100);
    sleep_us(&t, 300000000);
    struct tcp ack = must_sniff(&t, ACK, 0);
    assert_int_equal(ack.ack, 101);
    assert_true(ack.time_us >= at + 40000 && ack.time_us <= at + 40001);
    t.free(t.userdata);
}

/* netdev_receive runs the clock to what is due, and not further. */
static void receive_waits(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    load(&t, NULL);
    struct conn c = must_open(&t);
    long long at = now_us(&t);
    assert_int_equal(t.write(t.userdata, c.fd, "text", 4), 4);
    must_sniff(&t, PSH | ACK, 4);
    struct tcp again = must_sniff(&t, PSH | ACK, 4);
    assert_true(again.time_us > at + 100000);
    long long now = now_us(&t);
    assert_true(now >= again.time_us && now <= again.time_us + 2);
    t.free(t.userdata);
}

/* When nothing is due any more the answer is a packet of length 0, at once and as often as asked.
 */
static void nothing_comes(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    load(&t, NULL);
    must_be_silent(&t);
    struct conn c = must_open(&t);
    for (int i = 0; i < 3; i++)
        must_be_silent(&t);
    (void)c;
    t.free(t.userdata);
}

/* ---- Blocking calls ---- */

static long do_accept(struct blocking *b)
{
    return b->t->accept(b->t->userdata, b->fd, NULL, NULL);
}

static long do_connect(struct blocking *b)
{
    return call_connect(b->t, b->fd);
}

static long do_read(struct blocking *b)
{
    char buf[2000];
    return b->t->read(b->t->userdata, b->fd, buf, sizeof buf);
}

static long do_write(struct blocking *b)
{
    static char buf[20000];
    return b->t->write(b->t->userdata, b->fd, buf, sizeof buf);
}

static long do_poll(struct blocking *b)
{
    struct pollfd fd = {.fd = b->fd, .events = POLLIN};
    return b->t->poll(b->t->userdata, &fd, 1, 250);
}

/* The thread sleeps until the handshake is complete, and its call ends at that moment: the clock
 * does not move before it has asked for the time, however far the main thread wants to go. */
static void accept_blocks(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    load(&t, NULL);
    struct blocking b = {.t = &t, .call = do_accept, .fd = must_listen(&t)};
    must_block(&b);
    sleep_us(&t, 100000);
    INJECT(&t, .flags = SYN);
    uint32_t ack = must_sniff(&t, SYN | ACK, 0).seq + 1;
    sleep_us(&t, 100000);
    long long at = now_us(&t);
    INJECT(&t, .flags = ACK, .seq = 1, .ack = ack);
    sleep_us(&t, 100000000);
    must_end(&b);
    assert_true(b.result >= 0);
    assert_int_equal(b.end_us, at + 1);
    assert_int_equal(now_us(&t), at + 1 + 100000000 + 1);
    t.free(t.userdata);
}

static void connect_blocks(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    load(&t, NULL);
    struct blocking b = {.t = &t, .call = do_connect, .fd = must_socket(&t)};
    must_block(&b);
    struct tcp syn = must_sniff(&t, SYN, 0);
    assert_int_equal(syn.target, PORT);
    assert_int_equal(syn.source_addr, LOCAL);
    assert_int_equal(syn.target_addr, REMOTE);
    sleep_us(&t, 50000);
    long long at = now_us(&t);
    INJECT(&t, .source = PORT, .target = syn.source, .flags = SYN | ACK, .ack = syn.seq + 1);
    must_sniff(&t, ACK, 0);
    sleep_us(&t, 1000000);
    must_end(&b);
    assert_int_equal(b.result, 0);
    assert_int_equal(b.end_us, at + 1);
    t.free(t.userdata);
}

static void connect_is_refused(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    load(&t, NULL);
    struct blocking b = {.t = &t, .call = do_connect, .fd = must_socket(&t)};
    must_block(&b);
    struct tcp syn = must_sniff(&t, SYN, 0);
    INJECT(&t, .source = PORT, .target = syn.source, .flags = RST | ACK, .ack = syn.seq + 1);
    now_us(&t);
    must_end(&b);
    assert_int_equal(b.result, -1);
    assert_int_equal(b.error, ECONNREFUSED);
    t.free(t.userdata);
}

static void read_blocks(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    load(&t, NULL);
    struct conn c = must_open(&t);
    struct blocking b = {.t = &t, .call = do_read, .fd = c.fd};
    must_block(&b);
    sleep_us(&t, 700000);
    long long at = now_us(&t);
    INJECT(&t, .flags = ACK, .seq = c.seq, .ack = c.ack, .len = 1000);
    must_sniff(&t, ACK, 0); /* runs the clock, too */
    must_end(&b);
    assert_int_equal(b.result, 1000);
    assert_int_equal(b.end_us, at + 1);
    t.free(t.userdata);
}

static void write_blocks(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    load(&t, NULL);
    struct conn c = must_open(&t);
    assert_int_equal(
        t.setsockopt(t.userdata, c.fd, SOL_SOCKET, SO_SNDBUF, &(int){5000}, sizeof(int)), 0);
    struct blocking b = {.t = &t, .call = do_write, .fd = c.fd};
    must_block(&b);
    for (size_t acked = 0; acked < 20000;) {
        struct tcp text;
        assert_true(sniff(&t, &text));
        acked += text.len;
        INJECT(&t, .flags = ACK, .seq = c.seq, .ack = text.seq + (uint32_t)text.len);
    }
    now_us(&t);
    must_end(&b);
    assert_int_equal(b.result, 20000);
    t.free(t.userdata);
}

/* A time limit is over when the clock comes by it. */
static void poll_times_out(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    load(&t, NULL);
    struct conn c = must_open(&t);
    struct blocking b = {.t = &t, .call = do_poll, .fd = c.fd};
    long long at = now_us(&t);
    must_block(&b);
    sleep_us(&t, 100000);
    assert_false(__atomic_load_n(&b.done, __ATOMIC_SEQ_CST));
    sleep_us(&t, 10000000);
    must_end(&b);
    assert_int_equal(b.result, 0);
    assert_int_equal(b.end_us, at + 250000 + 1);
    t.free(t.userdata);
}

/* After the last event of a script packetdrill sleeps for up to a second until a call that waits is
 * over: nobody moves the clock, and the call ends in time all the same. */
static void poll_times_out_at_the_end(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    load(&t, NULL);
    struct conn c = must_open(&t);
    struct blocking b = {.t = &t, .call = do_poll, .fd = c.fd};
    long long at = now_us(&t);
    must_block(&b);
    must_end(&b);
    assert_int_equal(b.result, 0);
    assert_int_equal(b.end_us, at + 250000 + 1);
    t.free(t.userdata);
}

/* A call that is not expected to wait, but does, takes its time limit: nobody else moves the clock.
 */
static void main_thread_waits(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    load(&t, NULL);
    struct conn c = must_open(&t);
    assert_int_equal(t.write(t.userdata, c.fd, "text", 4), 4);
    long long at = must_sniff(&t, PSH | ACK, 4).time_us;
    struct pollfd fd = {.fd = c.fd, .events = POLLIN};
    assert_int_equal(t.poll(t.userdata, &fd, 1, 1500), 0);
    long long end = now_us(&t);
    assert_true(end >= at + 1500000 && end <= at + 1500010);
    assert_true(must_sniff(&t, PSH | ACK, 4).time_us < at + 1500000); /* meanwhile */
    t.free(t.userdata);
}

/* ---- The end ---- */

/* What packetdrill does at the end of a script that passes: close(2) of what is open, which the
 * object is not told of, and a RST for each connection. */
static void teardown(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    load(&t, NULL);
    struct conn c = must_open(&t);
    assert_int_equal(t.write(t.userdata, c.fd, "text", 4), 4);
    int epfd = t.epoll_create(t.userdata, 1), ends[2];
    struct epoll_event event = {.events = EPOLLIN};
    assert_int_equal(t.epoll_ctl(t.userdata, epfd, EPOLL_CTL_ADD, c.fd, &event), 0);
    assert_int_equal(t.pipe(t.userdata, ends), 0);
    assert_int_equal(close(c.fd), 0);
    INJECT(&t, .flags = RST | ACK, .seq = c.seq, .ack = c.ack);
    assert_int_equal(close(c.listener), 0);
    int other = dup(STDERR_FILENO); /* gets one of the numbers */
    assert_true(other == c.fd || other == c.listener);
    t.free(t.userdata);
    assert_int_equal(close(other), 0);
    for (int i = 0; i < 2; i++)
        assert_fails(fcntl(ends[i], F_GETFD), EBADF); /* what was left open has been closed */
    assert_fails(fcntl(epfd, F_GETFD), EBADF);
}

/* Connections that nobody has closed, with text on its way and a listener's queue full. */
static void leave_at_work(void)
{
    struct packetdrill_interface t;
    load(&t, NULL);
    struct conn c = must_open(&t);
    static const char text[50000];
    assert_int_equal(t.write(t.userdata, c.fd, text, sizeof text), sizeof text);
    INJECT(&t, .flags = ACK, .seq = c.seq + 1000, .ack = c.ack, .len = 1000);
    INJECT(&t, .source = 40001, .flags = SYN);
    t.free(t.userdata);
}

/* All memory is returned. What malloc calls in use differs by some octets from one time to the
 * next, as threads end sooner or later; a leak adds up. */
static void teardown_at_work(void **state)
{
    (void)state;
    enum { TIMES = 32, LEAST = 32 };
    for (unsigned i = 0; i < 3; i++)
        leave_at_work();
    size_t before = mallinfo2().uordblks;
    for (unsigned i = 0; i < TIMES; i++)
        leave_at_work();
    assert_true(mallinfo2().uordblks < before + TIMES * LEAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(one_after_the_other),
        cmocka_unit_test(time_goes_on),
        cmocka_unit_test(timers_run_within_a_wait),
        cmocka_unit_test(five_minutes),
        cmocka_unit_test(receive_waits),
        cmocka_unit_test(nothing_comes),
        cmocka_unit_test(accept_blocks),
        cmocka_unit_test(connect_blocks),
        cmocka_unit_test(connect_is_refused),
        cmocka_unit_test(read_blocks),
        cmocka_unit_test(write_blocks),
        cmocka_unit_test(poll_times_out_at_the_end),
        cmocka_unit_test(poll_times_out),
        cmocka_unit_test(main_thread_waits),
        cmocka_unit_test(teardown),
        cmocka_unit_test(teardown_at_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
