#!/usr/bin/env bash
# Runs shellcheck on every shell script of the project. Installs it where apt-get can.
#
#   scripts/tests/shellcheck.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/lib/packages.sh
. scripts/lib/packages.sh
need shellcheck shellcheck

# Scripts are found by name or by first line, so that those without an extension are included.
scripts=()
while IFS= read -r file; do
  case "$file" in *.sh) scripts+=("$file"); continue ;; esac
  IFS= read -r first <"$file" || true
  case "$first" in '#!'*/sh | '#!'*/bash | '#!'*'env bash') scripts+=("$file") ;; esac
done < <(find .ci scripts -type f -not -name '*.pyc' | sort)
[ "${#scripts[@]}" -gt 10 ] || { echo "only ${#scripts[@]} scripts found: this check is broken" >&2; exit 1; }

shellcheck --external-sources --source-path=SCRIPTDIR/../.. --source-path=. "${scripts[@]}"
echo "shellcheck has no findings in ${#scripts[@]} scripts"
