/*
 * A checker that cannot fail is a defect: each is fed something wrong here and has to say so, and
 * something right, and has to be silent. No engine takes part, but in whole worlds, where what it
 * does is spoiled from outside, and where one is lived twice and has to be the same.
 */
#include "selftest.h"

#include <stdio.h>
#include <string.h>

#include "fail.h"

int expect(const char *name, void (*act)(void *arg), void *arg, const char *checker)
{
    fail_frame.what = NULL;
    fail_frame.armed = fail_frame.quiet = true;
    if (setjmp(fail_frame.env) == 0)
        act(arg);
    fail_frame.armed = fail_frame.quiet = false;
    const char *what = fail_frame.what ? fail_frame.what : "nothing";
    if (strcmp(what, checker ? checker : "nothing") == 0)
        return 0;
    printf("%s: %s was found, should be %s\n", name, what, checker ? checker : "nothing");
    return 1;
}

int main(void)
{
    int failed = selftest_wire() + selftest_again() + selftest_ends() + selftest_reuse();
    failed += selftest_frames() + selftest_worlds();
    return failed > 0;
}
