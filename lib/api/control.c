/* A socket's flags and counters: fcntl(2) and ioctl(2). */
#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "api_priv.h"

int nstcp_fcntl(struct nstcp *stack, int sock, int command, int arg)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    int result = -EINVAL;
    if (command == F_GETFL) {
        result = O_RDWR | (c.slot->nonblock ? O_NONBLOCK : 0);
    } else if (command == F_SETFL) {
        c.slot->nonblock = (arg & O_NONBLOCK) != 0;
        result = 0;
    }
    return (int)call_end(&c, result);
}

/* As Linux: up to the mark, if that has arrived, unless urgent data comes in line. */
static size_t readable(const struct slot *slot, size_t unread)
{
    size_t urgent = slot->so ? stack_urgent(slot->so) : 0;
    bool mark = !slot->options->tcp.oobinline && urgent > 0 && urgent <= unread;
    return mark ? urgent - 1 : unread;
}

/* FIONREAD and SIOCOUTQ (tcp(7)). */
static int count_octets(const struct slot *slot, unsigned long request, int *value)
{
    if (slot->state == SLOT_LISTENING)
        return -EINVAL;
    struct tcp_status status = {0};
    if (slot->so)
        stack_status(slot->so, &status);
    size_t n = request == FIONREAD ? readable(slot, status.unread) : status.unsent_or_unacked;
    *value = n > INT_MAX ? INT_MAX : (int)n;
    return 0;
}

int nstcp_ioctl(struct nstcp *stack, int sock, unsigned long request, int *value)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    int err = -ENOTTY;
    if (request == FIONBIO) {
        c.slot->nonblock = *value != 0;
        err = 0;
    } else if (request == SIOCATMARK) {
        *value = c.slot->so && stack_urgent(c.slot->so) == 1;
        err = 0;
    } else if (request == FIONREAD || request == SIOCOUTQ) {
        err = count_octets(c.slot, request, value);
    }
    return (int)call_end(&c, err);
}
