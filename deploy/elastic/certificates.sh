#!/usr/bin/env bash
# An authority of its own, and a certificate each for Elasticsearch and Kibana, in the volume `certs`; made once.
set -euo pipefail
cd /usr/share/elasticsearch
if [ ! -f /certs/done ]; then
  bin/elasticsearch-certutil ca --silent --pem -out /certs/ca.zip
  unzip -oq /certs/ca.zip -d /certs
  printf '%s\n' 'instances:' \
    '  - { name: elasticsearch, dns: [elasticsearch, localhost], ip: [127.0.0.1] }' \
    '  - { name: kibana, dns: [kibana, localhost], ip: [127.0.0.1] }' >/certs/instances.yml
  bin/elasticsearch-certutil cert --silent --pem -out /certs/certs.zip --in /certs/instances.yml \
    --ca-cert /certs/ca/ca.crt --ca-key /certs/ca/ca.key
  unzip -oq /certs/certs.zip -d /certs
  rm /certs/ca.zip /certs/certs.zip
  chown -R root:root /certs
  # The authority's key is root's alone; the rest is read by the services.
  find /certs -type d -exec chmod 755 {} +
  find /certs -type f -exec chmod 644 {} +
  chmod 600 /certs/ca/ca.key
  touch /certs/done
fi
