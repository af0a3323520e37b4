/* ether.c: Ethernet II headers. */
#include "ether.h"
#include "support.h"

static const uint8_t frame[] = {0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x12, 0x34,
                                0x56, 0x78, 0x9a, 0xbc, 0x86, 0xdd, 0x60, 0x00};

static void parse(void **state)
{
    (void)state;
    uint8_t *p = exact_copy(frame, sizeof frame);
    struct reader r = reader(p, sizeof frame);
    struct ether_hdr h;
    assert_true(ether_parse(&r, &h));
    assert_memory_equal(h.dst.b, frame, 6);
    assert_memory_equal(h.src.b, frame + 6, 6);
    assert_int_equal(h.type, ETHER_TYPE_IPV6);
    assert_ptr_equal(r.ptr, p + ETHER_HDR_LEN);
    assert_int_equal(r.len, sizeof frame - ETHER_HDR_LEN);
    free(p);
}

/* Cut after every octet. */
static void cut_short(void **state)
{
    (void)state;
    for (size_t len = 0; len <= ETHER_HDR_LEN; len++) {
        uint8_t *p = exact_copy(frame, len);
        struct reader r = reader(p, len);
        struct ether_hdr h;
        assert_int_equal(ether_parse(&r, &h), len == ETHER_HDR_LEN);
        free(p);
    }
}

static void emit(void **state)
{
    (void)state;
    const struct ether_hdr h = {
        {{0x02, 0, 0, 0, 0, 1}}, {{0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc}}, ETHER_TYPE_IPV6};
    uint8_t out[ETHER_HDR_LEN];
    struct writer w = writer(out, sizeof out);
    ether_emit(&w, &h);
    assert_false(w.bad);
    assert_int_equal(w.len, 0);
    assert_memory_equal(out, frame, ETHER_HDR_LEN);
    w = writer(out, sizeof out - 1);
    ether_emit(&w, &h);
    assert_true(w.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse),
        cmocka_unit_test(cut_short),
        cmocka_unit_test(emit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
