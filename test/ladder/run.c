/* Running tests of the engine. See run.h. */
#include "run.h"

#include "no_memory.h"

static const struct numbers all[] = {
    {"ISS 1000, IRS 5000", 1000, 5000},
    {"the first octets are number 0", UINT32_MAX, UINT32_MAX},
    {"SYNs are number 0", 0, 0},
    {"numbers wrap in the first octets", UINT32_MAX - 3, UINT32_MAX - 4},
    {"numbers wrap in the text", UINT32_MAX - 1500, UINT32_MAX - 700},
    {"numbers change sign in the first octets", INT32_MAX - 2u, INT32_MAX - 3u},
    {"numbers change sign in the text", INT32_MAX - 700u, INT32_MAX - 500u},
};

struct numbers run_numbers;

int run_all(const struct CMUnitTest *tests, size_t n)
{
    int failed = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        run_numbers = all[i];
        failed += _cmocka_run_group_tests(all[i].name, tests, n, NULL, NULL);
    }
    run_numbers = all[0];
    return failed + no_memory_run(tests, n, NULL);
}
