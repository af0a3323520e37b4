/*
 * How a checker says that it has found something: sim_fail() prints who, when and what, and jumps
 * back to the runner, which frees the world and counts the seed as failed. Also turns abort() (an
 * assertion of the engine) into such a failure.
 */
#ifndef FAIL_H
#define FAIL_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One per process: the run that is going on. */
struct fail_frame {
    jmp_buf env;
    bool armed;
    bool quiet; /* the self test expects failures: nothing is printed */
    uint64_t seed;
    uint64_t now_ns;  /* virtual time, kept by the world */
    int conn, side;   /* whom it was about, as far as known; conn -1: unknown */
    const char *what; /* checker of the failure that happened */
    char text[256];   /* what it said */
};

extern struct fail_frame fail_frame;

/* checker: a short name, the same for all failures of one kind. A checker calls it by SIM_CHECK. */
_Noreturn void sim_fail(const char *checker, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* As the checker of sim_fail(): what has happened is no error but chance, and the seed cannot go on
 * from there. It has not failed. */
extern const char fail_by_chance[];

/* From now on abort() inside the engine fails the seed instead of ending the program, and a crash
 * names its seed before it does. */
void fail_catch_abort(void);

/* Memory of the simulator's own, zeroed, or as realloc() has it: ends the program when there is
 * none.
 */
void *sim_zalloc(size_t n, size_t size);
void *sim_realloc(void *ptr, size_t n, size_t size);

/* What follows is about this end; conn -1: about none. */
static inline void fail_about(int conn, int side)
{
    fail_frame.conn = conn;
    fail_frame.side = side;
}

/* The checkers of the program, each as often as it occurs: a table that the linker makes, so that
 * the self test knows of each. */
extern const char *const __start_sim_checkers[], *const __stop_sim_checkers[];

#define SIM_CHECK(cond, checker, ...)                                                              \
    do {                                                                                           \
        static const char *const checker_ __attribute__((section("sim_checkers"), used)) =         \
            checker;                                                                               \
        if (!(cond))                                                                               \
            sim_fail(checker_, __VA_ARGS__);                                                       \
    } while (0)

#endif
