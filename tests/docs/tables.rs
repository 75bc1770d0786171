//! Tables of the documentation against what the program has.

use std::collections::BTreeSet;
use std::sync::Arc;

use clap::CommandFactory as _;
use hlgen::cli::Cli;
use hlgen::model;
use hlgen::resolve::capability::KNOWN;
use hlgen::template::{Capabilities, Engine, Scope};

use super::pages::{read, root, rows, section};

/// What `MiniJinja` brings, taken away here or not.
const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "urlencode",
    "zip",
];
const OWN_FILTERS: &[&str] = &["b64encode", "quote", "sha256", "toyaml", "trunc"];
const FUNCTIONS: &[&str] = &["debug", "dict", "namespace", "range"];
const OWN_FUNCTIONS: &[&str] = &["file", "files", "has", "host", "secret", "sha256"];
const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "safe",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

/// Names in the first cells of a section's tables: `` `has(name)`, `x` `` gives `has` and `x`.
fn names(text: &str, title: &str) -> BTreeSet<String> {
    let rows = rows(section(text, title));
    let cells = rows.iter().flat_map(|row| row[0].split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>());
    cells.map(|cell| cell.split(['(', ' ']).next().unwrap_or_default().to_owned()).collect()
}

fn is_installed(engine: &Engine, expression: &str) -> bool {
    let text = format!("${{{{ {expression} }}}}");
    let capabilities = Some(Arc::new(Capabilities::default()));
    let scope = Arc::new(Scope { capabilities, ..Scope::default() });
    let result = engine.compile(&text).and_then(|compiled| engine.evaluate(&compiled, &text, &scope));
    let message = result.err().map(|error| error.message).unwrap_or_default();
    !(message.contains("unknown") || message.starts_with("there is no"))
}

#[test]
fn templates_lists_every_function_filter_and_test() {
    let text = read("docs/templates.md");
    let engine = Engine::new();
    for (title, all, expression) in [
        ("## Functions", [FUNCTIONS, OWN_FUNCTIONS].concat(), "NAME()"),
        ("## Filters", [FILTERS, OWN_FILTERS].concat(), "1 | NAME"),
        ("## Tests", TESTS.to_vec(), "1 is NAME"),
    ] {
        let installed = |name: &str| is_installed(&engine, &expression.replace("NAME", name));
        let there: BTreeSet<String> =
            all.iter().filter(|name| installed(name)).map(|name| (*name).to_owned()).collect();
        assert_eq!(names(&text, title), there, "{title}");
        assert!(!installed("nonsense"), "{title}");
    }
}

#[test]
fn capabilities_lists_what_is_built_in() {
    let text = read("docs/capabilities.md");
    let shown: Vec<[String; 4]> = rows(section(&text, "## Built-in capabilities"))
        .into_iter()
        .map(|row| row.try_into().unwrap_or_else(|row| panic!("four cells: {row:?}")))
        .collect();
    let fields = |list: &[&str]| list.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ");
    let known: Vec<[String; 4]> = KNOWN
        .iter()
        .map(|known| {
            [format!("`{}`", known.name), known.summary.to_owned(), fields(known.required), fields(known.optional)]
        })
        .collect();
    assert_eq!(shown, known);
}

/// Every field of every kind stands in `docs/files.md`, in the section of its type.
#[test]
fn files_lists_every_field() {
    let text = read("docs/files.md");
    let mut missing = Vec::new();
    for kind in model::KINDS {
        let schema = model::schema_of(kind).unwrap();
        let title = schema["title"].as_str().unwrap();
        let part = section(&text, &format!("## {title}"));
        let shown = fields_of(part);
        let mut all = BTreeSet::new();
        properties(&schema, "", &schema, 0, &mut all);
        missing.extend(all.difference(&shown).map(|field| format!("{title}: `{field}`")));
        missing.extend(shown.difference(&all).map(|field| format!("{title} has no `{field}`")));
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

/// First cells of the tables whose head is `field`.
fn fields_of(part: &str) -> BTreeSet<String> {
    rows(part).iter().filter_map(|row| row[0].strip_prefix('`')?.strip_suffix('`').map(str::to_owned)).collect()
}

/// Paths of all fields: `chart.version`, `expose[].port`, `secrets[].keys.*.literal`. What other kinds have is left to
/// their own section.
fn properties(
    root: &serde_json::Value,
    path: &str,
    schema: &serde_json::Value,
    depth: usize,
    all: &mut BTreeSet<String>,
) {
    assert!(depth < 12, "{path}");
    let mut follow = |path: &str, schema: &serde_json::Value| properties(root, path, schema, depth + 1, all);
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
        if name == "Release" {
            // A release has an app's fields, which stand in the app's section, and some of its own.
            let app = model::schema_of("app").unwrap();
            let own = root["$defs"][name]["properties"].as_object().unwrap().keys();
            all.extend(own.filter(|field| app["properties"][*field].is_null()).map(|field| format!("{path}.{field}")));
        } else {
            follow(path, &root["$defs"][name]);
        }
        return;
    }
    for list in ["anyOf", "oneOf", "allOf"] {
        for branch in schema[list].as_array().into_iter().flatten() {
            follow(path, branch);
        }
    }
    if schema["items"].is_object() {
        follow(&format!("{path}[]"), &schema["items"]);
    }
    let by_pattern = schema["patternProperties"].as_object().into_iter().flat_map(serde_json::Map::values);
    for value in by_pattern.chain([&schema["additionalProperties"]]).filter(|value| value.is_object()) {
        follow(&format!("{path}.*"), value);
    }
    let prefix = if path.is_empty() { String::new() } else { format!("{path}.") };
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{prefix}{name}");
        properties(root, &path, field, depth + 1, all);
        all.insert(path);
    }
}

#[test]
fn readme_lists_every_command() {
    let shown = names(&read("README.md"), "## Commands");
    let shown: BTreeSet<String> = shown.into_iter().collect();
    let command = Cli::command();
    let all: BTreeSet<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    assert_eq!(shown, all);
}

#[test]
fn architecture_names_every_module() {
    let text = read("docs/architecture.md");
    for entry in std::fs::read_dir(root().join("src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".rs");
        let written = [format!("`{name}`"), format!("`{name}/`"), format!("`{name}.rs`")];
        assert!(
            ["lib", "main"].contains(&name) || written.iter().any(|name| text.contains(name)),
            "docs/architecture.md does not name `{name}`"
        );
    }
}
