#!/usr/bin/env bash
# From an empty Gitea to a reviewed and published change. What it prints is the transcript in docs/bot.md.
#
#   GITEA_URL=https://git.example.com GITEA_OWNER=you GITEA_TOKEN_FILE=token docs/review-walkthrough.sh
#
# Needs hlgen (or HLGEN=path/to/hlgen), git and curl. GITEA_OWNER is the login of the token's owner; the token needs the
# scopes write:user, write:repository and write:issue. It makes one private repository, named walkthrough-<time> unless
# REPOSITORY says otherwise, and leaves it there for you to look at.
set -euo pipefail

: "${GITEA_URL:?the address of your Gitea}" "${GITEA_OWNER:?your login there}" "${GITEA_TOKEN_FILE:?a file that holds a token}"
url="${GITEA_URL%/}"
repository="$GITEA_OWNER/${REPOSITORY:-walkthrough-$(date +%s)}"
token_file="$(realpath "$GITEA_TOKEN_FILE")"
hlgen="${HLGEN:-hlgen}"
case "$hlgen" in */*) hlgen="$(realpath "$hlgen")" ;; esac
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export GIT_TERMINAL_PROMPT=0 GIT_CONFIG_GLOBAL="$work/gitconfig"

# Neither Git nor curl shall show the token in a list of processes.
cat > "$work/askpass" <<END
#!/bin/sh
case "\$1" in Username*) echo x ;; *) cat '$token_file' ;; esac
END
chmod +x "$work/askpass"
export GIT_ASKPASS="$work/askpass"
(umask 077 && printf 'header = "Authorization: token %s"\n' "$(cat "$token_file")" > "$work/curl")
git config --global user.name 'Walk Through'
git config --global user.email walk@example.test
git config --global init.defaultBranch main

push() { git push -q "$url/$repository.git" "$1" 2> >(grep -v '^remote:' >&2); }
step() { printf '\n# %s\n' "$*"; }
shown() { printf '$ %s\n' "${*/#$hlgen/hlgen}"; "$@"; }
api() { # METHOD PATH [BODY]
  curl -fsS -K "$work/curl" -X "$1" -H 'Content-Type: application/json' ${3:+-d "$3"} "$url/api/v1/repos/$repository$2"
}
# The first value of a key in JSON on stdin: enough for numbers and one-line strings.
field() { grep -o "\"$1\":[^,}]*" | head -n 1 | cut -d: -f2- | tr -d '"'; }
comment() { api GET "/issues/$pull/comments"; }
review() {
  shown "$hlgen" bot comment --server "$url" --repository "$repository" --pr "$pull" --token-file "$token_file" \
    --cache "$work/cache" 2>&1 | sed "s|$token_file|token|; s|$work|/tmp|g"
}

step 'A project: one app in one environment'
mkdir "$work/homelab" && cd "$work/homelab"
mkdir -p catalog/web environments/prod
cat > hlgen.yaml <<END
apiVersion: hlgen.dev/v1
kind: Project
name: homelab
git: { repoURL: $url/$repository.git, branch: rendered, path: rendered }
END
cat > catalog/web/app.yaml <<'END'
apiVersion: hlgen.dev/v1
kind: App
chart: { repository: https://charts.example.com, name: web, version: 1.0.0 }
END
printf 'replicas: 1\nimage: { repository: web, tag: "1" }\n' > catalog/web/values.yaml
cat > environments/prod/environment.yaml <<'END'
apiVersion: hlgen.dev/v1
kind: Environment
stage: prod
provider: k3s
apps:
  web: { version: 1.0.0 }
END
git init -q && git add -A && git commit -qm 'One app'

step 'The repository on Gitea, and what Argo CD will read, in its branch `rendered`'
shown "$hlgen" publish --init --token-file "$token_file" 2>&1 | sed "s|$token_file|token|"

step 'The sources, beside it'
push main

step 'A change on a branch, and a pull request'
git checkout -qb more-replicas
sed -i 's/replicas: 1/replicas: 3/' catalog/web/values.yaml
git commit -qam 'Three replicas'
push more-replicas
pull="$(api POST /pulls '{"title":"Three replicas","head":"more-replicas","base":"main"}' | field number)"
echo "pull request $pull"

step 'The review: a comment and the status `hlgen`'
review
first="$(comment | field id)"
comment | grep -o '"body":"[^"]*' | sed 's/"body":"//; s/\\n/\n/g; s/\\u003c/</g; s/\\u003e/>/g' | grep -v '^<!--'
echo "status: $(api GET "/commits/$(git rev-parse HEAD)/status" | field state)"

step 'A second push: the same comment, with other words'
sed -i 's/tag: "1"/tag: "2"/' catalog/web/values.yaml
git commit -qam 'And a newer image'
push more-replicas
for _ in 1 2 3 4 5 6 7 8 9 10; do # Gitea moves the pull request a moment after the branch.
  [ "$(api GET "/pulls/$pull" | grep -o '"sha":"[^"]*' | grep -c "$(git rev-parse HEAD)")" -gt 0 ] && break
  sleep 1
done
review
again="$(comment | field id)"
[ "$first" = "$again" ] && [ "$(comment | grep -o '"issue_url"' | wc -l)" -eq 1 ] && echo "comment $again was edited, there is no second one"
echo "status: $(api GET "/commits/$(git rev-parse HEAD)/status" | field state)"

step 'Merge and publish'
for _ in 1 2 3 4 5 6 7 8 9 10; do
  api POST "/pulls/$pull/merge" '{"do":"merge"}' > /dev/null 2>&1 && break
  sleep 1
done
git checkout -q main && git pull -q --no-rebase "$url/$repository.git" main
shown "$hlgen" publish --token-file "$token_file" 2>&1 | sed "s|$token_file|token|"
git fetch -q "$url/$repository.git" rendered
shown git show FETCH_HEAD:rendered/prod/web/values.yaml
