#!/bin/sh
# A certificate authority for tests, and certificates of it:
#
#   make-ca.sh DIR NAME...
#
# DIR/ca.pem and DIR/ca.key are the authority, made if they are not there yet. Each NAME is a host name or an address
# and gets DIR/NAME.pem and DIR/NAME.key; NAME,OTHER,... makes one certificate for all of these, called as the first.
# DAYS (365; -1: they have expired) is how long they are valid. Nobody but you trusts this authority: use it for tests.
set -eu
directory=$1
shift
mkdir -p "$directory"
cd "$directory"
umask 077
new_key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"

quietly() { # what it says only where it fails
  if ! said=$("$@" 2>&1); then
    echo "$said" >&2
    exit 1
  fi
}

if [ ! -e ca.pem ]; then
  quietly openssl req -x509 $new_key -keyout ca.key -out ca.pem -days 3650 -subj "/CN=Test authority" \
    -addext "keyUsage=critical,keyCertSign,cRLSign"
fi

for names in "$@"; do
  first=${names%%,*}
  alternatives=
  for name in $(echo "$names" | tr , ' '); do
    case $name in
      *:* | *[0-9].[0-9]*) kind=IP ;;
      *) kind=DNS ;;
    esac
    alternatives="$alternatives${alternatives:+,}$kind:$name"
  done
  quietly openssl req $new_key -keyout "$first.key" -out "$first.request" -subj "/CN=$first"
  printf 'subjectAltName=%s\n' "$alternatives" >"$first.extensions"
  quietly openssl x509 -req -in "$first.request" -CA ca.pem -CAkey ca.key -CAcreateserial -days "${DAYS:-365}" \
    -extfile "$first.extensions" -out "$first.pem"
  rm "$first.request" "$first.extensions"
done
