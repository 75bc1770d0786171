# Objects into the cluster: rendered, sorted, applied, waited for.

# begin NAMESPACE: a step that installs something there.
begin() {
  use_namespace "$1"
  rm -rf "$work/workloads" "$work/objects.yaml" "$work/again.yaml" "$work/post"
  mkdir "$work/post"
}

use_namespace() {
  namespace="$1"
  kubectl config set-context --current --namespace "$1" > /dev/null
}

# What the cluster serves now: one `apps/v1/Deployment` a line. An aggregated API that is down is no reason to stop.
discover() {
  kubectl api-resources --no-headers > "$work/resources" || true
  [ -s "$work/resources" ] || die 'the cluster does not say what it serves'
  awk '{ print $(NF - 2) "/" $NF }' "$work/resources" | sort -u > "$work/kinds"
}

# The same for Helm, with the bare versions, as Argo CD passes them.
api_versions() { { sed 's|/[^/]*$||' "$work/kinds" && cat "$work/kinds"; } | sort -u | paste -s -d , -; }

# chart RELEASE CHART [OPTION...]: renders a chart with the values in $work/values.yaml.
chart() {
  local release="$1" chart="$2"
  shift 2
  discover
  helm template "$release" "$chart" --namespace "$namespace" --skip-tests --kube-version "$kube_version" \
    --api-versions "$(api_versions)" --values "$work/values.yaml" "$@" > "$work/objects.yaml"
}

# local_chart RELEASE FOLDER [OPTION...]: the same for a chart of the repository; its dependencies are fetched for a copy.
local_chart() {
  local release="$1" folder="$checkout/$2"
  shift 2
  [ -f "$folder/Chart.yaml" ] || die "there is no chart in '$folder'; run this in the repository, or name it: --checkout DIR"
  rm -rf "$work/chart"
  cp -R "$folder" "$work/chart"
  if grep -q '^dependencies:' "$work/chart/Chart.yaml" && [ ! -d "$work/chart/charts" ]; then
    helm dependency build "$work/chart" >&2
  fi
  chart "$release" "$work/chart" "$@"
}

# directory RELEASE REPOSITORY PATH REVISION: a directory of another repository, as Argo CD reads it.
directory() {
  local folder="$work/git/$3" file
  rm -rf "$work/git"
  git init --quiet "$work/git"
  if git -C "$work/git" fetch --quiet --depth 1 -- "$2" "$4"; then
    git -C "$work/git" checkout --quiet FETCH_HEAD
  else
    git -C "$work/git" fetch --quiet --tags -- "$2" '+refs/heads/*:refs/remotes/origin/*'
    git -C "$work/git" checkout --quiet --detach "$4"
  fi
  [ -d "$folder" ] || die "$2 has no folder '$3' at $4"
  if [ -f "$folder/Chart.yaml" ]; then
    printf '{}\n' > "$work/values.yaml"
    chart "$1" "$folder" --include-crds
  elif [ -f "$folder/kustomization.yaml" ] || [ -f "$folder/kustomization.yml" ] || [ -f "$folder/Kustomization" ]; then
    kubectl kustomize "$folder" > "$work/objects.yaml"
  else
    for file in "$folder"/*.yaml "$folder"/*.yml "$folder"/*.json; do
      [ ! -f "$file" ] || { printf -- '---\n' && cat "$file" && printf '\n'; }
    done > "$work/objects.yaml"
  fi
}

# The fields of what is applied belong to Argo CD from the first moment, so it takes over the same objects later.
apply_once() {
  kubectl apply --server-side --force-conflicts --field-manager=argocd-controller --filename "$1"
}

apply() {
  local try=1
  until apply_once "$1"; do
    [ "$try" -lt "$tries" ] || die "the cluster refuses objects of step '$step'"
    try=$((try + 1))
    say "trying again in $pause s ($try of $tries)"
    sleep "$pause"
  done
}

split() {
  rm -rf "$work/parts"
  mkdir "$work/parts"
  awk -v folder="$work/parts" -v kinds="$work/kinds" -f "$work/split.awk" "$1"
}

# Applies what the pods of a release may wait for, a Secret say. What the release's own webhooks refuse as long as they are
# not up comes again when they are.
offer() {
  apply_once "$1" || cp "$1" "$work/again.yaml"
}

# install FILE [offer]: CRDs until they are established, the hooks before an installation, then the rest. What the cluster
# does not know yet is kept for later steps.
install() {
  local hooks
  discover
  split "$1"
  if [ -f "$work/parts/crds.yaml" ]; then
    apply "$work/parts/crds.yaml"
    kubectl wait --for=condition=Established --timeout="${timeout}s" --filename "$work/parts/crds.yaml"
    discover
    split "$1"
  fi
  for hooks in "$work"/parts/pre-*.yaml; do
    [ ! -f "$hooks" ] || run_hooks "$hooks"
  done
  [ ! -f "$work/parts/rest.yaml" ] || "${2:-apply}" "$work/parts/rest.yaml"
  [ ! -f "$work/parts/workloads" ] || cat "$work/parts/workloads" >> "$work/workloads"
  [ ! -f "$work/parts/later.yaml" ] || cat "$work/parts/later.yaml" >> "$work/later/$namespace.yaml"
  for hooks in "$work"/parts/post-*; do
    [ ! -f "$hooks" ] || mv "$hooks" "$work/post/"
  done
}

# run_hooks FILE: hooks of one weight. A Job of an earlier run makes room, as under Helm and Argo CD.
run_hooks() {
  local jobs="${1%.yaml}.jobs" name in_namespace
  if [ ! -f "$jobs" ]; then
    apply "$1"
    return
  fi
  while read -r _ name in_namespace _ <&3; do
    [ "$in_namespace" != - ] || in_namespace="$namespace"
    kubectl delete job "$name" --namespace "$in_namespace" --ignore-not-found > /dev/null
  done 3< "$jobs"
  apply "$1"
  while read -r _ name in_namespace _ <&3; do
    [ "$in_namespace" != - ] || in_namespace="$namespace"
    wait_for_job "$name" "$in_namespace"
  done 3< "$jobs"
}

# wait_for_job NAME NAMESPACE: until it is complete, or gone, as a finished Job with a short life is.
wait_for_job() {
  local end=$((SECONDS + timeout)) state
  while :; do
    state="$(kubectl get job "$1" --namespace "$2" --ignore-not-found \
      --output 'jsonpath=exists {.status.conditions[?(@.status=="True")].type} .')"
    case "$state" in
      '' | *' Complete '*) return ;;
      *' Failed '*) die "job $1 in namespace $2 failed: kubectl logs --namespace $2 job/$1" ;;
    esac
    [ "$SECONDS" -lt "$end" ] || die "job $1 in namespace $2 is not complete after $timeout s"
    sleep "$pause"
  done
}

# pods KIND NAME NAMESPACE: how many there should be and how many are ready, as `3/2`.
pods() {
  local fields='{.spec.replicas}/{.status.readyReplicas}'
  [ "$1" != DaemonSet ] || fields='{.status.desiredNumberScheduled}/{.status.numberReady}'
  kubectl get "$1" "$2" --namespace "$3" --output "jsonpath=$fields"
}

# is_ready KIND NAME NAMESPACE
is_ready() {
  local count
  count="$(pods "$1" "$2" "$3")" || return 1
  [ "${count%%/*}" = "${count#*/}" ] || [ "$count" = 0/ ]
}

all_ready() {
  local kind name in_namespace
  [ -f "$work/workloads" ] || return 0
  while read -r kind name in_namespace _ <&3; do
    [ "$in_namespace" != - ] || in_namespace="$namespace"
    [ "$kind" = Job ] || is_ready "$kind" "$name" "$in_namespace" || return 1
  done 3< "$work/workloads"
}

# Waits for everything that the step has started. `rollout status` does not take sets whose pods are replaced by hand.
healthy() {
  local kind name in_namespace strategy end
  [ -f "$work/workloads" ] || return 0
  while read -r kind name in_namespace strategy <&3; do
    [ "$in_namespace" != - ] || in_namespace="$namespace"
    if [ "$kind" = Job ]; then
      wait_for_job "$name" "$in_namespace"
    elif [ "$strategy" = OnDelete ]; then
      end=$((SECONDS + timeout))
      until is_ready "$kind" "$name" "$in_namespace"; do
        [ "$SECONDS" -lt "$end" ] || die "$kind $name in namespace $in_namespace is not ready after $timeout s"
        sleep "$pause"
      done
    else
      kubectl rollout status "$kind/$name" --namespace "$in_namespace" --timeout="${timeout}s"
    fi
  done 3< "$work/workloads"
}

# Objects whose kind an earlier step did not know, and this one brought.
settle() {
  local file
  discover
  for file in "$work"/later/*.yaml; do
    [ -f "$file" ] || continue
    use_namespace "$(basename "$file" .yaml)"
    split "$file"
    [ ! -f "$work/parts/rest.yaml" ] || apply "$work/parts/rest.yaml"
    rm "$file"
    [ ! -f "$work/parts/later.yaml" ] || mv "$work/parts/later.yaml" "$file"
  done
}

# What no step brought a kind for.
left_over() {
  local file
  for file in "$work"/later/*.yaml; do
    [ -f "$file" ] || continue
    split "$file"
    say "not applied, because the cluster does not know their kind (Argo CD brings them when it does), in namespace $(basename "$file" .yaml):"
    sed 's/^/  /' "$work/parts/later" >&2
  done
}

# What has to wait for the pods: refused objects, hooks behind an installation, and what the step made possible.
complete() {
  local hooks
  [ ! -f "$work/again.yaml" ] || apply "$work/again.yaml"
  for hooks in "$work"/post/post-*.yaml; do
    [ ! -f "$hooks" ] || run_hooks "$hooks"
  done
  settle
}
