/* lib/runtime/slab: objects lie apart and are used again, and memory goes back to the kernel. */
#include <stdio.h>
#include <unistd.h>

#include "slab.h"
#include "support.h"

#define PIECE 65536

/* Octets of memory that this process has mapped. */
static size_t mapped(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%lu", &pages), 1);
    fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void used_again(void **state)
{
    (void)state;
    struct slab s;
    slab_init(&s, 900);
    void *a = slab_alloc(&s), *b = slab_alloc(&s);
    assert_true(a && b && a != b);
    slab_free(&s, a);
    assert_ptr_equal(slab_alloc(&s), a);
    slab_free(&s, b);
    slab_free(&s, a);
    assert_ptr_equal(slab_alloc(&s), a);
    slab_free(&s, a);
    slab_finish(&s);
}

/* All that is mapped goes back but one piece, and that at the end; a tenth of it is for headers. */
static void goes_back(void **state)
{
    (void)state;
    enum { N = 1000, SIZE = 900 };
    static void *p[N];
    struct slab s;
    slab_init(&s, SIZE);
    fclose(fopen("/proc/self/statm", "r")); /* stdio's own memory */
    size_t before = mapped();
    for (int i = 0; i < N; i++)
        assert_non_null(p[i] = slab_alloc(&s));
    assert_in_range(mapped() - before, N * SIZE, N * SIZE * 11 / 10 + PIECE);
    for (int i = 0; i < N; i++)
        slab_free(&s, p[i]);
    assert_int_equal(mapped() - before, PIECE);
    void *last = slab_alloc(&s);
    assert_int_equal(mapped() - before, PIECE);
    slab_free(&s, last);
    slab_finish(&s);
    assert_int_equal(mapped() - before, 0);
}

/* What is in each object stays until it is freed. */
static void property(void **state)
{
    (void)state;
    enum { N = 400 };
    struct rnd rng = rnd_start("slab");
    for (size_t size = 1; size <= 8192; size += 1 + size * 2 / 3) {
        uint8_t *p[N] = {0};
        struct slab s;
        slab_init(&s, size);
        for (int round = 0; round < 20000; round++) {
            unsigned i = rnd_below(&rng, round % 4000 < 2000 ? N : N / 16);
            if (!p[i]) {
                assert_non_null(p[i] = slab_alloc(&s));
                assert_int_equal((uintptr_t)p[i] % 16, 0);
                memset(p[i], (int)(i & 0xff), size);
                continue;
            }
            assert_int_equal(p[i][0], i & 0xff);
            assert_int_equal(p[i][size - 1], i & 0xff);
            slab_free(&s, p[i]);
            p[i] = NULL;
        }
        for (unsigned i = 0; i < N; i++) {
            if (p[i])
                slab_free(&s, p[i]);
        }
        slab_finish(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(used_again),
        cmocka_unit_test(goes_back),
        cmocka_unit_test(property),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
