#!/usr/bin/env bash
# Creates the certificates of the tests: a CA, and a server (or a client) at localhost and 127.0.0.1, valid from 2020
# to 2120, whatever the clock says. They protect nothing. The CA's own key is not kept.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/ca.conf" <<END
[ca]
default_ca = tests
[tests]
database = $work/index
new_certs_dir = $work
rand_serial = yes
unique_subject = no
default_md = sha256
policy = name
[name]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth,clientAuth
subjectAltName = DNS:localhost,IP:127.0.0.1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END
touch "$work/index"

# request KEY NAME
request() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$1" -out "$work/request.csr"
}
# sign EXTENSIONS OUT OPTION...
sign() {
  openssl ca -batch -notext -config "$work/ca.conf" -startdate 20200101000000Z -enddate 21200101000000Z \
    -in "$work/request.csr" -extensions "$1" -out "$2" -keyfile "$work/ca-key.pem" "${@:3}"
}

request "$work/ca-key.pem" 'etcd-discovery test CA'
sign authority ca.pem -selfsign
request server-key.pem localhost
sign server server.pem -cert ca.pem
