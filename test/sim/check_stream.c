/* See check_stream.h. */
#include "check_stream.h"

#include "fail.h"
#include "payload.h"

static const struct end *writer_of(const struct end *e)
{
    return &e->conn->end[1 - e->side];
}

void stream_read(struct end *e, const void *buf, size_t n)
{
    const struct wire_end *from = &writer_of(e)->wire;
    SIM_CHECK(!e->deaf, "receive", "%zu octets after shutdown_recv", n);
    size_t good = payload_verify(from->stream, e->read, buf, n);
    SIM_CHECK(good == n, "payload", "wrong octet at %llu of what was read",
              (unsigned long long)(e->read + good));
    SIM_CHECK(e->read + n <= from->written, "receive", "%llu octets, written were %llu",
              (unsigned long long)(e->read + n), (unsigned long long)from->written);
    e->read += n;
}

void stream_end(const struct end *e)
{
    const struct end *p = writer_of(e);
    if (e->deaf)
        return;
    SIM_CHECK(p->send_closed || p->left, "end of stream", "the peer has not closed");
    SIM_CHECK(e->read == p->wire.written, "end of stream", "after %llu octets, written were %llu",
              (unsigned long long)e->read, (unsigned long long)p->wire.written);
}
