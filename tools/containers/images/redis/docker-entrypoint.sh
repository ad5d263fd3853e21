#!/bin/sh
set -e
[ "$1" = redis-server ] || exec "$@"
# As in the official image.
set -- "$@" --protected-mode no
[ "$(id -u)" = 0 ] || exec "$@"
find . ! -user redis -exec chown redis {} +
exec setpriv --reuid redis --regid redis --clear-groups "$@"
