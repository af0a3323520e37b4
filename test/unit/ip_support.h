/* What the tests of ip.c share. */
#ifndef IP_SUPPORT_H
#define IP_SUPPORT_H

#include "ip.h"
#include "support.h"

#define TCP IP_PROTO_TCP

/* Parses a copy of `held` octets that is no larger. *at: where the reader stood then; *left: what
 * it held then. */
static inline enum ip_error parse(const uint8_t *p, size_t held, size_t total_len, struct ip_hdr *h,
                                  size_t *at, size_t *left)
{
    uint8_t *copy = exact_copy(p, held);
    struct reader r = reader(copy, held);
    enum ip_error e = ip_parse(&r, total_len, h);
    if (e == IP_OK) {
        assert_false(r.bad);
        *at = (size_t)(r.ptr - copy);
        *left = r.len;
        assert_true(*at + *left <= held);
        assert_true(*left <= h->payload_len);
        assert_true(*at + h->payload_len <= total_len);
    }
    free(copy);
    return e;
}

static inline enum ip_error parse_all(const uint8_t *p, size_t len, struct ip_hdr *h)
{
    size_t at, left;
    return parse(p, len, len, h, &at, &left);
}

#endif
