#!/usr/bin/env bash
# Checks the dashboard's JavaScript: formatting (prettier), types (tsc --checkJs) and unit tests (node:test). Installs
# Node.js where apt-get can, and the tools in the versions of crates/predictor/package-lock.json.
#
#   scripts/tests/web.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/lib/packages.sh
. scripts/lib/packages.sh
need "nodejs npm" node npm

cd crates/predictor
# A lock file with registry addresses would tie every machine to one registry.
if grep -n '"resolved"' package-lock.json; then
  echo "package-lock.json names a registry; write it with: npm install --omit-lockfile-registry-resolved" >&2
  exit 1
fi
npm ci --no-audit --no-fund
npm run --silent check
