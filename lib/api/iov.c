/* A place in an iovec. See iov.h. */
#include "iov.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

int cursor_init(struct cursor *cur, const struct iovec *iov, size_t n)
{
    *cur = (struct cursor){.iov = iov};
    if (n > IOV_MAX)
        return -EMSGSIZE;
    for (size_t i = 0; i < n; i++) {
        if (iov[i].iov_len > SSIZE_MAX - cur->left)
            return -EINVAL;
        cur->left += iov[i].iov_len;
    }
    return 0;
}

void *cursor_piece(struct cursor *cur, size_t *len)
{
    *len = 0;
    if (cur->left == 0)
        return NULL;
    while (cur->at == cur->iov->iov_len) {
        cur->iov++;
        cur->at = 0;
    }
    *len = cur->iov->iov_len - cur->at;
    char *base = cur->iov->iov_base;
    return base ? base + cur->at : NULL; /* NULL: recv with MSG_TRUNC */
}

void cursor_advance(struct cursor *cur, size_t n)
{
    cur->at += n;
    cur->left -= n;
}

void cursor_put(struct cursor *cur, const void *from, size_t n)
{
    for (size_t done = 0; done < n;) {
        size_t len;
        void *to = cursor_piece(cur, &len);
        len = len < n - done ? len : n - done;
        memcpy(to, (const char *)from + done, len);
        cursor_advance(cur, len);
        done += len;
    }
}
