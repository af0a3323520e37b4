/* How many records of connections in TIME-WAIT there are. See bench.h. */
#include <arpa/inet.h>
#include <stdio.h>

#include "api_priv.h"
#include "bench.h"
#include "runtime_priv.h"

/* Of the namespace, those with a port of the measurement's. */
static long of_the_kernel(const struct bench *b)
{
    unsigned local, remote, state, first = ntohs(b->addr.sin_port), n = 0;
    char line[512];
    FILE *f = fopen("/proc/net/tcp", "r");
    while (f && fgets(line, sizeof line, f)) {
        bool entry = sscanf(line, "%*u: %*x:%x %*x:%x %x", &local, &remote, &state) == 3;
        bool ours = local - first < CPS_PORTS || remote - first < CPS_PORTS;
        n += entry && ours && state == 6;
    }
    if (!f)
        die("/proc/net/tcp");
    fclose(f);
    return n;
}

long time_waits(struct bench *b, unsigned open)
{
    if (!b->stack)
        return of_the_kernel(b);
    pthread_mutex_lock(&b->stack->rt->lock);
    long n = (long)stack_sock_count(b->stack->rt->stack) - open;
    pthread_mutex_unlock(&b->stack->rt->lock);
    return n;
}
