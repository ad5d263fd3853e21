#!/bin/bash
# Of the official image's variables MYSQL_ROOT_PASSWORD alone, which counts when the data folder is made.
set -euo pipefail
case ${1:-} in -*) set -- mysqld "$@" ;; esac
[ "$1" = mysqld ] || exec "$@"
shift
options=(--no-defaults --user=mysql --datadir=/var/lib/mysql)
if [ ! -d /var/lib/mysql/mysql ]; then
  [ -n "${MYSQL_ROOT_PASSWORD:-}" ] || { echo 'MYSQL_ROOT_PASSWORD is not set' >&2; exit 1; }
  chown mysql:mysql /var/lib/mysql
  mariadb-install-db "${options[@]}" --auth-root-authentication-method=normal --skip-test-db >/dev/null
  password=${MYSQL_ROOT_PASSWORD//\'/\'\'}
  # An init file has one statement a line.
  printf '%s;\n' "ALTER USER root@localhost IDENTIFIED BY '$password'" "CREATE USER root@'%' IDENTIFIED BY '$password'" \
    "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION" "DELETE FROM mysql.global_priv WHERE User='' OR User='root' AND Host NOT IN ('localhost', '%')" 'FLUSH PRIVILEGES' >/tmp/init.sql
  chown mysql:mysql /tmp/init.sql
  options+=(--init-file=/tmp/init.sql)
fi
exec mariadbd "${options[@]}" --bind-address=0.0.0.0 "$@"
