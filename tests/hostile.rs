//! Repositories that somebody made to hurt: whatever they hold, hlgen says what is wrong with it, soon, in little memory,
//! and reads nothing outside of them.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "tests make and read files")]

mod support;

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::case::Case;

/// Resident memory that no run may need, in KiB.
const MEMORY_MAX: u64 = 256 << 10;

/// Seconds in which a run of a debug build on a busy machine ends.
const SECONDS_MAX: u64 = 60;

/// What stands in a file outside the repository and must never be shown or rendered.
const SECRET: &str = "c2VjcmV0LW9mLXRoZS1wb2Q";

const APP: &str = "apiVersion: hlgen.dev/v1\nkind: App\ndescription: A site\ncategory: web\n\
    chart: { repository: https://charts.example.com, name: web, version: 1.0.0 }\nnamespace: web\n";
const ENVIRONMENT: &str =
    "apiVersion: hlgen.dev/v1\nkind: Environment\nstage: dev\nprovider: kind\napps: { web: {} }\n";

/// A project with one app, that works.
fn project() -> Case {
    Case::project().file("catalog/web/app.yaml", APP).file("environments/dev/environment.yaml", ENVIRONMENT)
}

fn with_values(text: impl AsRef<[u8]>) -> Case {
    project().file("catalog/web/values.yaml", text)
}

struct Run {
    code: i32,
    text: String,
}

impl Run {
    #[track_caller]
    fn says(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{}", shortened(&self.text));
        for part in parts {
            assert!(self.text.contains(part), "`{part}` is not in\n{}", shortened(&self.text));
        }
    }
}

fn shortened(text: &str) -> String {
    text.lines().take(20).map(|line| line.chars().take(300).collect::<String>() + "\n").collect()
}

/// Renders in the repository, and holds that the run ends in time, without a panic, in little memory, without the secret
/// and without a character that could steer a terminal.
fn render(case: &Case) -> Run {
    render_with(case, &[])
}

fn render_with(case: &Case, arguments: &[&str]) -> Run {
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_hlgen"))
        .args(["render", "--format", "short", "--threads", "2", "--timeout", "0"])
        .args(arguments)
        .current_dir(case.root())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let read = |mut from: Box<dyn std::io::Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            from.read_to_end(&mut bytes).map(|_| bytes)
        })
    };
    let stdout = read(Box::new(child.stdout.take().unwrap()));
    let stderr = read(Box::new(child.stderr.take().unwrap()));
    let mut memory = 0;
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        memory = memory.max(peak(&status));
        if start.elapsed() > Duration::from_secs(SECONDS_MAX) {
            child.kill().unwrap();
            panic!("still running after {SECONDS_MAX} s");
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let mut bytes = stdout.join().unwrap().unwrap();
    bytes.extend(stderr.join().unwrap().unwrap());
    let text = String::from_utf8(bytes).expect("the output is UTF-8");
    println!("{:?}, {memory} KiB", start.elapsed());
    assert!(memory < MEMORY_MAX, "the run took {memory} KiB");
    assert!(!text.contains("panicked") && !text.contains("RUST_BACKTRACE"), "{}", shortened(&text));
    assert!(!text.contains(SECRET), "the secret is shown");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{}", shortened(&text));
    for (path, content) in case.tree("rendered") {
        assert!(!String::from_utf8_lossy(&content).contains(SECRET), "the secret is in {path}");
    }
    Run { code: code.expect("no signal ends a run"), text }
}

/// The largest resident size of a process so far, where the system tells.
fn peak(status: &str) -> u64 {
    let mut text = String::new();
    let _ = fs::File::open(status).and_then(|mut file| file.read_to_string(&mut text));
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}

/// A folder outside the repository with the secret in every form that hlgen reads.
fn outside() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("outside-").tempdir().unwrap();
    for name in ["values.yaml", "token", "rule.yaml"] {
        fs::write(folder.path().join(name), format!("token: {SECRET}\n")).unwrap();
    }
    fs::write(folder.path().join("app.yaml"), APP.replace("A site", SECRET)).unwrap();
    folder
}

fn link(case: &Case, target: impl AsRef<Path>, at: &str) {
    let at = case.path(at);
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    let _ = fs::remove_file(&at);
    symlink(target, at).unwrap();
}

#[test]
fn the_project_itself_works() {
    render(&project()).says(0, &["1 release of 1 app"]);
}

#[test]
fn links_out_of_the_root_in_every_place() {
    let outside = outside();
    for place in [
        "hlgen.yaml",
        "environments/dev/environment.yaml",
        "environments/dev/values.yaml",
        "environments/dev/values/web.yaml",
        "environments/all/values.yaml",
        "environments/profiles/stage/dev.yaml",
        "environments/dev/manifests/web/rule.yaml",
        "catalog/web/app.yaml",
        "catalog/web/values.yaml",
        "catalog/web/values.kind.yaml",
        "catalog/web/values.schema.json",
        "catalog/web/values.defaults.yaml",
        "catalog/web/manifests/rule.yaml",
    ] {
        for target in [outside.path().join("values.yaml"), Path::new("../../../../../../../etc/hostname").to_owned()] {
            let case = project();
            link(&case, target, place);
            let run = render(&case);
            run.says(1, &["file/unreadable", place, "leads out of the repository"]);
        }
    }
}

#[test]
fn links_to_folders_chains_loops_and_nothing() {
    let outside = outside();
    let case = project();
    link(&case, outside.path(), "catalog/other");
    link(&case, outside.path(), "environments/dev/values");
    link(&case, "b.yaml", "environments/all/a.yaml");
    link(&case, "c.yaml", "environments/all/b.yaml");
    link(&case, outside.path().join("values.yaml"), "environments/all/c.yaml");
    link(&case, "values.yaml", "environments/all/values.yaml");
    link(&case, "nowhere", "environments/all/none.yaml");
    let run = render(&case);
    for place in ["catalog/other", "environments/dev/values", "a.yaml", "b.yaml", "c.yaml", "values.yaml", "none.yaml"]
    {
        run.says(1, &[place]);
    }
    let case = project();
    fs::rename(case.path("environments"), outside.path().join("environments")).unwrap();
    link(&case, outside.path().join("environments"), "environments");
    render(&case).says(1, &["file/unreadable"]);
}

#[test]
fn templates_read_no_file_outside_of_their_app() {
    let outside = outside();
    for path in ["../../hlgen.yaml", "/etc/hostname", "../other/app.yaml", "link/token", "token", "a/../../x"] {
        let case = with_values(format!("x: ${{{{ file('{path}') }}}}\n"));
        link(&case, outside.path(), "catalog/web/link");
        link(&case, outside.path().join("token"), "catalog/web/token");
        render(&case).says(1, &[]);
    }
    let case = with_values("x: ${{ files('**') | map(attribute='text') | join }}\n");
    link(&case, outside.path().join("token"), "catalog/web/token");
    render(&case).says(1, &["file/unreadable"]);
}

#[test]
fn devices_and_pipes_are_not_waited_for() {
    let Some(mkfifo) = support::tool("mkfifo") else { return };
    for place in [
        "hlgen.yaml",
        "catalog/web/app.yaml",
        "catalog/web/values.yaml",
        "catalog/web/x.txt",
        "environments/all/values.yaml",
    ] {
        let case = project();
        let _ = fs::remove_file(case.path(place));
        fs::create_dir_all(case.path(place).parent().unwrap()).unwrap();
        assert!(Command::new(&mkfifo).arg(case.path(place)).status().unwrap().success());
        render(&case).says(1, &["file/unreadable", place, "not a regular file"]);
    }
    for device in ["/dev/zero", "/dev/stdin", "/proc/self/environ"] {
        let case = project();
        link(&case, device, "catalog/web/values.yaml");
        render(&case).says(1, &["file/unreadable"]);
    }
}

#[test]
fn a_file_swapped_for_a_link_is_not_followed() {
    let outside = outside();
    let case = with_values("a: 1\n");
    let (file, other) = (case.path("catalog/web/values.yaml"), case.path("catalog/web/swap"));
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let _ = symlink(outside.path().join("values.yaml"), &other);
                let _ = fs::rename(&other, &file);
                let _ = fs::write(&other, "a: 1\n");
                let _ = fs::rename(&other, &file);
            }
        });
        for _ in 0..30 {
            render(&case);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn large_files() {
    let case = with_values("");
    fs::File::create(case.path("catalog/web/values.yaml")).unwrap().set_len(10 << 30).unwrap();
    render(&case).says(1, &["file/unreadable", "larger than 4194304 bytes"]);
    for (text, part) in [
        (format!("a: {}\n", "x".repeat(2 << 20)), "a text has 2097152 bytes"),
        (format!("{}: 1\n", "k".repeat(2 << 20)), "a text has 2097152 bytes"),
        ("---\n".repeat(1_000_000), "yaml/limit"),
        (format!("[{}]\n", "{},".repeat(1_300_000)), "yaml/limit"),
        (format!("a: [{}]\n", "a,".repeat(2_000_000)), "yaml/limit"),
        (format!("a: [{}\"\"]\n", "\"\", ".repeat(1_000_000)), "yaml/limit"),
        ("[".repeat(4_000_000), "yaml/limit"),
        ("a: 1\n".repeat(600_000), "yaml/"),
    ] {
        render(&with_values(text)).says(1, &[part]);
    }
    let schema = format!("{{\"anyOf\":[{}{{}}]}}", "{},".repeat(1_300_000));
    render(&project().file("catalog/web/values.schema.json", schema)).says(1, &["schema/invalid", "too large"]);
}

/// Many keys and items of two layers, which must not be looked for one by one.
#[test]
fn layers_that_meet_in_many_places() {
    let all = |line: &dyn Fn(usize) -> String| (0..20_000).map(line).collect::<String>();
    let over = "environments/dev/values/web.yaml";
    let unset = with_values(all(&|key| format!("k{key}: 0\n"))).file(over, all(&|key| format!("k{key}: !unset\n")));
    let items = |tag: &str| all(&|item| format!("  - {{ name: i{item}, a: {tag} }}\n"));
    let merged = with_values(format!("l:\n{}", items("x"))).file(over, format!("l: !merge:name\n{}", items("y")));
    for case in [unset, merged] {
        render(&case).says(0, &[]);
    }
}

/// What stands deep in many maps, in an app of several clusters: no text is held once for every level.
#[test]
fn a_long_list_in_many_maps() {
    let values = format!("{}[{}0]{}\n", "a: { ".repeat(55) + "l: ", "0, ".repeat(60_000), " }".repeat(55));
    let clusters = format!("{ENVIRONMENT}clusters: [{{ name: one }}, {{ name: two }}]\n");
    let case = with_values(values).file("environments/dev/environment.yaml", clusters);
    render(&case).says(0, &[]);
}

#[test]
fn aliases_and_merge_keys_that_multiply() {
    let mut lists = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    let mut maps = "a0: &a0 { k: 1 }\n".to_owned();
    for level in 1..20 {
        let below = level - 1;
        let _ = writeln!(lists, "a{level}: &a{level} [{}]", vec![format!("*a{below}"); 9].join(", "));
        let _ = writeln!(maps, "a{level}: &a{level} {{ <<: [*a{below}, *a{below}], l: *a{below}, r: *a{below} }}");
    }
    let mut merges =
        format!("b: &b {{ {} }}\n", (0..3000).fold(String::new(), |text, key| text + &format!("k{key}: 1, ")));
    (0..3000).for_each(|entry| writeln!(merges, "m{entry}: {{ <<: *b }}").unwrap());
    for text in [lists, maps, merges] {
        render(&with_values(text)).says(1, &["yaml/limit", "nodes"]);
    }
    render(&with_values("a: &a [*a]\n")).says(1, &["yaml/alias"]);
}

#[test]
fn texts_that_are_no_plain_yaml() {
    for (text, part) in [
        (&b"a: \0b\n"[..], "yaml/syntax"),
        (b"a: !!python/object/apply:os.system ['id']\n", "yaml/tag"),
        (b"a: !!binary aGVsbG8=\n", "yaml/tag"),
        (b"\xff\xfea\0:\0", "file/encoding"),
        (b"a: \xc3\x28\n", "file/encoding"),
        (b"a: \x1b[2J\n", "yaml/syntax"),
        (b"? [a, b]\n: c\n", "yaml/key"),
        (b"<<: [1]\n", "yaml/merge-key"),
    ] {
        render(&with_values(text)).says(1, &[part]);
    }
    render(&with_values("\u{feff}a: 1\n")).says(0, &[]);
}

#[test]
fn names_that_could_forge_a_message() {
    let case = project();
    for name in [
        "x\ncatalog/web/app.yaml:1:1: error[fake]: forged.yaml",
        "\u{1b}[2J\u{1b}]0;title\u{7}.yaml",
        "\u{202e}lmay.x.yaml",
        "\u{9b}31m.yaml",
        "a\u{2028}b.yaml",
        "a\tb.yaml",
    ] {
        case.write(&format!("environments/dev/values/{name}"), b"a: 1\n");
    }
    let bytes = OsStr::from_bytes(b"bad\xff\xfe\n.yaml");
    let _ = fs::write(case.path("environments/dev/values").join(bytes), "a: 1\n");
    let run = render(&case);
    run.says(1, &["file/unreadable"]);
    assert!(!run.text.lines().any(|line| line.starts_with("catalog/web/app.yaml")), "{}", run.text);
    assert!(!run.text.contains(['\u{202e}', '\u{9b}', '\u{2028}']), "{:?}", run.text);
    let run = render(&project().file("environments/dev/environment.yaml", "a\u{202e}b: \"\\u001b[2J\\u2028x\"\n"));
    assert!(!run.text.contains(['\u{202e}', '\u{2028}']), "{:?}", run.text);
}

#[test]
fn deep_folders() {
    let case = project();
    let path = format!("environments/{}x.yaml", "d/".repeat(300));
    case.write(&path, b"a: 1\n");
    render(&case).says(1, &["file/unreadable", "nested more than 64 deep"]);
}

#[test]
fn templates_that_run_or_grow_without_end() {
    for text in [
        "${{ ['x' * 100000000, 'y' * 100000000] }}",
        "${{ ([[[1] * 9999] * 9999] * 9999) == ([[[1] * 9999] * 9999] * 9999) }}",
        "${{% for a in range(99999) %}}${{% for b in range(99999) %}}${{% endfor %}}${{% endfor %}}",
        "${{% for a in [values.x] recursive %}}${{ loop(a) }}${{% endfor %}}",
        "${{% for a in [[1, 1], [1, 1]] %}}${{% for b in [[a, a], [a, a]] %}}x${{% endfor %}}${{% endfor %}}",
        "${{ range(99999) | join | replace('1', range(9999) | join) }}",
        "${{% for a in range(9999) %}}${{ (range(9999) | join | upper | length) - 1 }}${{% endfor %}}",
        "${{ range(9999) | list | zip(range(9999)) | map('string') | join }}",
    ] {
        render(&with_values(format!("x: \"{text}\"\n"))).says(1, &["error[template/"]);
    }
    let calls = "(".repeat(900);
    render(&with_values(format!("x: \"${{{{ {calls} }}}}\"\n"))).says(1, &["template/"]);
}

#[test]
fn many_templates_are_counted_together() {
    let one = "${{% for a in range(8000) %}}${{% if a == 3 %}}x${{% endif %}}${{% endfor %}}";
    let text: String = (0..3000).fold(String::new(), |text, key| text + &format!("k{key}: \"{one}\"\n"));
    let run = render_with(&with_values(text), &["--limits", "steps=500000"]);
    run.says(1, &["error[limit/steps]: the templates need more than 500000 steps"]);
}

#[test]
fn schemas_that_multiply() {
    let mut parts = String::new();
    for level in 0..40 {
        let next = format!("{{ \"$ref\": \"#/$defs/a{}\" }}", level + 1);
        let _ = write!(parts, "\"a{level}\": {{ \"allOf\": [{next}, {next}] }}, ");
    }
    let doubling = format!("{{ \"$ref\": \"#/$defs/a0\", \"$defs\": {{ {parts} \"a40\": {{}} }} }}");
    let node = "{ \"$ref\": \"#/$defs/n\" }";
    let recursive = format!(
        "{{ \"$ref\": \"#/$defs/n\", \"$defs\": {{ \"n\": {{ \"type\": \"object\", \"properties\": {{ \"a\": {{ \"anyOf\": [{node}, {node}] }} }} }} }} }}"
    );
    let values =
        format!("{}a: 1\n", (0..30).fold(String::new(), |text, level| text + "a:\n" + &"  ".repeat(level + 1)));
    for schema in [doubling.as_str(), &recursive] {
        let case = with_values(&values).file("catalog/web/values.schema.json", schema);
        render(&case).says(1, &["schema/invalid", "steps"]);
    }
    // A pattern that takes a backtracking engine for ever, and one that is too large.
    let pattern = "{ \"properties\": { \"a\": { \"pattern\": \"^(a+)+$\" } } }";
    let case = with_values(format!("a: {}b\n", "a".repeat(50_000))).file("catalog/web/values.schema.json", pattern);
    render(&case).says(1, &["values/schema"]);
    let pattern = "{ \"pattern\": \"((a{100}){100}){100}\" }";
    render(&project().file("catalog/web/values.schema.json", pattern)).says(1, &["schema/invalid"]);
    for reference in ["file:///etc/hostname", "https://example.com/x.json", "../../../etc/hostname"] {
        let schema = format!("{{ \"$ref\": \"{reference}\" }}");
        render(&project().file("catalog/web/values.schema.json", schema)).says(1, &["schema/invalid"]);
    }
}

#[test]
fn a_hundred_thousand_files() {
    let case = project();
    fs::create_dir_all(case.path("environments/dev/values")).unwrap();
    for number in 0..100_000 {
        fs::File::create(case.path(&format!("environments/dev/values/f{number}.yaml"))).unwrap();
    }
    render(&case).says(1, &["error[limit/"]);
    let run = render_with(&case, &["--limits", "plugin"]);
    run.says(1, &["error[limit/input]: the folders that are read hold more than 50000 files and folders"]);
}

#[test]
fn products_of_small_numbers() {
    let list = |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<Vec<_>>().join(", ");
    let releases = |count| list(count, &|n| format!("r{n}: {{ app: web, namespace: n{n} }}"));
    let clusters = |count| list(count, &|n| format!("{{ name: c{n} }}"));
    let environment = |releases: &str, clusters: &str| {
        let text = ENVIRONMENT.replace("{ web: {} }", &format!("{{ {releases} }}"));
        project().file("environments/dev/environment.yaml", format!("{text}clusters: [{clusters}]\n"))
    };
    render(&environment(&releases(1000), &clusters(1000))).says(1, &["limit/output", "100000 files"]);
    render(&environment(&releases(1), &clusters(2001))).says(1, &["limit/output", "2000 clusters"]);
    render(&environment(&releases(20_001), "")).says(1, &["limit/output", "20000 releases"]);
}

#[test]
fn every_bound_can_be_set() {
    for (limit, code) in [
        ("entries=1", "limit/input"),
        ("files=1", "limit/input"),
        ("bytes=10", "limit/input"),
        ("nodes=3", "limit/nodes"),
        ("releases=0", "limit/output"),
        ("outputs=0", "limit/output"),
        ("output-bytes=1", "limit/output"),
    ] {
        let run = render_with(&with_values("a: 1\n"), &["--limits", limit]);
        run.says(1, &[code]);
        assert_eq!(run.text.lines().filter(|line| line.contains("error[")).count(), 1, "{limit}: {}", run.text);
    }
    let said = project().run(&["validate", "--limits", "files=1", "--format", "human"]);
    assert!(said.stdout.contains("raise the bound with `--limits files=...`"), "{}", said.stdout);
    render_with(&project(), &["--limits", "files=x"]).says(2, &["no number"]);
    render_with(&project(), &["--limits", "plugin"]).says(0, &[]);
}

/// CVE-2022-24348, Argo CD: a Helm value file could be named by an absolute path or a URL-like text and was read from the
/// file system of the repository server, secrets of others among them. The class: a path that is *named* in the
/// repository's configuration leads out of it.
#[test]
fn cve_2022_24348_paths_in_the_configuration() {
    let outside = outside();
    let out = outside.path().join("values.yaml").display().to_string();
    for path in [out.as_str(), &format!("file://{out}"), "../../../../../etc/hostname", "environments/../../x.yaml"] {
        let case = project();
        let text = format!("{}layers: ['{path}', '{{app}}/../../x.yaml']\n", case.read("hlgen.yaml"));
        render(&case.file("hlgen.yaml", text)).says(1, &["error["]);
        let app = format!("{APP}manifests: [{{ path: '{path}' }}]\n");
        render(&project().file("catalog/web/app.yaml", app)).says(1, &["error["]);
        let app = APP.replace("description", "from: '../../x'\ndescription");
        render(&project().file("catalog/web/app.yaml", app)).says(1, &["error["]);
        let case = project();
        let text = case.read("hlgen.yaml").replace("test.git }", &format!("test.git, path: '{path}' }}"));
        render(&case.file("hlgen.yaml", text)).says(1, &["error["]);
        let app = APP
            .replace("repository: https://charts.example.com, name: web, version: 1.0.0", &format!("path: '{path}'"));
        render(&project().file("catalog/web/app.yaml", app)).says(1, &["error["]);
        let environment =
            ENVIRONMENT.replace("{ web: {} }", &format!("{{ '{path}': {{}}, web: {{ app: '{path}' }} }}"));
        render(&project().file("environments/dev/environment.yaml", environment)).says(1, &["error["]);
    }
}

/// CVE-2022-24731, Argo CD: files of a directory source that were links out of the checkout were read and shown. The class:
/// a link that is *stored* in the repository leads out of it.
#[test]
fn cve_2022_24731_links_in_a_directory_of_manifests() {
    let outside = outside();
    for target in [outside.path().join("rule.yaml"), Path::new("../../../../../../../etc/hostname").to_owned()] {
        let case =
            project().file("catalog/web/manifests/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n");
        link(&case, target, "catalog/web/manifests/rule.yaml");
        render(&case).says(1, &["file/unreadable", "catalog/web/manifests/rule.yaml"]);
        assert!(case.tree("rendered").is_empty(), "nothing is written");
    }
}

/// CVE-2022-24877, Flux: a kustomization whose base was a relative path could read files of the controller's pod. The class:
/// *relative* parts climb out step by step, through names that are joined to a base folder.
#[test]
fn cve_2022_24877_relative_parts_in_names() {
    for name in ["../../outside", "..", "web/../../x", "./web", "web/", "..\\\\..\\\\x", "%2e%2e/x"] {
        for (at, text) in [
            ("environments/dev/environment.yaml", ENVIRONMENT.replace("web: {}", &format!("'{name}': {{ app: web }}"))),
            ("environments/dev/environment.yaml", ENVIRONMENT.replace("web: {}", &format!("web: {{ app: '{name}' }}"))),
            ("environments/dev/environment.yaml", ENVIRONMENT.replace("stage: dev", &format!("stage: '{name}'"))),
            (
                "environments/dev/environment.yaml",
                ENVIRONMENT.replace("provider: kind", &format!("provider: '{name}'")),
            ),
            ("environments/dev/environment.yaml", format!("{ENVIRONMENT}clusters: [{{ name: '{name}' }}]\n")),
            ("catalog/web/app.yaml", APP.replace("namespace: web", &format!("namespace: '{name}'"))),
            ("catalog/web/app.yaml", format!("{APP}from: '{name}'\n")),
        ] {
            let case = project().file(at, text);
            render(&case).says(1, &["error["]);
            assert!(case.tree("rendered").is_empty(), "nothing is written");
        }
    }
}

/// CVE-2023-40584, Argo CD: an archive that unpacked to any size filled the disk of the repository server. The class: *small*
/// input becomes large without anybody counting.
#[test]
fn cve_2023_40584_small_input_that_becomes_large() {
    let releases: String =
        (0..400).fold(String::new(), |text, n| text + &format!("  r{n}: {{ app: web, namespace: n{n} }}\n"));
    let environment = ENVIRONMENT.replace("apps: { web: {} }\n", &format!("apps:\n{releases}"));
    let mut values = format!("t: &t {}\nl: [", "x".repeat(60_000));
    (0..200).for_each(|_| values.push_str("*t, "));
    values.push_str("]\n");
    let case = with_values(values).file("environments/dev/environment.yaml", environment);
    let run = render_with(&case, &["--limits", "plugin"]);
    run.says(1, &["error[limit/output]: more than 67108864 bytes would be rendered"]);
    assert!(case.tree("rendered").is_empty(), "nothing is written");
}
