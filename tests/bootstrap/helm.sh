#!/usr/bin/env bash
# A helm that writes down what it is asked. A chart is the file $FAKE/charts/RELEASE.yaml, or a Deployment.
set -euo pipefail

# The list of what the cluster serves is long.
arguments=()
hidden=''
for argument in "$@"; do
  [ -z "$hidden" ] || argument="$(tr , '\n' <<< "$argument" | wc -l) versions"
  hidden=''
  [ "$argument" != --api-versions ] || hidden=1
  arguments+=("$argument")
done
printf 'helm %s\n' "${arguments[*]}" >> "$FAKE/log"

[ "$1" = template ] || { echo "unexpected: helm $*" >&2; exit 1; }
name="$2"
while [ $# -gt 0 ]; do
  [ "$1" != --values ] || cp "$2" "$FAKE/values/$name.yaml"
  [ "$1" != --api-versions ] || tr , '\n' <<< "$2" > "$FAKE/values/$name.versions"
  shift
done
if [ -f "$FAKE/charts/$name.yaml" ]; then
  cat "$FAKE/charts/$name.yaml"
else
  printf -- '---\n# Source: %s\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: %s\n' "$name" "$name"
fi
