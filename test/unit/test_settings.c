/* settings.c: the arguments of `impair`, what they mean, and what they are said to be. */
#include "settings.h"
#include "support.h"
#include "units.h"

/* The words of a line, as main() has them behind "impair"; the status of the reading. */
static int parse(const char *line, struct impair_settings *settings)
{
    char text[200] = "impair ", *argv[40];
    int argc = 0;
    strncat(text, line, sizeof text - 8);
    char *rest = text;
    for (char *word; (word = strsep(&rest, " "));)
        if (*word)
            argv[argc++] = word;
    argv[argc] = NULL;
    return settings_parse(argc, argv, settings);
}

static void what_is_set_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *line, *text;
    } said[] = {
        {"--loss 20% --dir host2 --seed 7", "loss 20% to host2, seed 7"},
        {"--loss 0 --seed 1", "loss 0% to host1 and host2, seed 1"},
        {"--seed=1 --delay=20ms", "delay 20ms to host1 and host2, seed 1"},
        {"--delay 20ms --jitter 5ms --loss 1% --burst 4 --reorder 5%,3ms --dup 0.1% --corrupt "
         "0.01% --rate 100mbit,32kb --queue 0 --mtu 1400,silent --seed 1",
         "mtu 1400,silent rate 100mbit,32kb queue 0 loss 1% burst 4 corrupt 0.01% dup 0.1% delay "
         "20ms jitter 5ms reorder 5%,3ms to host1 and host2, seed 1"},
        {"--rate 10mbit --seed 1", "rate 10mbit queue 1000p to host1 and host2, seed 1"},
        {"--rate 10mbit --queue 50p --seed 1", "rate 10mbit queue 50p to host1 and host2, seed 1"},
        {"--reorder 1% --mtu 1400 --seed 1", "mtu 1400 reorder 1%,1ms to host1 and host2, seed 1"},
        {"--loss 1% --burst 2.5 --seed 1", "loss 1% burst 2.5 to host1 and host2, seed 1"},
        {"--loss 5% --loss 6% --seed 1", "loss 6% to host1 and host2, seed 1"},
        {"--delay 5ms --dir both --seed 18446744073709551615",
         "delay 5ms to host1 and host2, seed 18446744073709551615"},
        /* One --dir is of all, wherever it stands; several are each of what follows. */
        {"--delay 5ms --dir host1 --loss 1% --seed 1", "loss 1% delay 5ms to host1, seed 1"},
        {"--seed 1 --dir host2 --loss 1% --delay 9ms --dir host1 --delay 9ms",
         "delay 9ms to host1; loss 1% delay 9ms to host2, seed 1"},
        {"--dir both --delay 9ms --dir host2 --rate 1gbit --seed 1",
         "delay 9ms to host1; rate 1gbit queue 1000p delay 9ms to host2, seed 1"},
        {"--delay 5ms --dir host2 --dir host1 --loss 1% --seed 1",
         "loss 1% to host1; delay 5ms to host2, seed 1"},
    };
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        struct impair_settings settings;
        char text[SETTINGS_TEXT_MAX];
        assert_int_equal(parse(said[i].line, &settings), 0);
        settings_text(&settings, text);
        assert_string_equal(text, said[i].text);
    }
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "--dir host1",
        "--seed 1",
        "--loss",
        "--dir",
        "--loss 1% --seed",
        "--loss 101%",
        "--loss 1% --dir mars",
        "--delay 5ms --dir host2 --delay 9ms --dir host1", /* both delays would be host2's */
        "--dir host2 --dir host1 --delay 5ms",
        "--loss 1% --seed -1",
        "--loss 1% --seed 18446744073709551616",
        "--delay 5",
        "--delay -5ms",
        "--jitter 5ms",
        "--delay 4ms --jitter 5ms",
        "--burst 4",
        "--loss 1% --burst 0",
        "--loss 1% --burst 0.9",
        "--loss 1% --burst 1001",
        "--loss 1% --burst 4%",
        "--loss 90% --burst 4",
        "--loss 100% --burst 4",
        "--reorder 5%,",
        "--reorder 5%,0",
        "--reorder ,5ms",
        "--reorder 5ms",
        "--rate 0",
        "--rate 100",
        "--rate 100mbps",
        "--rate 10mbit,5%",
        "--rate 10mbit,32kb,1",
        "--queue 1000p",
        "--rate 10mbit --queue x",
        "--mtu 67",
        "--mtu 65536",
        "--mtu 1400,loud",
        "--mtu 1400,",
        "--mtu aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,silent",
        "--lossy 1%",
        "--los 1%",
        "on",
        "--loss 1% on",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct impair_settings settings;
        if (parse(lines[i], &settings) != 2)
            fail_msg("%s is taken", lines[i]);
    }
}

static void the_most_that_bursts_allow(void **state)
{
    (void)state;
    struct impair_settings settings;
    assert_int_equal(parse("--loss 80% --burst 4", &settings), 0);
    assert_int_equal(parse("--loss 80.0001% --burst 4", &settings), 2);
}

static void without_a_seed_one_is_chosen(void **state)
{
    (void)state;
    struct impair_settings one, two;
    assert_int_equal(parse("--loss 1%", &one), 0);
    assert_int_equal(parse("--loss 1%", &two), 0);
    assert_true(one.seed != two.seed);
}

static void the_longest_text_fits(void **state)
{
    (void)state;
    struct impair_settings settings = {.seed = UINT64_MAX};
    char text[SETTINGS_TEXT_MAX];
    for (int d = 0; d < TOPO_LINKS; d++)
        settings.way[d] = (struct impair_way){.on = true,
                                              .black_hole = true,
                                              .mtu = 65535,
                                              .loss = 123456,
                                              .corrupt = 123456,
                                              .dup = 123456,
                                              .reorder = 123456 + (uint32_t)d,
                                              .burst = 123456,
                                              .rate = 99999999999,
                                              .bucket = 999999999,
                                              .queue = 999999999,
                                              .delay_ns = 3599999999999,
                                              .jitter_ns = 3599999999999,
                                              .late_ns = 3599999999999};
    settings_text(&settings, text);
    assert_non_null(strstr(text, ", seed 18446744073709551615"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_set_is_said),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(the_most_that_bursts_allow),
        cmocka_unit_test(without_a_seed_one_is_chosen),
        cmocka_unit_test(the_longest_text_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
