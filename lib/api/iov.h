/* Where a transfer stands in the caller's buffers: what is left of an iovec (readv(2)). */
#ifndef IOV_H
#define IOV_H

#include <stddef.h>
#include <sys/uio.h>

struct cursor {
    const struct iovec *iov; /* the first that is not done; the caller's */
    size_t at;               /* octets of it that are */
    size_t left;             /* octets in all that are not done */
};

/* 0, -EMSGSIZE (more than IOV_MAX), -EINVAL (more octets than a ssize_t can say). */
int cursor_init(struct cursor *cur, const struct iovec *iov, size_t n);

/* The next piece that lies in one buffer: where it is, and *len, 0 only when nothing is left. */
void *cursor_piece(struct cursor *cur, size_t *len);

/* n octets of the piece are done. */
void cursor_advance(struct cursor *cur, size_t n);

/* Copies n octets, not more than are left, to where the cursor is, and advances it. */
void cursor_put(struct cursor *cur, const void *from, size_t n);

#endif
