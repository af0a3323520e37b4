/* What has happened in a test of segments.h, to be printed when it fails. It is kept as it was said
 * and becomes text only then: a test may have hundreds of thousands of cases. */
#ifndef LOG_H
#define LOG_H

#include "line.h"
#include "support.h"

#define LOG_MAX 128 /* the newest are kept */

struct log {
    struct log_entry {
        uint64_t ns;            /* since the test began */
        const char *what;       /* constants, as are the others */
        const char *then, *why; /* of a state that follows upon `what`; or NULL */
        bool is_line;
        struct line line;
        char text[64];
    } entries[LOG_MAX];
    size_t n; /* in all, so far */
};

/* An arrow and a segment. */
void log_line(struct log *log, uint64_t ns, const char *arrow, const struct line *l);

/* A change of state; or, without `to`, why something is sent again. */
void log_trace(struct log *log, uint64_t ns, const char *from, const char *to, const char *why);

__attribute__((format(printf, 3, 4))) void log_text(struct log *log, uint64_t ns,
                                                    const char *format, ...);

void log_print(const struct log *log);

#endif
