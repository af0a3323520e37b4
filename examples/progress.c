/* See progress.h. */
#include "progress.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define REDRAW_S 0.2

static double since(const struct timespec *then)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) * 1e-9;
}

void progress_begin(struct progress *p, int64_t total)
{
    *p = (struct progress){.terminal = isatty(STDERR_FILENO), .total = total};
    clock_gettime(CLOCK_MONOTONIC, &p->begun);
    p->shown = p->begun;
}

/* "1.5 GB" */
static void print_octets(double octets)
{
    static const char units[] = "kMGTPE";
    int unit = -1;
    for (; octets >= 999.95 && units[unit + 1]; unit++)
        octets /= 1000;
    if (unit < 0)
        fprintf(stderr, "%.0f octets", octets);
    else
        fprintf(stderr, "%.1f %cB", octets, units[unit]);
}

static void draw(struct progress *p)
{
    double rate = (double)p->done / since(&p->begun);
    fputc('\r', stderr);
    print_octets((double)p->done);
    if (p->total > 0) {
        fputs(" of ", stderr);
        print_octets((double)p->total);
        fprintf(stderr, " (%.0f %%)", 100 * (double)p->done / (double)p->total);
    }
    fputs(", ", stderr);
    print_octets(rate);
    fputs("/s", stderr);
    if (p->total > p->done) {
        int64_t left = (int64_t)((double)(p->total - p->done) / rate + 0.5);
        fprintf(stderr, ", %" PRId64 ":%02d:%02d left", left / 3600, (int)(left / 60 % 60),
                (int)(left % 60));
    }
    fputs("\033[K", stderr); /* the rest of a longer line before */
    fflush(stderr);
    p->drawn = true;
}

void progress_add(struct progress *p, size_t octets)
{
    p->done += (int64_t)octets;
    if (p->terminal && since(&p->shown) >= REDRAW_S) {
        clock_gettime(CLOCK_MONOTONIC, &p->shown);
        draw(p);
    }
}

void progress_clear(struct progress *p)
{
    int error = errno;
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = false;
    errno = error;
}

void progress_result(struct progress *p, const char *what)
{
    double seconds = since(&p->begun);
    progress_clear(p);
    printf("%s %" PRId64 " octets in %.3f s, %.1f MB/s\n", what, p->done, seconds,
           seconds > 0 ? (double)p->done / seconds * 1e-6 : 0);
}
