/* What self tests do to the engine's own memory. A file of its own: sock.h has a struct conn, too.
 */
#include "sabotage_stack.h"

#include "sock.h"

void sabotage_count(struct stack *s)
{
    s->n_socks++;
}
