/* See log.h. */
#include "log.h"

#include <stdio.h>

static struct log_entry *next(struct log *log, uint64_t ns, const char *what)
{
    struct log_entry *e = &log->entries[log->n++ % LOG_MAX];
    e->ns = ns;
    e->what = what;
    e->then = e->why = NULL;
    e->is_line = false;
    e->text[0] = '\0';
    return e;
}

void log_line(struct log *log, uint64_t ns, const char *arrow, const struct line *l)
{
    struct log_entry *e = next(log, ns, arrow);
    e->is_line = true;
    e->line = *l;
}

void log_trace(struct log *log, uint64_t ns, const char *from, const char *to, const char *why)
{
    struct log_entry *e = next(log, ns, from);
    e->then = to;
    e->why = why;
}

void log_text(struct log *log, uint64_t ns, const char *format, ...)
{
    struct log_entry *e = next(log, ns, NULL);
    va_list args;
    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
}

static void print(const struct log_entry *e)
{
    char text[LINE_TEXT_MAX];
    print_error("%10.3f  ", (double)e->ns / 1e6);
    if (e->is_line)
        print_error("%s %s\n", e->what, line_text(&e->line, text));
    else if (e->then)
        print_error("    %s, then %s: %s\n", e->what, e->then, e->why);
    else if (e->why)
        print_error("    again: %s\n", e->why);
    else
        print_error("%s\n", e->text);
}

void log_print(const struct log *log)
{
    for (size_t i = log->n > LOG_MAX ? log->n - LOG_MAX : 0; i < log->n; i++)
        print(&log->entries[i % LOG_MAX]);
}
