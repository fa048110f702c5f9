#!/bin/sh
# Fetches axe-core, which finds what keeps people from using a page, into target/axe. Prints nothing when it is there.
set -eu
cd "$(dirname "$0")/../.."
version=4.14.1
[ -e "target/axe/$version" ] && exit 0
echo "install-axe: fetching axe-core $version with npm into target/axe"
mkdir -p target/axe
npm install --prefix target/axe --no-save --no-audit --no-fund --loglevel=error --ignore-scripts "axe-core@$version" >/dev/null
touch "target/axe/$version"
