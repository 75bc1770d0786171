# What is said to Argo CD, and what it says.

# kubectl for the cluster that Argo CD runs in.
argocd_kubectl() { KUBECONFIG="$argocd_kubeconfig" kubectl "$@"; }

# is_managed APPLICATION: Argo CD has taken the release over, so it is no longer this script's.
is_managed() {
  [ -z "$break_glass" ] || return 1
  [ -n "$(argocd_kubectl get applications.argoproj.io "$1" --namespace "$argocd_namespace" --ignore-not-found \
    --output name 2> /dev/null || true)" ] || return 1
  say "Argo CD has the Application $1 already, so it is left to Argo CD"
}

# put_secret NAME LABEL=VALUE [FIELD=FILE...]: a Secret of Argo CD's, from files, so that nothing secret is an argument.
put_secret() {
  local name="$1" label="$2" file="$work/secret.yaml" field
  local -a fields=()
  shift 2
  for field in "$@"; do fields+=("--from-file=$field"); done
  argocd_kubectl create secret generic "$name" --namespace "$argocd_namespace" "${fields[@]}" --dry-run=client \
    --output yaml > "$file"
  argocd_kubectl label --local --filename "$file" "$label" --output yaml > "$file.labelled"
  argocd_kubectl apply --server-side --force-conflicts --field-manager=hlgen-bootstrap --filename "$file.labelled"
  rm -f "$file" "$file.labelled"
}

# credentials SECRET URL TYPE OCI: how Argo CD reads a private repository. A Secret that is there stays as it is.
repository_secret() {
  local secret="$1" folder="$work/credentials" from_file field
  local -a fields
  if [ -n "$(argocd_kubectl get secret "$secret" --namespace "$argocd_namespace" --ignore-not-found --output name)" ]; then
    say "Secret $secret is there already"
    return
  fi
  rm -rf "$folder"
  mkdir "$folder"
  printf '%s' "$2" > "$folder/url"
  printf '%s' "$3" > "$folder/type"
  fields=("url=$folder/url" "type=$folder/type")
  if [ -n "$4" ]; then
    printf true > "$folder/enableOCI"
    fields+=("enableOCI=$folder/enableOCI")
  fi
  from_file="$credentials/$secret"
  if [ -n "$credentials" ] && [ -d "$from_file" ]; then
    for field in username password sshPrivateKey; do
      [ -f "$from_file/$field" ] || continue
      printf '%s' "$(cat "$from_file/$field")" > "$folder/$field"
      [ "$field" != sshPrivateKey ] || printf '\n' >> "$folder/$field"
      fields+=("$field=$folder/$field")
    done
  else
    [ -z "$yes" ] || die "the credentials of $2 are missing: --credentials DIR with DIR/$secret/username and password"
    printf 'User name for %s: ' "$2" >&2
    IFS= read -r field || die 'nobody answers'
    printf '%s' "$field" > "$folder/username"
    printf 'Password or token: ' >&2
    IFS= read -rs field || die 'nobody answers'
    say
    printf '%s' "$field" > "$folder/password"
    fields+=("username=$folder/username" "password=$folder/password")
  fi
  put_secret "$secret" argocd.argoproj.io/secret-type=repository "${fields[@]}"
  rm -rf "$folder"
}

# cluster_secret NAME SERVER CONFIG-FILE: a cluster as Argo CD knows it.
cluster_secret() {
  printf '%s' "$1" > "$work/cluster-name"
  printf '%s' "$2" > "$work/cluster-server"
  put_secret "cluster-$cluster" argocd.argoproj.io/secret-type=cluster "name=$work/cluster-name" \
    "server=$work/cluster-server" "config=$3"
}

# own_cluster NAME: the cluster that Argo CD runs in, under another name than in-cluster.
own_cluster() {
  printf '{"tlsClientConfig":{"insecure":false}}' > "$work/cluster-config"
  cluster_secret "$1" https://kubernetes.default.svc "$work/cluster-config"
}

# register NAME SERVER: lets the hub's Argo CD into this cluster. The token stays in files.
register() {
  local server="${hub_server:-$2}" end=$((SECONDS + timeout)) token ca
  [ -n "$server" ] || server="$(kubectl config view --output 'jsonpath={.clusters[0].cluster.server}')"
  case "$server" in
    https://127.* | https://localhost* | https://0.0.0.0* | https://\[::1\]*)
      die "the Argo CD in $hub cannot reach $server; say how it reaches this cluster: --server URL" ;;
  esac
  begin kube-system
  cat > "$work/objects.yaml"
  apply "$work/objects.yaml"
  while :; do
    token="$(kubectl get secret argocd-manager-token --output 'go-template={{with .data.token}}{{base64decode .}}{{end}}')"
    [ -z "$token" ] || break
    [ "$SECONDS" -lt "$end" ] || die 'the cluster makes no token for the service account argocd-manager'
    sleep "$pause"
  done
  ca="$(kubectl config view --raw --output 'jsonpath={.clusters[0].cluster.certificate-authority-data}')"
  [ -n "$ca" ] || ca="$(kubectl get secret argocd-manager-token --output 'jsonpath={.data.ca\.crt}')"
  printf '{"bearerToken":"%s","tlsClientConfig":{"insecure":false,"caData":"%s"}}' "$token" "$ca" > "$work/cluster-config"
  cluster_secret "$1" "$server" "$work/cluster-config"
  rm -f "$work/cluster-config"
}

# publish NAMESPACE SERVICE PORT PATH: pushes the rendered files into the Git host of this cluster, from outside.
publish() {
  local end=$((SECONDS + timeout)) port=''
  kubectl port-forward --namespace "$1" "service/$2" ":$3" > "$work/forward" &
  forward=$!
  while :; do
    port="$(sed -n '/^Forwarding from 127\.0\.0\.1:/{s/^Forwarding from 127\.0\.0\.1:\([0-9]*\) .*/\1/p;q;}' "$work/forward")"
    [ -z "$port" ] || break
    [ "$SECONDS" -lt "$end" ] || die "no way to service $2 in namespace $1"
    kill -0 "$forward" 2> /dev/null || die "no way to service $2 in namespace $1"
    sleep 1
  done
  if [ -z "${HLGEN_GIT_TOKEN:-}" ]; then
    [ -z "$yes" ] || die 'the token is missing: HLGEN_GIT_TOKEN'
    say "The Git host listens on http://127.0.0.1:$port while this waits. Sign in, and make a token that may write"
    say "repositories and, as long as the repository is missing, users or organizations."
    printf 'Token: ' >&2
    IFS= read -rs HLGEN_GIT_TOKEN || die 'nobody answers'
    say
    export HLGEN_GIT_TOKEN
  fi
  hlgen --directory "$checkout" publish --init --push-url "http://127.0.0.1:$port$4"
  kill "$forward" 2> /dev/null || true
  forward=''
}

# One line for each Application of this cluster: name, sync, health, phase of the last operation, separated by bars.
applications() {
  argocd_kubectl get applications.argoproj.io --namespace "$argocd_namespace" --selector "hlgen.dev/cluster=$cluster" \
    --output 'jsonpath={range .items[*]}{.metadata.name}|{.status.sync.status}|{.status.health.status}|{.status.operationState.phase}{"\n"}{end}'
}

all_synced() {
  applications > "$work/applications"
  [ -s "$work/applications" ] && ! grep -qv '|Synced|Healthy|' "$work/applications"
}

# Waits for the root, then for what it brings, and says what does not come up and how to try again.
watch() {
  local end=$((SECONDS + timeout)) name phase
  until [ "$(argocd_kubectl get applications.argoproj.io "$root" --namespace "$argocd_namespace" \
    --output 'jsonpath={.status.sync.status}')" = Synced ]; do
    [ "$SECONDS" -lt "$end" ] ||
      die "Application $root is not synced after $timeout s: kubectl --namespace $argocd_namespace describe application $root"
    sleep "$pause"
  done
  say "Argo CD is in charge: Application $root is synced"
  end=$((SECONDS + timeout))
  until all_synced; do
    [ "$SECONDS" -lt "$end" ] || break
    sleep "$pause"
  done
  if all_synced; then
    say "all $(grep -c . "$work/applications") Applications of $cluster are synced and healthy"
    return
  fi
  say 'not synced and healthy yet (Argo CD goes on trying for about fifty minutes):'
  grep -v '|Synced|Healthy|' "$work/applications" | sed 's/^/  /' >&2 || true
  while IFS='|' read -r name _ _ phase; do
    case "$phase" in Failed | Error) ;; *) continue ;; esac
    say "the last operation of $name ended with $phase. What it says, and how to sync it again:"
    say "  kubectl --namespace $argocd_namespace get application $name --output 'jsonpath={.status.operationState.message}'"
    say "  kubectl --namespace $argocd_namespace patch application $name --type merge --patch '{\"operation\":{\"sync\":{}}}'"
  done < "$work/applications"
}
