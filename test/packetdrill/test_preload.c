/* The two calls of packetdrill's that go to the C library, caught: run with preload.c's library in
 * LD_PRELOAD, as packetdrill has to be for scripts with Python code. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "driver.h"

static void numbers(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    load(&t, NULL);
    struct conn c = must_open(&t);
    assert_int_equal(c.listener, 1000);
    assert_int_equal(c.fd, 1001);
    assert_int_equal(t.close(t.userdata, c.listener), 0);
    assert_int_equal(must_socket(&t), 1000);
    t.free(t.userdata);
}

/* What packetdrill asks for each piece of Python code, with these lengths. */
static void figures(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    char value[280];
    load(&t, NULL);
    struct conn c = must_open(&t);
    socklen_t len = 280;
    assert_int_equal(getsockopt(c.fd, IPPROTO_TCP, TCP_INFO, value, &len), 0);
    assert_int_equal(len, 280);
    assert_int_equal(value[0], 1);
    len = 20;
    assert_int_equal(getsockopt(c.fd, IPPROTO_TCP, TCP_CC_INFO, value, &len), 0);
    assert_int_equal(len, 0);
    len = 36;
    assert_int_equal(getsockopt(c.fd, SOL_SOCKET, SO_MEMINFO, value, &len), 0);
    assert_int_equal(len, 36);
    assert_fails(getsockopt(999999, IPPROTO_TCP, TCP_INFO, value, &len), EBADF);
    t.free(t.userdata);
}

/* close(2) at the end of a script closes the socket here. */
static void closed_by_the_c_library(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    load(&t, NULL);
    struct conn c = must_open(&t);
    assert_int_equal(close(c.fd), 0);
    must_sniff(&t, FIN | ACK, 0);
    assert_fails(close(c.fd), EBADF);
    assert_fails(t.close(t.userdata, c.fd), EBADF);
    t.free(t.userdata);
}

/* Calls on what is the kernel's go on reaching it. */
static void others_pass(void **state)
{
    (void)state;
    struct packetdrill_interface t;
    int ends[2], kind = 0;
    socklen_t len = sizeof kind;
    load(&t, NULL);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(getsockopt(ends[0], SOL_SOCKET, SO_TYPE, &kind, &len), 0);
    assert_int_equal(kind, SOCK_STREAM);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
    assert_fails(close(ends[1]), EBADF);
    t.free(t.userdata);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(figures),
        cmocka_unit_test(closed_by_the_c_library),
        cmocka_unit_test(others_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
