/* See app_urgent.h. */
#include "app_urgent.h"

#include "fail.h"
#include "host.h"

int64_t urgent_send(struct end *e, const uint8_t *buf, size_t len)
{
    uint64_t now_ns = host_now(e->host);
    bool urgent = e->plan->urgent && buf[0] % 16 == 0 && e->n_urgent < URGENTS;
    if (!urgent)
        return stack_send(e->sock, buf, len, now_ns);
    int64_t n = stack_send_urgent(e->sock, buf, len, now_ns);
    if (n > 0)
        e->urgent[e->n_urgent++] = e->wire.written + (uint64_t)n;
    return n;
}

void urgent_look(struct end *e)
{
    const struct end *p = peer_of(e);
    size_t left = stack_urgent(e->sock);
    if (left == 0)
        return;
    uint64_t at = e->read + left;
    uint64_t last = p->n_urgent > 0 ? p->urgent[p->n_urgent - 1] : 0;
    SIM_CHECK(at <= last, "urgent", "up to %llu, but only what lies before %llu is",
              (unsigned long long)at, (unsigned long long)last);
    bool here = left == 1 && stack_unread(e->sock) > 0;
    SIM_CHECK(!here || stack_readiness(e->sock) & SOCK_URGENT, "urgent", "at the mark, not ready");
    if (!here)
        return; /* a pointer that could not reach as far is moved on before its octet comes */
    bool right = false;
    for (uint32_t i = 0; i < p->n_urgent; i++)
        right = right || p->urgent[i] == at;
    SIM_CHECK(right, "urgent", "a mark before %llu, where no urgent data has ended",
              (unsigned long long)at);
    e->mark = at;
}

void urgent_check_eof(struct end *e)
{
    const struct end *p = peer_of(e);
    uint64_t last = p->n_urgent > 0 ? p->urgent[p->n_urgent - 1] : 0;
    SIM_CHECK(e->mark == last, "urgent", "the last mark was at %llu, not at %llu",
              (unsigned long long)e->mark, (unsigned long long)last);
}
