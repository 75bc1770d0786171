# Sorts the documents of a YAML stream by what has to be done with them, into files below `folder`:
#   crds.yaml         CustomResourceDefinitions, which come first
#   pre-WEIGHT.yaml   Helm's hooks before an installation, and post-WEIGHT.yaml after it; their Jobs in *.jobs
#   rest.yaml         everything else; what there is to wait for in `workloads`
#   later.yaml        objects of kinds that the cluster does not serve yet (`kinds` names a file with those it does)
# Hooks of Argo CD, and hooks of other occasions (an upgrade, a test), are left out: Argo CD runs them.
#
# No YAML parser is at hand, and none is needed: top-level keys stand in column 0, where nothing inside a block or a text
# can stand, and of `metadata` only its own keys and annotations are read, by their indentation.

function reset() {
  text = ""; kind = ""; api = ""; name = ""; namespace = ""; hook = ""; weight = 0
  content = 0; foreign = 0; on_delete = 0; in_metadata = 0; in_annotations = 0; own = 0; below = 0
}

# The text behind the key, without a comment and quotes.
function value(line) {
  sub(/^[^:]*:[ \t]*/, "", line)
  sub(/^#.*$/, "", line)
  sub(/[ \t]+#.*$/, "", line)
  sub(/[ \t]+$/, "", line)
  gsub(/^["']|["']$/, "", line)
  return line
}

# The key of an entry, without quotes.
function key(line) {
  sub(/^[ \t]*/, "", line)
  sub(/:([ \t].*)?$/, "", line)
  gsub(/["']/, "", line)
  return line
}

function look(line,    indent, word) {
  sub(/\r$/, "", line)
  if (line ~ /^[ \t]*(#|$)/) return
  content = 1
  indent = match(line, /[^ ]/) - 1
  if (indent == 0) {
    if (line ~ /^-/) return
    word = key(line)
    in_metadata = (word == "metadata"); in_annotations = 0; own = 0; below = 0
    if (word == "kind") kind = value(line)
    if (word == "apiVersion") api = value(line)
    return
  }
  if (line ~ /^ +type:[ \t]*["']?OnDelete/) on_delete = 1
  if (!in_metadata) return
  if (!own) own = indent
  if (indent == own) {
    word = key(line)
    in_annotations = (word == "annotations"); below = 0
    if (word == "name") name = value(line)
    if (word == "namespace") namespace = value(line)
  } else if (in_annotations) {
    if (!below) below = indent
    if (indent != below) return
    word = key(line)
    if (word == "helm.sh/hook") hook = value(line)
    if (word == "helm.sh/hook-weight") weight = value(line) + 0
    if (word == "argocd.argoproj.io/hook") foreign = 1
  }
}

function add(part) { printf "---\n%s", text >> (folder "/" part ".yaml") }

# Something to wait for: kind, name, namespace and whether its pods are only replaced when they are deleted.
function list(part) {
  if (name !~ /^[A-Za-z0-9][-A-Za-z0-9.]*$/) return
  if (namespace !~ /^[a-z0-9][-a-z0-9]*$/) namespace = "-"
  print kind, name, namespace, (on_delete ? "OnDelete" : "-") >> (folder "/" part)
}

function flush_document(    phase, part) {
  if (!content || foreign) return
  if (kind == "CustomResourceDefinition") {
    add("crds")
  } else if (hook != "") {
    for (phase = 1; phase <= 2; phase++) {
      part = (phase == 1) ? "pre" : "post"
      if (("," hook ",") !~ (",[ ]*" part "-install[ ]*,")) continue
      part = sprintf("%s-%06d", part, 500000 + weight)
      add(part)
      if (kind == "Job") list(part ".jobs")
    }
  } else if (kind != "" && api != "" && kind !~ /List$/ && !((api "/" kind) in known)) {
    add("later")
    print kind, name >> (folder "/later")
  } else {
    add("rest")
    if (kind ~ /^(Deployment|StatefulSet|DaemonSet|Job)$/) list("workloads")
  }
}

BEGIN {
  while ((getline line < kinds) > 0) known[line] = 1
  reset()
}
/^---([ \t\r]|$)/ { flush_document(); reset(); next }
/^\.\.\.[ \t\r]*$/ { next }
{ text = text $0 "\n"; look($0) }
END { flush_document() }
