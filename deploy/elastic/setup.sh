#!/bin/sh
# Tells a cluster what tapelog needs: retention, index template, ingest pipeline; data view, dashboards and alert rules. May be run
# again at any time. Wants curl, and:
#   ELASTIC_HOSTS=https://localhost:9200 ELASTIC_USERNAME=elastic ELASTIC_PASSWORD=… ELASTIC_CA=ca.crt ./setup.sh
# KIBANA_HOSTS: without it, dashboards and rules are left out. KIBANA_PASSWORD: sets the password of `kibana_system` first.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
es=${ELASTIC_HOSTS:-https://localhost:9200}
kibana=${KIBANA_HOSTS:-}
: "${ELASTIC_PASSWORD:?the password of ELASTIC_USERNAME}"

# Credentials go to curl by standard input: arguments can be read by everyone.
call() {
  printf 'user = "%s:%s"\n' "${ELASTIC_USERNAME:-elastic}" "$ELASTIC_PASSWORD" |
    curl --silent --show-error --config - ${ELASTIC_CA:+--cacert "$ELASTIC_CA"} "$@"
}

# What is answered, unless it is a success, is shown, and ends this.
must() {
  what=$1
  shift
  answer=$(call --write-out '\n%{http_code}' "$@")
  code=$(printf '%s' "$answer" | tail -n 1)
  case $answer in
    # An import that failed in part answers 200.
    *'"success":false'*) code=failed ;;
  esac
  case $code in
    2*) printf '%s\n' "$what" ;;
    *) printf '%s: it answered %s\n' "$what" "$answer" >&2; exit 1 ;;
  esac
}

wait_for() {
  tries=0
  until [ "$(call --output /dev/null --write-out '%{http_code}' "$1" || true)" = 200 ]; do
    tries=$((tries + 1))
    [ "$tries" -lt "${SETUP_TRIES:-150}" ] || { echo "$1 does not answer" >&2; exit 1; }
    sleep 2
  done
}

scratch=$(mktemp)
trap 'rm -f "$scratch"' EXIT
json='content-type: application/json'
wait_for "$es/"
if [ -n "${KIBANA_PASSWORD:-}" ]; then
  printf '{"password":"%s"}' "$KIBANA_PASSWORD" >"$scratch"
  must 'password of kibana_system' -X POST -H "$json" --data-binary "@$scratch" \
    "$es/_security/user/kibana_system/_password"
fi
must 'retention policy' -X PUT -H "$json" --data-binary "@$here/ilm-policy.json" "$es/_ilm/policy/tapelog"
must 'index template' -X PUT -H "$json" --data-binary "@$here/index-template.json" "$es/_index_template/tapelog"
must 'ingest pipeline' -X PUT -H "$json" --data-binary "@$here/ingest-pipeline.json" "$es/_ingest/pipeline/tapelog"

[ -n "$kibana" ] || { echo 'no KIBANA_HOSTS: dashboards and rules are left out'; exit 0; }
wait_for "$kibana/api/status"
must 'data view and dashboards' -X POST -H 'kbn-xsrf: tapelog' --form "file=@$here/kibana.ndjson" \
  "$kibana/api/saved_objects/_import?overwrite=true"
for rule in "$here"/rules/*.json; do
  id=$(sed -n 's/^  "id": "\(.*\)",$/\1/p' "$rule")
  name=$(basename "$rule" .json)
  # A rule that is there is yours: somebody may have changed it.
  if [ "$(call --output /dev/null --write-out '%{http_code}' "$kibana/api/alerting/rule/$id")" = 200 ]; then
    echo "rule $name is there already"
    continue
  fi
  sed '/^  "id": /d' "$rule" >"$scratch"
  must "rule $name" -X POST -H "$json" -H 'kbn-xsrf: tapelog' --data-binary "@$scratch" "$kibana/api/alerting/rule/$id"
done
