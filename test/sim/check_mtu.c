/* See check_mtu.h. */
#include "check_mtu.h"

#include "fail.h"
#include "nstime.h"

#define AGE_NS (600 * NS_PER_S) /* RFC 1191 6.3: what was learned is forgotten not before that */

static void remember(struct mtu_list *list, uint32_t mtu)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (list->mtu[i] == mtu)
            return;
    if (list->n == TOLD_MAX)
        list->n = 0;
    list->mtu[list->n++] = mtu;
}

void mtu_told(struct mtu_list *list, struct mtu_watch *w, uint32_t mtu, bool in_flight,
              uint64_t now_ns)
{
    remember(list, mtu);
    bool less = w->mtu == 0 || now_ns >= w->until_ns || mtu < w->mtu;
    if (!in_flight || !less)
        return;
    w->mtu = mtu;
    w->until_ns = now_ns + AGE_NS;
}

void mtu_sent(const struct mtu_watch *w, uint32_t packet_len, uint64_t now_ns)
{
    SIM_CHECK(w->mtu == 0 || now_ns >= w->until_ns || packet_len <= w->mtu, "path mtu",
              "packets of %u octets; a router has said %u", packet_len, w->mtu);
}

bool mtu_divides(const struct mtu_list *list, uint32_t head, uint64_t len)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (len % (list->mtu[i] - head) == 0)
            return true;
    return false;
}

static void count(struct mtu_again *a, uint64_t at, uint64_t acked)
{
    if (at > a->at && a->at < acked)
        a->times = 0;
    if (at > a->at && a->times > 0)
        return;
    a->at = at;
    a->times++;
}

void mtu_sent_again(struct mtu_watch *w, uint64_t at, uint64_t heard, uint64_t taken)
{
    count(&w->heard, at, heard);
    count(&w->taken, at, taken);
    w->fallen |= w->heard.times >= w->r1 || w->taken.times >= w->r1;
}

bool mtu_fallen_back(const struct mtu_watch *w, uint32_t head, uint64_t len)
{
    return w->fallen &&
           (len % (1024 - head) == 0 || len % (552 - head) == 0 || len % (1280 - head) == 0);
}
