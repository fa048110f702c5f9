#!/bin/bash
# `make monitoring`: Prometheus with the rules of this folder, on loopback, in front of a running appliance. TARGET is where
# its metrics are served, LISTEN where Prometheus is, MONITORING_DATA where what it collects lies until the next time.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${TARGET:-127.0.0.1:8080}
listen=${LISTEN:-127.0.0.1:9090}
usual=$PWD/target/monitoring
folder=${MONITORING_DATA:-$usual}
# In a folder that this made.
mark=$folder/made-by-make-monitoring

if (exec 3<>"/dev/tcp/${listen%:*}/${listen##*:}") 2>/dev/null; then
    echo "monitoring: something listens on $listen already; LISTEN=127.0.0.1:9091 takes another port" >&2
    exit 2
fi
# What Prometheus collected the last time goes, and nothing that is anybody else's.
if [ "$folder" != "$usual" ] && [ ! -e "$mark" ] && [ -e "$folder" ] && [ -n "$(ls -A "$folder")" ]; then
    echo "monitoring: $folder has something in it that this did not make; MONITORING_DATA is a new or an empty folder" >&2
    exit 2
fi
mkdir -p "$folder"
touch "$mark"
rm -rf "${folder:?}/data"
sed -e "s|127\.0\.0\.1:8080|$target|" -e "s|rules/\*\.yml|$PWD/dashboards/rules/*.yml|" \
    dashboards/prometheus.yml >"$folder/prometheus.yml"
promtool check config "$folder/prometheus.yml" >/dev/null

# Says where to look once there is something to see, while this process becomes Prometheus.
(
    for _ in $(seq 300); do
        kill -0 $$ 2>/dev/null || exit
        if (exec 3<>"/dev/tcp/${listen%:*}/${listen##*:}") 2>/dev/null; then
            cat <<END
Prometheus watches http://$target/metrics until Ctrl-C:
  http://$listen/targets   whether it reaches the appliance
  http://$listen/alerts    the alerts, and which fire
  http://$listen/graph     queries
For a Grafana of yours this is the data source, and dashboards/grafana has the dashboards (docs/monitoring.md).
END
            exit
        fi
        sleep 0.1
    done
) &
exec prometheus --config.file="$folder/prometheus.yml" --storage.tsdb.path="$folder/data" \
    --web.listen-address="$listen" --log.level=warn
