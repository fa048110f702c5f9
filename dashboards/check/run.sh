#!/bin/bash
# Checks dashboards/grafana/*.json against the types that Grafana publishes, with TypeScript's compiler. Both come from npm
# into target/, in the versions that stand here. `run.sh FILE…` checks others.
# Exit code 77: npm is not here, or brought nothing, so nothing was checked. With DASHBOARDS_CHECK=required that is an error,
# for where nobody reads what is skipped. DASHBOARDS_CHECK=skip: it is not checked, and that is meant.
set -euo pipefail
cd "$(dirname "$0")/../.."

grafana=10.4.19
typescript=5.4.5
folder=target/dashboards-check/$grafana

not_checked() { # why
    echo "dashboards-check: NOT CHECKED: $1" >&2
    [ "${DASHBOARDS_CHECK:-}" != required ] || exit 1
    exit 77
}

if [ "${DASHBOARDS_CHECK:-}" = skip ]; then
    not_checked "DASHBOARDS_CHECK=skip"
fi
if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
    not_checked "npm is missing (tests/install-tools.sh monitoring installs it)"
fi
mkdir -p "$folder"
if [ ! -e "$folder/complete" ]; then
    echo "dashboards-check: installing @grafana/schema $grafana and typescript $typescript into $folder"
    echo '{ "private": true }' >"$folder/package.json"
    if ! npm install --prefix "$folder" --no-audit --no-fund --ignore-scripts --save-exact --silent \
        --fetch-timeout=30000 --fetch-retries=1 \
        "@grafana/schema@$grafana" "typescript@$typescript"; then
        not_checked "npm could not install them"
    fi
    touch "$folder/complete"
fi

cp dashboards/check/types.ts dashboards/check/refused.ts "$folder/"
checked=()
for file in "${@:-dashboards/grafana/*.json}"; do
    for dashboard in $file; do
        name=$(basename "$dashboard" .json)
        {
            echo "import type { Checked } from './types';"
            echo "export const dashboard: Checked ="
            cat "$dashboard"
        } >"$folder/$name.ts"
        checked+=("$folder/$name.ts")
    done
done
# The package's own types are taken as they are.
"$folder/node_modules/.bin/tsc" --noEmit --strict --skipLibCheck --target es2020 --module commonjs \
    --moduleResolution node "$folder/refused.ts" "${checked[@]}"
echo "dashboards-check: ${#checked[@]} dashboards are as @grafana/schema $grafana says"
