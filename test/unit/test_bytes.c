/* bytes.h: bounds-checked cursors. Every parser leans on them not to read past the end. */
#include "bytes.h"
#include "support.h"

static void reads_big_endian(void **state)
{
    (void)state;
    uint8_t *p = exact_copy("\xf1\x82\x83\xe4\xd5\xc6\xb7\xff\xee", 9);
    struct reader r = reader(p, 9);
    assert_int_equal(get_u8(&r), 0xf1);
    assert_int_equal(get_u16(&r), 0x8283);
    assert_int_equal(get_u32(&r), 0xe4d5c6b7);
    assert_int_equal(r.len, 2);
    const uint8_t *rest = get_bytes(&r, 2);
    assert_ptr_equal(rest, p + 7);
    assert_int_equal(r.len, 0);
    assert_ptr_equal(get_bytes(&r, 0), p + 9);
    assert_false(r.bad);
    free(p);
}

/* Every getter at every distance from the end: within it works, past it yields 0 and stays bad. */
static void reading_past_the_end_is_bad_for_good(void **state)
{
    (void)state;
    for (size_t left = 0; left < 6; left++) {
        uint8_t *p = exact_copy("\xff\xff\xff\xff\xff\xff", left);
        for (size_t want = 1; want < 8; want++) {
            struct reader r = reader(p, left);
            uint32_t got = 0;
            if (want == 1)
                got = get_u8(&r);
            else if (want == 2)
                got = get_u16(&r);
            else if (want == 4)
                got = get_u32(&r);
            else
                got = get_bytes(&r, want) != NULL;
            assert_int_equal(r.bad, want > left);
            assert_int_equal(got != 0, want <= left);
            if (!r.bad)
                continue;
            /* There would be room for less, but a field is missing: nothing after it can be right.
             */
            assert_int_equal(get_u8(&r), 0);
            assert_null(get_bytes(&r, 0));
            assert_true(r.bad);
        }
        struct reader r = reader(p, left);
        assert_null(get_bytes(&r, SIZE_MAX));
        free(p);
    }
}

static void writes_big_endian(void **state)
{
    (void)state;
    uint8_t *p = exact_copy("\0\0\0\0\0\0\0\0\0", 9);
    struct writer w = writer(p, 9);
    put_u8(&w, 0xf1);
    put_u16(&w, 0x8283);
    put_u32(&w, 0xe4d5c6b7);
    put_bytes(&w, "\xff\xee", 2);
    put_bytes(&w, NULL, 0);
    assert_false(w.bad);
    assert_int_equal(w.len, 0);
    assert_memory_equal(p, "\xf1\x82\x83\xe4\xd5\xc6\xb7\xff\xee", 9);
    free(p);
}

static void writing_past_the_end_writes_nothing(void **state)
{
    (void)state;
    for (size_t left = 0; left < 4; left++) {
        uint8_t *p = exact_copy("\x55\x55\x55\x55", left);
        struct writer w = writer(p, left);
        put_u32(&w, 0xffffffff);
        assert_true(w.bad);
        put_u8(&w, 0xff);
        put_bytes(&w, "\xff", 1);
        assert_null(put_room(&w, 0));
        for (size_t i = 0; i < left; i++)
            assert_int_equal(p[i], 0x55);
        w = writer(p, left);
        if (left < 2)
            put_u16(&w, 0xffff);
        if (left < 1)
            put_u8(&w, 0xff);
        assert_int_equal(w.bad, left < 2);
        free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_big_endian),
        cmocka_unit_test(reading_past_the_end_is_bad_for_good),
        cmocka_unit_test(writes_big_endian),
        cmocka_unit_test(writing_past_the_end_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
