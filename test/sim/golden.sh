#!/bin/sh
# golden.sh PROGRAM TABLE FILE: whether what PROGRAM prints is what FILE has. A change that is meant:
# build/test/sim/golden TABLE >test/sim/golden/TABLE.txt
now=$("$1" "$2") || { echo "$now"; exit 1; }
printf '%s\n' "$now" | diff -u "$3" -
