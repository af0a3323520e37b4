/* See app_lend.h. */
#include "app_lend.h"

#include <string.h>

#include "host.h"

bool lend_wanted(const uint8_t *buf, size_t len)
{
    return len <= sizeof((struct end *)0)->lent && buf[0] % 4 == 2;
}

int64_t lend_send(struct end *e, const uint8_t *buf, size_t len)
{
    e->n_lent = len;
    memcpy(e->lent, buf, len);
    return stack_lend(e->sock, e->lent, len, host_now(e->host));
}

void lend_end(struct end *e)
{
    if (e->n_lent == 0)
        return;
    if (e->sock)
        stack_keep(e->sock);
    memset(e->lent, 0xdd, e->n_lent);
    e->n_lent = 0;
}
