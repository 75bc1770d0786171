//! `hlgen bot`.

use super::BUDGET_SECONDS;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};

use super::{Common, Status, Terminal, environment};
use crate::io::gitea::{Gitea, Kind, RepoName, Settings, Token};
use crate::ops::bot::child::{Failure, Program};
use crate::ops::bot::config::Config;
use crate::ops::bot::job::{Ended, Job, Limits, Policy};
use crate::ops::bot::queue::Key;
use crate::ops::bot::{review, serve};

/// Variables that hold the token, in this order.
const TOKENS: &[&str] = &["HLGEN_GIT_TOKEN", "GITEA_TOKEN", "GITHUB_TOKEN"];
/// Variables that the child which fetches is given.
const NETWORK: &[&str] = &[
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "http_proxy",
    "https_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
];
/// Longest order of a child.
const LONGEST_ORDER: u64 = 1024 * 1024;

/// Reviews of pull requests on Gitea or Forgejo: one comment, edited in place, and the commit status `hlgen`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

impl Args {
    /// Whether it runs until it is stopped, so that no time limit holds.
    pub(super) fn is_service(&self) -> bool {
        matches!(self.command, Command::Serve(_))
    }
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Review one pull request, as a step of a CI job
    Comment(Comment),
    /// Review pull requests as a service that Gitea's webhooks wake
    Serve(Serve),
    /// The child that fetches
    #[command(hide = true)]
    Fetch,
    /// The child that compares
    #[command(hide = true)]
    Review,
}

/// Which pull request, and how it is judged. In Gitea Actions nothing is needed but a token.
#[expect(clippy::struct_field_names, reason = "named as the flags")]
#[derive(Debug, clap::Args)]
struct Comment {
    /// Number of the pull request; default: of `GITHUB_REF` (`refs/pull/N/head`)
    #[arg(long, value_name = "N")]
    pr: Option<u64>,
    /// Address of the server; default: `GITHUB_SERVER_URL`
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// `owner/name`; default: `GITHUB_REPOSITORY`
    #[arg(long, value_name = "OWNER/NAME")]
    repository: Option<String>,
    /// File that holds the token; default: the variable `HLGEN_GIT_TOKEN`, `GITEA_TOKEN` or `GITHUB_TOKEN`
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// PEM certificates to trust instead of the host's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Whose comments are edited; default: the owner of the token
    #[arg(long, value_name = "NAME")]
    login: Option<String>,
    /// Folder that holds `hlgen.yaml`, below the repository's root
    #[arg(long, value_name = "PATH", default_value = "")]
    path: String,
    /// Fail where more releases than this are removed or renamed; default: only say so
    #[arg(long, value_name = "N")]
    max_removals: Option<usize>,
    /// Fail on warnings too
    #[arg(long)]
    deny_warnings: bool,
    /// Review pull requests from forks too
    #[arg(long)]
    forks: bool,
    /// Review even if the head has been reviewed
    #[arg(long)]
    again: bool,
    /// Longest comment in bytes; a proxy before the server may allow less
    #[arg(long, value_name = "BYTES", default_value_t = 250_000, value_parser = clap::value_parser!(u64).range(2000..=50_000_000))]
    comment_bytes: u64,
    /// Folder for bare clones; it may be deleted at any time
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Serve {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Listen here instead of where the configuration says
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

pub(super) fn run(args: &Args, common: &Common, terminal: &Terminal) -> anyhow::Result<Status> {
    match &args.command {
        Command::Comment(args) => comment(args, common, terminal),
        Command::Serve(args) => service(args, common),
        Command::Fetch => child(terminal, review::fetch),
        Command::Review => child(terminal, review::review),
    }
}

fn token(file: Option<&PathBuf>) -> anyhow::Result<Option<Token>> {
    if let Some(file) = file {
        return Ok(Some(Token::from_file(file)?));
    }
    let found = TOKENS.iter().find_map(|name| Some((name, environment::first(&[name])?)));
    Ok(found.map(|(name, value)| Token::new(&value, &format!("the variable `{name}`"))).transpose()?)
}

fn program(ca_file: Option<&PathBuf>) -> anyhow::Result<Program> {
    let mut network = environment::all(NETWORK);
    if let Some(file) = ca_file {
        network.retain(|(name, _)| name != "SSL_CERT_FILE" && name != "SSL_CERT_DIR");
        network.push(("SSL_CERT_FILE".into(), std::path::absolute(file)?.into()));
        // An empty folder, so that the host's own is not trusted beside it.
        network.push(("SSL_CERT_DIR".into(), "/nonexistent".into()));
    }
    let path = std::env::current_exe().context("cannot find the path of this program")?;
    Ok(Program { path, network })
}

fn comment(args: &Comment, common: &Common, terminal: &Terminal) -> anyhow::Result<Status> {
    let wanted = |given: &Option<String>, names: &[&str], flag: &str| {
        given.clone().or_else(|| environment::first(names)).ok_or_else(|| anyhow!("which one? give `{flag}`"))
    };
    let server = wanted(&args.server, &["GITHUB_SERVER_URL", "GITEA_SERVER_URL"], "--server URL")?;
    let repository = wanted(&args.repository, &["GITHUB_REPOSITORY", "GITEA_REPOSITORY"], "--repository OWNER/NAME")?;
    let number = match args.pr {
        Some(number) => number,
        None => environment::first(&["GITHUB_REF", "GITEA_REF"])
            .and_then(|reference| reference.strip_prefix("refs/pull/")?.split('/').next()?.parse().ok())
            .ok_or_else(|| anyhow!("which pull request? give `--pr N`"))?,
    };
    let Some(token) = token(args.token_file.as_ref())? else {
        bail!("no token: give `--token-file FILE`, or set `HLGEN_GIT_TOKEN`");
    };
    let mut settings = Settings::new(server, Some(token.clone()));
    settings.ca_file.clone_from(&args.ca_file);
    let gitea = Gitea::new(&settings)?;
    let login = match &args.login {
        Some(login) => login.clone(),
        None => login(&gitea)?,
    };
    let limits = Limits {
        // Twice, for fetching and comparing; the rest is for talking to the server.
        time: Duration::from_secs(match common.timeout.unwrap_or(BUDGET_SECONDS) {
            0 => 3600,
            seconds => (seconds / 3).max(1),
        }),
        comment: usize::try_from(args.comment_bytes)?,
        ..Limits::default()
    };
    let job = Job {
        gitea: &gitea,
        login: &login,
        token: Some(&token),
        program: &program(args.ca_file.as_ref())?,
        cache: std::path::absolute(args.cache.clone().unwrap_or_else(environment::cache_folder))?,
        limits,
        stop: &AtomicBool::new(false),
    };
    let policy = Policy {
        path: args.path.trim_matches('/').to_owned(),
        forks: args.forks,
        max_removals: args.max_removals,
        deny_warnings: args.deny_warnings,
    };
    let key = Key { repository: RepoName::parse(&repository)?, number };
    for wait in [1, 2, 4, 8, 16, 0] {
        match job.run(&key, &policy, args.again)? {
            Ended::Success(words) => {
                terminal.summary(&format!("{key}: {words}"));
                return Ok(Status::Fine);
            }
            Ended::Failure(words) => {
                terminal.summary(&format!("{key}: {words}"));
                return Ok(Status::Found);
            }
            Ended::Skipped(why) => {
                terminal.summary(&format!("{key}: nothing to do: {why}"));
                return Ok(Status::Fine);
            }
            Ended::Error(words) => bail!("{key}: {words}"),
            Ended::Later(why) if wait == 0 => bail!("{key}: {why}"),
            Ended::Later(_) => std::thread::sleep(Duration::from_secs(wait)),
        }
    }
    Ok(Status::Fine)
}

/// Whose token it is. The token of a job may not ask; then it is the runner's user.
fn login(gitea: &Gitea) -> anyhow::Result<String> {
    match gitea.current_user() {
        Ok(user) => Ok(user.login),
        Err(error) if matches!(error.kind(), Kind::Forbidden | Kind::NotFound | Kind::Unauthorized) => {
            if environment::first(&["FORGEJO_ACTIONS"]).is_some() {
                Ok("forgejo-actions".to_owned())
            } else if environment::first(&["GITEA_ACTIONS"]).is_some() {
                Ok("gitea-actions".to_owned())
            } else {
                Err(error).context("give `--login NAME`, or a token with the scope `read:user`")
            }
        }
        Err(error) => Err(error.into()),
    }
}

fn service(args: &Serve, common: &Common) -> anyhow::Result<Status> {
    let mut config = Config::read(&args.config)?;
    if let Some(listen) = &args.listen {
        config.listen.clone_from(listen);
    }
    let token = token(config.token_file.as_ref())?;
    let secret = match &config.secret_file {
        Some(file) => Token::from_file(file)?,
        None => match environment::first(&["HLGEN_WEBHOOK_SECRET"]) {
            Some(value) => Token::new(&value, "the variable `HLGEN_WEBHOOK_SECRET`")?,
            None => bail!("no secret for webhooks: name a `secretFile`, or set `HLGEN_WEBHOOK_SECRET`"),
        },
    };
    if token.is_none() {
        bail!("no token: name a `tokenFile`, or set `HLGEN_GIT_TOKEN`");
    }
    let mut settings = Settings::new(config.server.clone(), token.clone());
    settings.ca_file.clone_from(&config.ca_file);
    let cache = std::path::absolute(config.cache.clone().unwrap_or_else(environment::cache_folder))?;
    let quiet = common.quiet;
    serve::serve(serve::Setup {
        gitea: Gitea::new(&settings)?,
        program: program(config.ca_file.as_ref())?,
        config,
        token,
        secret,
        cache,
        log: Arc::new(move |line| {
            if !quiet {
                Terminal::last_word(&format!("{line}\n"));
            }
        }),
    })?;
    Ok(Status::Fine)
}

/// A child's life: an order in, an answer out.
fn child<Order: serde::de::DeserializeOwned, Answer: serde::Serialize>(
    terminal: &Terminal,
    work: impl Fn(&Order) -> Result<Answer, Failure>,
) -> anyhow::Result<Status> {
    volunteer();
    let mut order = Vec::new();
    std::io::stdin().take(LONGEST_ORDER).read_to_end(&mut order)?;
    let order = serde_json::from_slice(&order).map_err(|_| anyhow!("this command is for `hlgen bot` itself"))?;
    terminal.data(&serde_json::to_string(&work(&order))?)?;
    Ok(Status::Fine)
}

/// Where memory runs out, the kernel is to end this process rather than the service.
fn volunteer() {
    use std::io::Write as _;
    let file = std::fs::OpenOptions::new().write(true).open("/proc/self/oom_score_adj");
    let _ = file.and_then(|mut file| file.write_all(b"1000"));
}
