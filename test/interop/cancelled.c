/* No call is a cancellation point, neither are making a stack and ending it: a thread that is to be
 * cancelled goes on until it asks for it. Run in a node of the lab; ends with status 1 when it was
 * cancelled before. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "nstcp.h"

static const char *step = "cancelled in nstcp_create";

static void *create_and_destroy(void *arg)
{
    struct nstcp *stack;
    char why[NSTCP_WHY_MAX];
    pthread_cancel(pthread_self());
    if (nstcp_create(&stack, NULL, why) < 0) {
        fprintf(stderr, "cancelled: %s\n", why);
        return arg;
    }
    step = "cancelled in nstcp_destroy";
    nstcp_destroy(stack, 1000);
    step = NULL;
    pthread_testcancel();
    step = "cancellation is off";
    return arg;
}

int main(void)
{
    pthread_t thread;
    int err = pthread_create(&thread, NULL, create_and_destroy, NULL);
    if (!err)
        err = pthread_join(thread, NULL);
    if (err || step)
        fprintf(stderr, "cancelled: %s\n", err ? strerror(err) : step);
    return err || step;
}
