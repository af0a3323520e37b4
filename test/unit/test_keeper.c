/* A thread with descriptors of its own. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "keeper.h"
#include "support.h"

static struct keeper *keeper(void)
{
    struct keeper *k;
    assert_int_equal(keeper_create(&k), 0);
    return k;
}

static int add_one(void *arg)
{
    return ++*(int *)arg;
}

static void results(void **state)
{
    (void)state;
    struct keeper *k = keeper();
    int n = 0;
    for (int i = 1; i <= 1000; i++)
        assert_int_equal(keeper_do(k, add_one, &n), i);
    keeper_destroy(k);
}

static int open_null(void *arg)
{
    (void)arg;
    return open("/dev/null", O_WRONLY | O_CLOEXEC);
}

static int write_to(void *arg)
{
    return write(*(int *)arg, "x", 1) < 0 ? -errno : 0;
}

static int close_it(void *arg)
{
    return close(*(int *)arg) < 0 ? -errno : 0;
}

/* The same number means one thing here and another there. */
static void two_tables(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct keeper *k = keeper();
    for (int fd = 0; fd <= 2; fd++) /* nothing that anybody can write to */
        assert_int_equal(keeper_do(k, write_to, &fd), -EBADF);
    assert_int_equal(keeper_do(k, write_to, &fds[1]), -EBADF);
    int theirs;
    do {
        theirs = keeper_do(k, open_null, NULL);
        assert_true(theirs > 2);
    } while (theirs < fds[1]);
    assert_int_equal(theirs, fds[1]);
    assert_int_equal(keeper_do(k, write_to, &theirs), 0);
    assert_int_equal(keeper_do(k, close_it, &theirs), 0);
    assert_int_equal(write(fds[1], "y", 1), 1); /* ours is open still */
    char c;
    assert_int_equal(read(fds[0], &c, 1), 1);
    assert_int_equal(c, 'y');
    close(fds[1]);
    assert_int_equal(read(fds[0], &c, 1), 0); /* the keeper has no copy of the other end */
    close(fds[0]);
    keeper_destroy(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results),
        cmocka_unit_test(two_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
