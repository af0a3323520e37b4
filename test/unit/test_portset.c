/* portset.c: the lists of ports to leave alone. */
#include "portset.h"
#include "support.h"

static unsigned members(const struct port_set *s)
{
    unsigned n = 0;
    for (uint32_t port = 0; port <= 65535; port++)
        n += port_set_has(s, (uint16_t)port);
    return n;
}

static void services(void **state)
{
    (void)state;
    struct port_set s = {{0}};
    static const char *const nothing[] = {
        "",
        "\n",
        "# a comment 80/tcp",
        "#http 80/tcp",
        "domain 53/udp\n",
        "x 80/sctp",
        "x 65536/tcp",
        "x 99999/tcp",
        "x -1/tcp",
        "x /tcp",
        "x 80",
        "x 80/",
        "80/tcp",
        "x 80 /tcp",
        "x 80/tcpx",
    };
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        port_set_add_service(&s, nothing[i]);
        assert_int_equal(members(&s), 0);
    }
    port_set_add_service(&s, "http\t\t80/tcp\t\twww\t# WorldWideWeb HTTP\n");
    port_set_add_service(&s, "last 65535/tcp");
    port_set_add_service(&s, "tcpmux 1/tcp # TCP port service multiplexer");
    assert_true(port_set_has(&s, 80) && port_set_has(&s, 65535) && port_set_has(&s, 1));
    assert_int_equal(members(&s), 3);
}

static void reserved(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        unsigned members;
    } cases[] = {
        {"\n", true, 0},
        {"", true, 0},
        {"8080\n", true, 1},
        {"8080,9148\n", true, 2},
        {"9148-9150", true, 3},
        {"1,3-5,7\n", true, 5},
        {"0-65535\n", true, 65536},
        {"5-5", true, 1},
        {"5-4", false, 0},
        {"65536", false, 0},
        {"1-65536", false, 0},
        {"x", false, 0},
        {"1,x", false, 1},
        {"1-", false, 0},
        {"1;2", false, 1},
        {"99999999999999999999", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct port_set s = {{0}};
        assert_int_equal(port_set_add_list(&s, cases[i].text), cases[i].ok);
        assert_int_equal(members(&s), cases[i].members);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services),
        cmocka_unit_test(reserved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
