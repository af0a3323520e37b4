/* predict.c: header prediction, against packets that packet_encode() makes. */
#include "predict.h"

#include "codec.h"
#include "support.h"

static const struct flow v4 = {.local = {{[10] = 0xff, 0xff, 10, 0, 1, 1}},
                               .remote = {{[10] = 0xff, 0xff, 10, 0, 0, 1}},
                               .local_port = 40000,
                               .remote_port = 61000};
static const struct flow v6 = {.local = {{0xfd, [15] = 1}},
                               .remote = {{0xfd, [15] = 2}},
                               .local_port = 40000,
                               .remote_port = 61000};
static uint8_t place[4000];

/* A packet of the peer's, with so much text that begins with 1000. What is here of it: *len. */
static const uint8_t *packet(const struct flow *ours, uint32_t text_len, size_t *len, size_t *whole)
{
    static struct packet p;
    static const uint8_t text[8000];
    struct flow theirs = {ours->remote, ours->local, ours->remote_port, ours->local_port};
    struct seg seg = {.seq = {1000}, .flags = TCP_ACK, .text_len = text_len};
    seg.text[0] = (struct bytes){text, text_len};
    seg.n_text = text_len > 0;
    packet_encode(&p, &theirs, &seg, 0, 64, true);
    *len = p.head.len;
    *whole = packet_len(&p);
    return p.head.ptr;
}

/* The same, of one that is expected, when it is the packet's. */
static size_t predicted(struct link_expect *e, const uint8_t *ip, size_t len, size_t whole)
{
    struct flow flow;
    seq_t seq;
    size_t headers = predict(ip, len, whole, &flow, &seq);
    return headers > 0 && predict_find(e, 1, &flow, seq) == e ? headers : 0;
}

static struct link_expect expected(const struct flow *flow)
{
    return (struct link_expect){*flow, {1000}, place, sizeof place};
}

static void is_next(void **state)
{
    (void)state;
    size_t len, whole;
    struct link_expect e = expected(&v4);
    const uint8_t *ip = packet(&v4, 4000, &len, &whole);
    assert_int_equal(predicted(&e, ip, len, whole), 40);
    e = expected(&v6);
    ip = packet(&v6, 1, &len, &whole);
    assert_int_equal(predicted(&e, ip, len, whole), 60);
}

static void is_not(void **state)
{
    (void)state;
    size_t len, whole;
    const struct flow *flows[] = {&v4, &v6};
    for (unsigned f = 0; f < 2; f++) {
        struct link_expect e = expected(flows[f]);
        const uint8_t *ip = packet(flows[f], 0, &len, &whole); /* no text */
        assert_int_equal(predicted(&e, ip, len, whole), 0);
        ip = packet(flows[f], 100, &len, &whole);
        assert_int_not_equal(predicted(&e, ip, len, whole), 0);
        assert_int_equal(predicted(&e, ip, len, whole + 1), 0); /* padding */
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(predicted(&e, ip, cut, whole), 0);
        e.seq.v++;
        assert_int_equal(predicted(&e, ip, len, whole), 0);
        e = expected(flows[1 - f]);
        assert_int_equal(predicted(&e, ip, len, whole), 0);
        e = (struct link_expect){0}; /* nothing is expected */
        assert_int_equal(predicted(&e, ip, len, whole), 0);
    }
}

/* IPv6 with addresses that stand for those of IPv4: the engine throws it away. */
static void mapped(void **state)
{
    (void)state;
    size_t len, whole;
    uint8_t copy[PACKET_HEAD_MAX];
    memcpy(copy, packet(&v6, 100, &len, &whole), PACKET_HEAD_MAX);
    memcpy(copy + 8, v4.remote.b, sizeof v4.remote.b);
    memcpy(copy + 24, v4.local.b, sizeof v4.local.b);
    struct link_expect e = expected(&v4);
    assert_int_equal(predicted(&e, copy, len, whole), 0);
}

/* Any bit of what identifies the packet: version and options, length, fragment, protocol,
 * addresses, ports, number, offset. */
static void any_bit(void **state)
{
    (void)state;
    static const struct {
        const struct flow *flow;
        uint8_t from, to;
    } fields[] = {{&v4, 0, 1},   {&v4, 2, 4}, {&v4, 9, 10}, {&v4, 12, 28},
                  {&v4, 32, 33}, {&v6, 4, 7}, {&v6, 8, 48}, {&v6, 52, 53}};
    for (unsigned f = 0; f < sizeof fields / sizeof fields[0]; f++) {
        size_t len, whole;
        uint8_t copy[PACKET_HEAD_MAX];
        struct link_expect e = expected(fields[f].flow);
        memcpy(copy, packet(fields[f].flow, 100, &len, &whole), PACKET_HEAD_MAX);
        for (unsigned bit = fields[f].from * 8u; bit < fields[f].to * 8u; bit++) {
            if (fields[f].to - fields[f].from == 1 &&
                (fields[f].from == 32 || fields[f].from == 52) && bit % 8 < 4)
                continue; /* the offset is in the upper half */
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_not_equal(predicted(&e, copy, len, whole), whole - 100);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    size_t len, whole;
    uint8_t copy[PACKET_HEAD_MAX];
    struct link_expect e = expected(&v4);
    memcpy(copy, packet(&v4, 100, &len, &whole), PACKET_HEAD_MAX);
    copy[6] |= 0x20; /* more fragments */
    assert_int_equal(predicted(&e, copy, len, whole), 0);
    copy[6] = 0;
    copy[7] = 1; /* a later one */
    assert_int_equal(predicted(&e, copy, len, whole), 0);
}

/* Each of many by what tells it from the others. */
static void of_many(void **state)
{
    (void)state;
    struct link_expect e[5];
    for (unsigned i = 0; i < 5; i++)
        e[i] = expected(i == 4 ? &v6 : &v4);
    e[0].seq.v++;
    e[1].flow.remote_port++;
    e[2].flow.remote.b[15]++;
    for (unsigned i = 0; i < 5; i++)
        assert_ptr_equal(predict_find(e, 5, &e[i].flow, e[i].seq), &e[i]);
    assert_null(predict_find(e, 3, &v4, e[3].seq)); /* it is behind those three */
    assert_null(predict_find(e, 0, &v4, e[3].seq));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_next), cmocka_unit_test(is_not),  cmocka_unit_test(mapped),
        cmocka_unit_test(any_bit), cmocka_unit_test(of_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
