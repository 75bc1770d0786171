# Options, the order of steps, and the checks before the first.

context="${KUBE_CONTEXT:-}"
hub_context="${HUB_CONTEXT:-}"
hub_server=''
checkout="$PWD"
credentials="${BOOTSTRAP_CREDENTIALS:-}"
yes="${BOOTSTRAP_YES:-}"
timeout="${BOOTSTRAP_TIMEOUT:-600}"
pause="${BOOTSTRAP_PAUSE:-5}"
tries="${BOOTSTRAP_TRIES:-60}"
from=1
skipped=' '
step=''
namespace=default
forward=''
work=''

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

usage() {
  cat <<'USAGE'
usage: bootstrap --context NAME [OPTION...]

  --context NAME       the cluster, by its context in your kubeconfig (or KUBE_CONTEXT)
  --hub-context NAME   the cluster of the Argo CD that manages this one, where that is another (or HUB_CONTEXT)
  --server URL         how that Argo CD reaches this cluster; default: as your kubeconfig does
  --from STEP          begin with this step, by name or number
  --skip STEP          leave out this step (may be given several times); what a release lacks then, Argo CD brings
  --yes                ask nobody: what a person has to bring is there (or BOOTSTRAP_YES=1)
  --credentials DIR    files DIR/SECRET/username, password or sshPrivateKey of private repositories (or
                       BOOTSTRAP_CREDENTIALS); asked for otherwise
  --checkout DIR       the repository that hlgen reads, for what is taken from it; default: the current folder
  --list               list the steps
  --help               this

BOOTSTRAP_TIMEOUT (600) is how many seconds a step waits for something, BOOTSTRAP_TRIES (60) how often an object is
applied that the cluster refuses, BOOTSTRAP_PAUSE (5) the seconds between. HLGEN_GIT_TOKEN is the token with which the
rendered files are pushed, where the Git host runs in this cluster.

Running it again is safe: objects are applied, not created, and a release whose Application exists is Argo CD's.
USAGE
}

argument() { [ $# -ge 2 ] || die "$1 needs a value"; }

# The number of a step, by its name or number.
number_of() {
  local number
  for number in "${!steps[@]}"; do
    if [ "${steps[number]}" = "$1" ] || [ "$((number + 1))" = "$1" ]; then
      echo "$((number + 1))"
      return
    fi
  done
  die "there is no step '$1'; --list shows them"
}

list_steps() {
  local number
  for number in "${!steps[@]}"; do
    printf '%3d  %-40s %s\n' "$((number + 1))" "${steps[number]}" "${titles[number]}"
  done
}

parse() {
  local number
  while [ $# -gt 0 ]; do
    case "$1" in
      --context) argument "$@"; context="$2"; shift ;;
      --hub-context) argument "$@"; hub_context="$2"; shift ;;
      --server) argument "$@"; hub_server="$2"; shift ;;
      --from) argument "$@"; from="$(number_of "$2")"; shift ;;
      --skip) argument "$@"; number="$(number_of "$2")"; skipped="$skipped$number "; shift ;;
      --credentials) argument "$@"; credentials="$2"; shift ;;
      --checkout) argument "$@"; checkout="$2"; shift ;;
      --yes) yes=1 ;;
      --list) list_steps; exit 0 ;;
      --help | -h) usage; exit 0 ;;
      *) die "unknown option '$1'; --help shows them" ;;
    esac
    shift
  done
}

finish() {
  local status=$?
  [ -z "$forward" ] || kill "$forward" 2> /dev/null || true
  [ -z "$work" ] || rm -rf "$work"
  if [ "$status" -ne 0 ] && [ -n "$step" ]; then
    say "stopped in step '$step'; when it is mended, go on with --from $step (or leave the step out with --skip $step)"
  fi
}

main() {
  local number
  trap finish EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  parse "$@"
  work="$(mktemp -d "${TMPDIR:-/tmp}/bootstrap.XXXXXX")"
  mkdir "$work/later"
  write_splitter > "$work/split.awk"
  preflight
  for number in "${!steps[@]}"; do
    step="${steps[number]}"
    number=$((number + 1))
    [ "$number" -ge "$from" ] || continue
    case "$skipped" in *" $number "*) say "[$number/${#steps[@]}] $step: left out"; continue ;; esac
    say "[$number/${#steps[@]}] $step: ${titles[number - 1]}"
    run_step "$number"
  done
  step=''
  left_over
}

# The tools are there, the cluster is the one that is meant. All that follows uses a kubeconfig of its own, whose context
# alone says in which namespace an object without one belongs: `kubectl apply -n` would refuse those that have one.
preflight() {
  local tool others
  for tool in "${tools[@]}"; do
    command -v "$tool" > /dev/null || die "$tool is not on the PATH"
  done
  if [ -z "$context" ]; then
    say "the contexts of your kubeconfig are: $(kubectl config get-contexts --output name | tr '\n' ' ')"
    die 'say which cluster is meant: --context NAME'
  fi
  kubectl config view --raw --minify --flatten --context "$context" > "$work/kubeconfig" ||
    die "there is no context '$context'"
  argocd_kubeconfig="$work/kubeconfig"
  if [ -n "$hub" ]; then
    [ -n "$hub_context" ] || die "$environment is managed by the Argo CD in $hub; name that cluster too: --hub-context NAME"
    [ "$hub_context" != "$context" ] || die "--hub-context is the cluster itself; $hub is another one"
    kubectl config view --raw --minify --flatten --context "$hub_context" > "$work/hub.kubeconfig" ||
      die "there is no context '$hub_context'"
    argocd_kubeconfig="$work/hub.kubeconfig"
  fi
  export KUBECONFIG="$work/kubeconfig"
  kube_version="$(kubectl get --raw /version |
    sed -n '/"gitVersion"/{s/.*"gitVersion": *"\(v[0-9]*\.[0-9]*\.[0-9]*\).*/\1/p;q;}')" || true
  [ -n "$kube_version" ] || die "cannot reach the cluster of context '$context'"
  others="$(kubectl get namespaces --selector "hlgen.dev/project=$project" \
    --output 'jsonpath={range .items[*]}{.metadata.labels.hlgen\.dev/environment}{"\n"}{end}' | sed '/^$/d' | sort -u)"
  if [ -n "$others" ] && ! grep -qxF -e "$environment" <<< "$others"; then
    die "context '$context' is no $environment: its namespaces belong to $(tr '\n' ' ' <<< "$others")"
  fi
  say "$environment: context '$context', Kubernetes $kube_version"
}

# confirm QUESTION: a person says that something is done.
confirm() {
  printf '%s ' "$1" >&2
  read -r _ || die "nobody answers; run this on a terminal, or with --yes when it is there"
}

holds() { [ -n "$1" ] && bash -euo pipefail -c "$1" < /dev/null > /dev/null 2>&1; }

# ask NAME TEXT CHECK: waits for what only a person can bring. CHECK is a command that succeeds when it is there.
ask() {
  if holds "$3"; then
    say 'it is there already'
    return
  fi
  say "$2"
  if [ -n "$yes" ]; then
    [ -z "$3" ] || die "'$1' is not there: $3"
    return
  fi
  confirm "Press Enter when it is there (Ctrl-C stops):"
  while [ -n "$3" ] && ! holds "$3"; do
    confirm "It is not there yet ($3). Press Enter to look again:"
  done
}

# by_hand NAME TEXT: a release that does not become healthy by itself.
by_hand() {
  if all_ready; then
    say "$1 is ready already"
    return
  fi
  say "$2"
  [ -n "$yes" ] || confirm 'Press Enter when it is done (Ctrl-C stops):'
}
