/* See fail.h. */
#include "fail.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct fail_frame fail_frame;

const char fail_by_chance[] = "by chance";

_Noreturn void sim_fail(const char *checker, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(fail_frame.text, sizeof fail_frame.text, format, ap);
    va_end(ap);
    fail_frame.what = checker;
    if (!fail_frame.quiet) {
        printf("seed %llu: %s at %llu.%09llu s: %s\n", (unsigned long long)fail_frame.seed, checker,
               (unsigned long long)(fail_frame.now_ns / 1000000000),
               (unsigned long long)(fail_frame.now_ns % 1000000000), fail_frame.text);
        if (fail_frame.conn >= 0)
            printf("    connection #%d, side %d\n", fail_frame.conn, fail_frame.side);
        fflush(stdout);
    }
    if (!fail_frame.armed)
        exit(1);
    longjmp(fail_frame.env, 1);
}

void *sim_zalloc(size_t n, size_t size)
{
    void *ptr = calloc(n, size);
    if (ptr)
        return ptr;
    fputs("out of memory\n", stderr);
    exit(2);
}

void *sim_realloc(void *ptr, size_t n, size_t size)
{
    void *grown = realloc(ptr, n * size);
    if (grown)
        return grown;
    fputs("out of memory\n", stderr);
    exit(2);
}

static void on_abort(int sig)
{
    fail_catch_abort();
    SIM_CHECK(sig != SIGABRT, "assertion", "the engine called abort()");
}

/* Nothing can be trusted any more: says which seed it was, and ends. */
static void on_crash(int sig)
{
    (void)sig;
    signal(SIGABRT, SIG_DFL);
    printf("seed %llu: crash\n", (unsigned long long)fail_frame.seed);
    fflush(stdout);
    _Exit(1);
}

void fail_catch_abort(void)
{
    signal(SIGSEGV, on_crash);
    signal(SIGBUS, on_crash);
    signal(SIGABRT, on_abort);
}
