//! The service. The network side runs on one thread and only checks and queues; reviews run on threads of their own (and
//! there in processes of their own), and a scan asks Gitea from time to time for open pull requests, so that a
//! delivery that got lost, here or there, is made good. At the start the scan is what finds the work that a
//! killed process left: there is no other state.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, timeout};

use super::child::Program;
use super::config::Config;
use super::job::{Ended, Job};
use super::metrics::{Metrics, count};
use super::queue::{Key, Pushed, Queue, Task};
use super::webhook::{self, Event, Headers, Refused, Seen};
use crate::io::gitea::{Error, Gitea, Token};

/// Largest delivery: a pull request's text is in it, and those are long.
const LARGEST_BODY: usize = 4 * 1024 * 1024;
/// Connections at once; further ones wait to be accepted.
const CONNECTIONS: usize = 64;
/// How long a connection may last. Gitea gives up after 5 s.
const CONNECTION_LIFE: Duration = Duration::from_secs(30);
/// How long the body of a delivery may take.
const BODY_TIME: Duration = Duration::from_secs(10);
/// How long a review that is under way may go on when the service is asked to stop.
const GRACE: Duration = Duration::from_secs(20);

/// What the service talks to people with; a line at a time.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// What the service needs besides its configuration.
pub struct Setup {
    pub config: Config,
    pub gitea: Gitea,
    pub token: Option<Token>,
    pub secret: Token,
    pub program: Program,
    /// Where bare clones are kept.
    pub cache: std::path::PathBuf,
    pub log: Log,
}

struct Service {
    setup: Setup,
    queue: Queue,
    metrics: Metrics,
    seen: Mutex<Seen>,
    login: OnceLock<String>,
    /// Set when reviews under way are to be broken off.
    stop: AtomicBool,
    /// Set when no new ones begin.
    closing: (Mutex<bool>, Condvar),
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot listen.
pub fn serve(setup: Setup) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let queue = Queue::new(setup.config.waiting);
    let service = Arc::new(Service {
        setup,
        queue,
        metrics: Metrics::default(),
        seen: Mutex::default(),
        login: OnceLock::new(),
        stop: AtomicBool::new(false),
        closing: (Mutex::new(false), Condvar::new()),
    });
    let listen = service.setup.config.listen.clone();
    let listener = runtime
        .block_on(TcpListener::bind(&listen))
        .with_context(|| format!("cannot listen on `{listen}`; choose another `listen`"))?;
    service.log(&format!("listening on http://{}", listener.local_addr()?));

    let mut threads = Vec::new();
    for _ in 0..service.setup.config.workers {
        let service = Arc::clone(&service);
        threads.push(thread::spawn(move || service.work()));
    }
    let scanner = Arc::clone(&service);
    threads.push(thread::spawn(move || scanner.scan_for_ever()));

    let router = Router::new()
        .route("/webhook", post(deliver))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/metrics", get(metrics))
        .with_state(Arc::clone(&service));
    runtime.block_on(async {
        // Handlers are short; connections that are still open then are cut.
        let server = axum::serve(Bounded::new(listener), router);
        tokio::select! {
            () = stopped() => Ok(()),
            result = server => result,
        }
    })?;
    drop(runtime);
    service.close();
    for thread in threads {
        let _ = thread.join();
    }
    service.log("stopped; what was not finished is found again at the next start");
    Ok(())
}

/// Ends when the process is asked to stop.
async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
            let _ = interrupt.await;
            return;
        };
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let (waiting, running) = service.queue.sizes();
    let text = service.metrics.text(waiting, running);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

async fn deliver(State(service): State<Arc<Service>>, headers: HeaderMap, body: Body) -> Response {
    let body = match timeout(BODY_TIME, axum::body::to_bytes(body, LARGEST_BODY)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            count(&service.metrics.refused);
            return (StatusCode::PAYLOAD_TOO_LARGE, "the delivery is too large or broke off\n").into_response();
        }
        Err(_) => {
            count(&service.metrics.refused);
            return (StatusCode::REQUEST_TIMEOUT, "the delivery took too long\n").into_response();
        }
    };
    let (status, text) = service.take(&headers, &body);
    (status, text).into_response()
}

impl Service {
    fn log(&self, line: &str) {
        (self.setup.log)(line);
    }

    /// What is answered to a delivery.
    fn take(&self, headers: &HeaderMap, body: &[u8]) -> (StatusCode, &'static str) {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let named = Headers {
            signature: header("x-gitea-signature"),
            content_type: header("content-type"),
            event: header("x-gitea-event"),
            delivery: header("x-gitea-delivery"),
        };
        let event = match webhook::read(named, body, &self.setup.secret) {
            Ok(event) => event,
            Err(refused) => {
                count(&self.metrics.refused);
                return match refused {
                    Refused::Signature => (StatusCode::UNAUTHORIZED, "the signature is missing or of another secret\n"),
                    Refused::ContentType => {
                        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "set the webhook's content type to application/json\n")
                    }
                    Refused::Payload => (StatusCode::BAD_REQUEST, "this is no payload of Gitea's\n"),
                };
            }
        };
        count(&self.metrics.deliveries);
        let Event::Review(key) = event else { return (StatusCode::OK, "nothing to do\n") };
        let Some((name, _)) = self.setup.config.policy(&key.repository) else {
            return (StatusCode::NOT_FOUND, "this repository is not served here\n");
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.is_new(named.delivery) {
            count(&self.metrics.repeated);
            return (StatusCode::OK, "seen before\n");
        }
        match self.queue.push(Key { repository: name.clone(), number: key.number }) {
            Pushed::New | Pushed::Joined => (StatusCode::ACCEPTED, "queued\n"),
            full => {
                seen.forget(named.delivery);
                count(&self.metrics.overflowed);
                let why = if full == Pushed::Full { "too many wait\n" } else { "stopping\n" };
                (StatusCode::SERVICE_UNAVAILABLE, why)
            }
        }
    }

    /// Whose comments are ours; asked once.
    fn login(&self) -> Result<&str, Error> {
        if let Some(login) = self.setup.config.login.as_deref().or(self.login.get().map(String::as_str)) {
            return Ok(login);
        }
        let login = self.setup.gitea.current_user()?.login;
        Ok(self.login.get_or_init(|| login))
    }

    /// A worker's life.
    fn work(&self) {
        while let Some(task) = self.queue.take() {
            let start = Instant::now();
            let (line, after) = self.review(&task);
            let spent = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.metrics.seconds_thousandths.fetch_add(spent, Ordering::Relaxed);
            self.log(&format!("{}: {line} ({spent} ms)", task.key));
            self.queue.done(&task, after);
        }
    }

    /// One review; what is said of it, and when it is to be tried again.
    fn review(&self, task: &Task) -> (String, Option<Duration>) {
        // 1 s, 2 s, 4 s, ... up to five minutes.
        let pause = Duration::from_secs(1_u64.checked_shl(task.attempt).unwrap_or(300).clamp(1, 300));
        let Some((_, policy)) = self.setup.config.policy(&task.key.repository) else {
            return ("not served".to_owned(), None);
        };
        let result = self.login().and_then(|login| {
            let job = Job {
                gitea: &self.setup.gitea,
                login,
                token: self.setup.token.as_ref(),
                program: &self.setup.program,
                cache: self.setup.cache.clone(),
                limits: self.setup.config.limits.clone(),
                stop: &self.stop,
            };
            job.run(&task.key, policy, false)
        });
        let metrics = &self.metrics;
        match result {
            Ok(Ended::Success(words)) => {
                count(&metrics.reviews_success);
                (format!("success: {words}"), None)
            }
            Ok(Ended::Failure(words)) => {
                count(&metrics.reviews_failure);
                (format!("failure: {words}"), None)
            }
            Ok(Ended::Error(words)) => {
                count(&metrics.reviews_error);
                (format!("error: {words}"), None)
            }
            Ok(Ended::Skipped(why)) => {
                count(&metrics.reviews_skipped);
                (format!("skipped: {why}"), None)
            }
            Ok(Ended::Later(why)) => {
                count(&metrics.retries);
                (format!("again in {} s: {why}", pause.as_secs()), Some(pause))
            }
            Err(error) if error.is_temporary() => {
                count(&metrics.retries);
                (format!("again in {} s: {error}", pause.as_secs()), Some(pause))
            }
            Err(error) => {
                count(&metrics.reviews_error);
                (error.to_string(), None)
            }
        }
    }

    /// Queues every open pull request now, and again from time to time. What is done already is passed over by its job.
    fn scan_for_ever(&self) {
        let mut pause = Duration::from_secs(1);
        loop {
            count(&self.metrics.scans);
            let mut is_complete = true;
            for name in self.setup.config.repositories.keys() {
                match self.setup.gitea.open_pulls(name) {
                    Ok(pulls) => {
                        for pull in pulls {
                            let key = Key { repository: name.clone(), number: pull.number };
                            if self.queue.push(key) == Pushed::Full {
                                is_complete = false;
                            }
                        }
                    }
                    Err(error) => {
                        count(&self.metrics.scan_failures);
                        self.log(&format!("{name}: {error}"));
                        is_complete = false;
                    }
                }
            }
            let wait = if is_complete { self.setup.config.scan } else { pause.min(self.setup.config.scan) };
            pause = if is_complete { Duration::from_secs(1) } else { (pause * 2).min(Duration::from_secs(300)) };
            let (closed, changed) = &self.closing;
            let closed = closed.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = changed.wait_timeout_while(closed, wait, |closed| !*closed);
            if *waited.unwrap_or_else(PoisonError::into_inner).0 {
                return;
            }
        }
    }

    /// No new reviews; those under way have a while, then their children are killed. What is not finished has no final
    /// status, which is what the next start looks for.
    fn close(self: &Arc<Self>) {
        self.queue.close();
        *self.closing.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.closing.1.notify_all();
        self.log("stopping");
        let service = Arc::clone(self);
        thread::spawn(move || {
            thread::sleep(GRACE);
            service.stop.store(true, Ordering::Relaxed);
        });
    }
}

/// A listener with bounds: so many connections at once, each for so long. HTTP itself has neither, and a client that
/// sends a byte a minute costs nothing.
struct Bounded {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl Bounded {
    fn new(listener: TcpListener) -> Self {
        Self { listener, places: Arc::new(Semaphore::new(CONNECTIONS)) }
    }
}

impl axum::serve::Listener for Bounded {
    type Io = Connection;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, address) = axum::serve::Listener::accept(&mut self.listener).await;
        (Connection { stream, end: Box::pin(tokio::time::sleep(CONNECTION_LIFE)), _place: place }, address)
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

struct Connection {
    stream: TcpStream,
    end: Pin<Box<Sleep>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        if self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(std::io::ErrorKind::TimedOut.into()));
        }
        pin!(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        if self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(std::io::ErrorKind::TimedOut.into()));
        }
        pin!(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        pin!(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        pin!(&mut self.stream).poll_shutdown(cx)
    }
}
