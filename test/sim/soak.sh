#!/bin/sh
# soak.sh VOPR: runs fresh seeds for NSTCP_SOAK_MINUTES minutes (default 1). Says which they were.
exec "$1" --soak "${NSTCP_SOAK_MINUTES:-1}" --every
