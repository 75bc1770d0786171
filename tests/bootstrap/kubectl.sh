#!/usr/bin/env bash
# A kubectl that writes down what it is asked and plays an API server: folder $FAKE holds its state. What needs no server
# is done by the real kubectl ($REAL_KUBECTL), so that its options are the real ones.
set -euo pipefail

space="$(cat "$KUBECONFIG.namespace" 2> /dev/null || echo default)"
printf 'kubectl [%s@%s] %s\n' "$(basename "$KUBECONFIG")" "$space" "$*" >> "$FAKE/log"

# The value of an option.
option() {
  local name="$1"
  shift
  while [ $# -gt 0 ]; do
    [ "$1" != "$name" ] || { echo "$2"; return; }
    shift
  done
}

case "$*" in
  'config set-context --current --namespace '*)
    # The real one takes a tenth of a second, so it is asked once.
    [ -f "$KUBECONFIG.namespace" ] || "$REAL_KUBECTL" "$@"
    echo "${*: -1}" > "$KUBECONFIG.namespace" ;;
  'config '* | *' --dry-run=client '* | 'label --local '* | 'kustomize '*) exec "$REAL_KUBECTL" "$@" ;;
  'get --raw /version') printf '{\n  "major": "1",\n  "gitVersion": "v1.34.2+k3s1",\n  "goVersion": "go1.24"\n}\n' ;;
  'get namespaces '*) cat "$FAKE/namespaces" 2> /dev/null || true ;;
  'api-resources '*)
    # As in reality: five columns, the second of which may be empty.
    awk -F / '{ kind = $NF; sub("/[^/]*$", ""); print tolower(kind) "s   " $0 "  true  " kind }' "$FAKE/kinds" ;;
  'apply '*)
    file="$(option --filename "$@")"
    if [ -s "$FAKE/refuse" ] && grep -q -f "$FAKE/refuse.pattern" "$file"; then
      left="$(cat "$FAKE/refuse")"
      echo "$((left - 1))" | sed '/^0$/d' > "$FAKE/refuse"
      echo 'Internal error occurred: failed calling webhook' >&2
      exit 1
    fi
    number="$(find "$FAKE/applied" -type f | wc -l)"
    cp "$file" "$FAKE/applied/$(printf '%03d' "$number").yaml"
    printf 'applied %03d %s\n' "$number" "$(sed -n 's/^kind: *//p' "$file" | tr '\n' ' ')" >> "$FAKE/log"
    # CRDs are served only after somebody has waited for them.
    sed -n 's/^# serves: //p' "$file" >> "$FAKE/pending" ;;
  'wait --for=condition=Established '*)
    cat "$FAKE/pending" >> "$FAKE/kinds"
    : > "$FAKE/pending" ;;
  'rollout status '*)
    if grep -qxF "$3" "$FAKE/unhealthy" 2> /dev/null; then
      echo "error: timed out waiting for the condition" >&2
      exit 1
    fi ;;
  'get job '*) cat "$FAKE/jobs/$3" 2> /dev/null || printf 'exists Complete .' ;;
  'delete job '*) ;;
  'get secret argocd-manager-token '*go-template*) printf 'the-token-of-the-spoke' ;;
  'get secret argocd-manager-token '*) printf 'Y2E=' ;;
  'get secret '*) cat "$FAKE/secrets/$3" 2> /dev/null || true ;;
  'get StatefulSet '* | 'get DaemonSet '* | 'get Deployment '*)
    # Each look takes one line, but for the last.
    file="$FAKE/pods/$3"
    [ -f "$file" ] || { printf '1/1'; exit; }
    head -n 1 "$file" | tr -d '\n'
    if [ "$(wc -l < "$file")" -gt 1 ]; then sed -i 1d "$file"; fi ;;
  'get applications.argoproj.io --namespace '*) cat "$FAKE/status" ;;
  'get applications.argoproj.io '*'--output name') grep -xF "$3" "$FAKE/applications" 2> /dev/null || true ;;
  'get applications.argoproj.io '*) printf 'Synced' ;;
  'port-forward '*)
    echo 'Forwarding from 127.0.0.1:40123 -> 3000'
    trap 'echo "port-forward ended" >> "$FAKE/log"; exit 0' TERM
    while :; do sleep 0.1; done ;;
  *)
    echo "unexpected: kubectl $*" >&2
    exit 1 ;;
esac
