/* tmp */
#include "posix.h"
void transfers(void)
{
}
void options(void)
{
}
void names(void)
{
}
void endings(void)
{
}
