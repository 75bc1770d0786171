//! `hlgen init`.

use std::fmt::Write as _;

use anyhow::bail;
use clap::ValueEnum;

use super::{Common, Status, Terminal, ask};
use crate::argocd::names::is_dns_subdomain;
use crate::diag::SourceMap;
use crate::io::git::url::RemoteUrl;
use crate::model::{EnvName, ReleaseName};
use crate::ops::init::{self, Started};
use crate::ops::workspace::has_errors;
use crate::resolve::environment::RESERVED;
use crate::scaffold::NewFile;
use crate::scaffold::project::{Answers, Layout as Rendered, local_domain, wants_addresses, wants_aws_account};

/// What the repository is like. On a terminal everything that is not said is asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The project's name; default: the folder's
    #[arg(long, value_name = "NAME", value_parser = project_name)]
    name: Option<ReleaseName>,
    /// The repository as Argo CD reads it; default: the Git remote `origin`
    #[arg(long, value_name = "URL", value_parser = repo_url)]
    repo_url: Option<String>,
    /// Where rendered files go
    #[arg(long, value_enum, value_name = "LAYOUT", ignore_case = true, default_value_t = Layout::B)]
    layout: Layout,
    /// What the first clusters are: kind, k3s, talos, kubespray or eks
    #[arg(long, value_name = "PROVIDER", value_parser = |text: &str| built_in("provider", text))]
    provider: Option<String>,
    /// What they are for: dev, staging or prod; default: dev on kind, else prod
    #[arg(long, value_name = "STAGE", value_parser = |text: &str| built_in("stage", text))]
    stage: Option<String>,
    /// Name of the first environment; default: STAGE-PROVIDER
    #[arg(long = "env", value_name = "ENV", value_parser = environment_name)]
    environment: Option<EnvName>,
    /// Domain of the hosts at which apps are exposed; default on kind: STAGE.localhost
    #[arg(long, value_name = "DOMAIN", value_parser = domain)]
    domain: Option<String>,
    /// Addresses of the nodes' network that MetalLB may hand out (talos, kubespray), for example
    /// 192.0.2.200-192.0.2.219
    #[arg(long, value_name = "RANGE", value_parser = addresses)]
    addresses: Option<String>,
    /// Account number of the roles that service accounts take (eks)
    #[arg(long, value_name = "NUMBER", value_parser = aws_account)]
    aws_account: Option<String>,
    /// Ask nothing; what is not said has its default
    #[arg(short, long)]
    yes: bool,
    /// Print the files instead of writing them
    #[arg(long)]
    print: bool,
}

/// The Git layouts of docs/publish.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Layout {
    /// The branch people work on; rendered files are reviewed with their source
    A,
    /// The branch `rendered` of the same repository, which `hlgen publish` writes
    B,
    /// Another repository, which `hlgen publish` writes
    C,
}

pub(super) fn run(args: &Args, common: &Common, terminal: &Terminal) -> anyhow::Result<Status> {
    let folder = &common.directory;
    let sources = SourceMap::new();
    if !args.print {
        // Before anything is asked.
        let findings = init::existing_project(folder)?;
        if has_errors(&findings) {
            terminal.findings(&findings, &sources, false)?;
            return Ok(Status::Found);
        }
    }
    let answers = answers(args, common, terminal)?;
    let files = init::compose(&answers)?;
    if args.print {
        terminal.data(&printed(&files, terminal)?)?;
        return Ok(Status::Fine);
    }
    let Started { written, findings } = init::write(folder, &files)?;
    terminal.findings(&findings, &sources, false)?;
    if has_errors(&findings) {
        terminal.summary("nothing was written");
        return Ok(Status::Found);
    }
    terminal.summary(&next_steps(&written, &answers));
    Ok(Status::Fine)
}

/// Whether the run waits for a person.
pub(super) fn waits(args: &Args) -> bool {
    !args.yes && ask::is_possible()
}

/// What was said, what is asked for, what is assumed.
fn answers(args: &Args, common: &Common, terminal: &Terminal) -> anyhow::Result<Answers> {
    let origin = init::origin(&common.directory);
    let folder = common.directory.canonicalize().ok();
    let folder = folder.as_deref().and_then(|folder| folder.file_name()?.to_str());
    let own_name = label(folder.unwrap_or_default());
    let talks = waits(args);
    if !talks {
        needs(args, origin.as_deref())?;
    }
    let text = |given: &Option<String>,
                question: &str,
                default: Option<&str>,
                read: &dyn Fn(&str) -> Result<String, String>| {
        match given {
            Some(given) => Ok(given.clone()),
            None if talks => ask::until(terminal, question, default, read),
            None => Ok(default.unwrap_or_default().to_owned()),
        }
    };
    let name = match &args.name {
        Some(name) => name.clone(),
        None if talks => ask::until(terminal, "Name of the project", Some(&own_name), project_name)?,
        None => project_name(&own_name).map_err(anyhow::Error::msg)?,
    };
    let repo_url = text(&args.repo_url, "Git repository, as Argo CD reads it", origin.as_deref(), &repo_url)?;
    let providers = init::built_in("provider").join(", ");
    let question = format!("What the clusters are ({providers})");
    let provider = text(&args.provider, &question, Some("kind"), &|text| built_in("provider", text))?;
    let usual = if provider == "kind" { "dev" } else { "prod" };
    let question = format!("What they are for ({})", init::built_in("stage").join(", "));
    let stage = text(&args.stage, &question, Some(usual), &|text| built_in("stage", text))?;
    let usual = local_domain(&provider, &stage);
    let domain = text(&args.domain, "Domain of the apps' hosts", usual.as_deref(), &domain)?;
    let environment = match &args.environment {
        Some(environment) => environment.clone(),
        None => environment_name(&format!("{stage}-{provider}")).map_err(anyhow::Error::msg)?,
    };
    let addresses = match &args.addresses {
        None if talks && wants_addresses(&provider) => {
            let question = "Addresses for MetalLB, such as 192.0.2.200-192.0.2.219 (none: later)";
            let answer = |text: &str| if text.is_empty() { Ok(None) } else { addresses(text).map(Some) };
            ask::until(terminal, question, None, answer)?
        }
        given => given.clone(),
    };
    let aws_account = match &args.aws_account {
        None if talks && wants_aws_account(&provider) => {
            Some(ask::until(terminal, "AWS account number (twelve digits)", None, aws_account)?)
        }
        given => given.clone(),
    };
    let layout = match args.layout {
        Layout::A => Rendered::SameBranch,
        Layout::B => Rendered::OwnBranch,
        Layout::C => Rendered::OwnRepository,
    };
    Ok(Answers { name, repo_url, layout, environment, provider, stage, domain, addresses, aws_account })
}

/// What has to be said where nobody can be asked.
fn needs(args: &Args, origin: Option<&str>) -> anyhow::Result<()> {
    let mut needed = Vec::new();
    if args.repo_url.is_none() && origin.is_none() {
        needed.push("--repo-url");
    }
    if args.provider.is_none() {
        needed.push("--provider");
    }
    if args.domain.is_none() && args.provider.as_deref().is_some_and(|provider| provider != "kind") {
        needed.push("--domain");
    }
    if args.aws_account.is_none() && args.provider.as_deref().is_some_and(wants_aws_account) {
        needed.push("--aws-account");
    }
    if !needed.is_empty() {
        bail!("nobody can be asked here; say {}", needed.join(", "));
    }
    Ok(())
}

fn project_name(text: &str) -> Result<ReleaseName, String> {
    text.parse()
}

fn environment_name(text: &str) -> Result<EnvName, String> {
    if RESERVED.contains(&text) { Err(format!("`{text}` is reserved")) } else { text.parse() }
}

fn repo_url(text: &str) -> Result<String, String> {
    RemoteUrl::parse(text).map(|url| url.as_str().to_owned()).map_err(|error| match RemoteUrl::nearest(text) {
        // Without what may be secret.
        Some(near) => format!("write the https form without user and password: {near}"),
        None => error.to_string(),
    })
}

fn built_in(dimension: &str, text: &str) -> Result<String, String> {
    let known = init::built_in(dimension);
    if known.iter().any(|known| known == text) {
        return Ok(text.to_owned());
    }
    Err(format!("one of {}", known.join(", ")))
}

fn domain(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('.');
    if is_dns_subdomain(text) && text.parse::<std::net::IpAddr>().is_err() {
        return Ok(text.to_owned());
    }
    Err("a domain such as `home.example.com`".to_owned())
}

fn aws_account(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err("an account number has twelve digits".to_owned())
}

/// `FIRST-LAST` or `NETWORK/BITS`.
fn addresses(text: &str) -> Result<String, String> {
    use std::net::IpAddr;
    let address = |text: &str| text.trim().parse::<IpAddr>().ok();
    let is_range = text.split_once('-').is_some_and(|(first, last)| {
        matches!((address(first), address(last)), (Some(first), Some(last))
            if first.is_ipv4() == last.is_ipv4() && first <= last)
    });
    let is_network = text.split_once('/').is_some_and(|(network, bits)| {
        address(network).is_some_and(|network| {
            bits.parse::<u8>().is_ok_and(|bits| bits <= if network.is_ipv4() { 32 } else { 128 })
        })
    });
    if is_range || is_network {
        return Ok(text.replace(' ', ""));
    }
    Err("a range such as `192.0.2.200-192.0.2.219`, or a network such as `192.0.2.192/27`".to_owned())
}

/// A folder's name as a DNS label.
fn label(text: &str) -> String {
    let text: String = text
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .take(63)
        .collect();
    let text = text.trim_matches('-');
    if text.is_empty() { "homelab".to_owned() } else { text.to_owned() }
}

/// The files one after the other, or as one JSON object.
fn printed(files: &[NewFile], terminal: &Terminal) -> anyhow::Result<String> {
    if terminal.wants_json() {
        let map: serde_json::Map<String, serde_json::Value> =
            files.iter().map(|file| (file.path.clone(), file.text.as_str().into())).collect();
        return Ok(format!("{}\n", serde_json::to_string_pretty(&map)?));
    }
    let mut text = String::new();
    for file in files {
        let kind = file.path.strip_prefix(".hlgen/schemas/").and_then(|name| name.strip_suffix(".schema.json"));
        let content = match kind {
            Some(kind) => format!("(what `hlgen schema {kind}` prints)\n"),
            None => file.text.clone(),
        };
        let _ = write!(text, "==> {} <==\n{content}\n", file.path);
    }
    Ok(text)
}

fn next_steps(written: &[String], answers: &Answers) -> String {
    let shown: Vec<&str> = written.iter().map(String::as_str).filter(|path| !path.starts_with(".hlgen/")).collect();
    let add = format!("hlgen add APP --env {}", answers.environment);
    let width = add.len();
    format!(
        "wrote {} and schemas for the editor\n\nnext:\n  {add}    one more app; docs/catalog.md lists them\n  \
         {:width$}    check everything and write the rendered files, to look at",
        shown.join(", "),
        "hlgen render",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_mean_nothing_are_refused_with_an_example() {
        assert_eq!(addresses("192.0.2.10 - 192.0.2.20").as_deref(), Ok("192.0.2.10-192.0.2.20"));
        assert_eq!(addresses("192.0.2.0/27").as_deref(), Ok("192.0.2.0/27"));
        for wrong in ["", "192.0.2.1", "192.0.2.20-192.0.2.10", "192.0.2.0/33", "192.0.2.1-::1", "x/1"] {
            assert!(addresses(wrong).is_err(), "{wrong}");
        }
        assert_eq!(domain("home.example.com.").as_deref(), Ok("home.example.com"));
        assert!(domain("Home").is_err() && domain("192.0.2.1").is_err() && domain("").is_err());
        assert!(built_in("provider", "k3s").is_ok());
        assert_eq!(built_in("provider", "k8s"), Err("one of eks, k3s, kind, kubespray, talos".to_owned()));
        assert!(environment_name("all").is_err() && environment_name("dev-kind").is_ok());
    }

    #[test]
    fn a_folder_gives_its_name() {
        assert_eq!(label("My Home_Lab"), "my-home-lab");
        assert_eq!(label("--"), "homelab");
        assert!(label(&"x".repeat(90)).parse::<ReleaseName>().is_ok());
    }

    #[test]
    fn no_password_comes_back() {
        let said = repo_url("https://me:s3cret@git.example.com/ops/x.git").unwrap_err();
        assert!(said.contains("https://git.example.com/ops/x.git") && !said.contains("s3cret"), "{said}");
    }
}
