/* units.c: what tc(8) would understand, and what nobody should have to guess. */
#include "support.h"
#include "units.h"

typedef bool read_quantity(const char *text, uint64_t *out);

static bool share(const char *text, uint64_t *out)
{
    uint32_t value = 0;
    bool good = units_share(text, &value);
    *out = value;
    return good;
}

static void quantities_are_read(void **state)
{
    (void)state;
    static const struct {
        read_quantity *read;
        const char *text;
        uint64_t value;
    } good[] = {
        {units_time, "20ms", 20000000},
        {units_time, "0", 0},
        {units_time, "0s", 0},
        {units_time, "1.5us", 1500},
        {units_time, "7ns", 7},
        {units_time, "3600s", UNITS_TIME_MAX},
        {units_rate, "100mbit", 100000000},
        {units_rate, "9600bit", 9600},
        {units_rate, "2.5gbit", 2500000000},
        {units_rate, "56kbit", 56000},
        {units_size, "0", 0},
        {units_size, "1500", 1500},
        {units_size, "1500b", 1500},
        {units_size, "32k", 32768},
        {units_size, "32kb", 32768},
        {units_size, "1mb", 1048576},
        {units_packets, "1000p", 1000},
        {units_packets, "0p", 0},
        {share, "20%", 200000},
        {share, "20", 200000},
        {share, "0.0001%", 1},
        {share, "100%", UNITS_WHOLE},
        {share, "0", 0},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint64_t value = 99;
        if (!good[i].read(good[i].text, &value))
            fail_msg("%s", good[i].text);
        assert_int_equal(value, good[i].value);
    }
}

static void what_is_not_clear_is_refused(void **state)
{
    (void)state;
    static const struct {
        read_quantity *read;
        const char *text[12];
    } bad[] = {
        {units_time, {"", "5", "ms", "-5ms", "5 ms", "5msx", "1e3ms", "0.1ns", "3601s", ".s"}},
        {units_rate, {"", "0", "0bit", "100", "100mbps", "1..5mbit", "101gbit", "0.1bit", "5p"}},
        {units_size, {"", "-1", "5p", "1.5.5", "5x", "2000mb", "0x10", "nan", "inf"}},
        {units_packets, {"", "5", "p", "-1p", "5pp"}},
        {share, {"", "%", "101%", "x", "-1", "1%%", "1e1", "nan", "0x5", "0.00001%", "1 "}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        for (size_t t = 0; bad[i].text[t]; t++) {
            uint64_t value;
            if (bad[i].read(bad[i].text[t], &value))
                fail_msg("%s is taken for %llu", bad[i].text[t], (unsigned long long)value);
        }
}

static void a_long_number_is_refused(void **state)
{
    (void)state;
    char digits[100];
    uint64_t value;
    memset(digits, '0', sizeof digits);
    memcpy(digits + sizeof digits - 3, "1s", 3);
    assert_false(units_time(digits, &value));
}

static void quantities_are_written_as_they_are_read(void **state)
{
    (void)state;
    static const struct {
        read_quantity *read;
        struct units_text (*write)(uint64_t value);
        const char *text[7];
    } same[] = {
        {units_time, units_time_text, {"20ms", "1.5us", "7ns", "3600s", "0ns", "1234.567us"}},
        {units_rate, units_rate_text, {"100mbit", "9.6kbit", "2.5gbit", "123456.789kbit"}},
        {units_size, units_size_text, {"0", "1500b", "32kb", "1.5mb"}},
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        for (size_t t = 0; same[i].text[t]; t++) {
            uint64_t value;
            assert_true(same[i].read(same[i].text[t], &value));
            assert_string_equal(same[i].write(value).text, same[i].text[t]);
        }
    static const char *const shares[] = {"20%", "0.0001%", "100%", "0%", "12.3456%"};
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        uint32_t part;
        assert_true(units_share(shares[i], &part));
        assert_string_equal(units_share_text(part).text, shares[i]);
    }
}

static void any_text_of_ours_is_read_as_the_same(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("units");
    for (int i = 0; i < 100000; i++) {
        uint64_t value = rnd_magnitude(&rnd) % UNITS_SIZE_MAX + 1, again;
        assert_true(units_time(units_time_text(value).text, &again));
        assert_int_equal(again, value);
        assert_true(units_rate(units_rate_text(value).text, &again));
        assert_int_equal(again, value);
        assert_true(units_size(units_size_text(value).text, &again));
        assert_int_equal(again, value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantities_are_read),
        cmocka_unit_test(what_is_not_clear_is_refused),
        cmocka_unit_test(a_long_number_is_refused),
        cmocka_unit_test(quantities_are_written_as_they_are_read),
        cmocka_unit_test(any_text_of_ours_is_read_as_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
