/* Reads the lists in which systems say what their ports are for: see portset.h. */
#include "portset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void port_set_add_service(struct port_set *s, const char *line)
{
    unsigned port;
    char proto[8];
    if (line[0] != '#' && sscanf(line, "%*s %5u/%7s", &port, proto) == 2 && port <= 65535 &&
        strcmp(proto, "tcp") == 0)
        port_set_add(s, (uint16_t)port);
}

bool port_set_add_list(struct port_set *s, const char *text)
{
    while (*text != '\0' && *text != '\n') {
        char *end;
        unsigned long first = strtoul(text, &end, 10), last = first;
        if (end == text)
            return false;
        if (*end == '-') {
            text = end + 1;
            last = strtoul(text, &end, 10);
            if (end == text)
                return false;
        }
        if (first > last || last > 65535)
            return false;
        for (unsigned long port = first; port <= last; port++)
            port_set_add(s, (uint16_t)port);
        text = *end == ',' ? end + 1 : end;
        if (*end != ',' && *end != '\0' && *end != '\n')
            return false;
    }
    return true;
}
