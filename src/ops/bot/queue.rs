//! What is to be reviewed: each pull request at most once, however often it is asked for.
//!
//! A request says only *which* pull request; what is reviewed is whatever its head is when a worker comes to it. So a
//! flood of pushes is one review of the newest head, a push during a review is one more afterwards, and the queue is never
//! longer than there are open pull requests. It lives in memory alone: what is lost with the process is found again by
//! the scan at the next start, since a head without a final status is work to do.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::io::gitea::RepoName;

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub repository: RepoName,
    pub number: u64,
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}#{}", self.repository, self.number)
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It waits.
    New,
    /// It was waiting already, or will be done again after the review that is under way.
    Joined,
    /// Too many wait.
    Full,
    /// The service is stopping.
    Closed,
}

/// Work for one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub key: Key,
    /// 0 at first; one more after each failure that may pass.
    pub attempt: u32,
}

#[derive(Debug)]
struct Waiting {
    due: Instant,
    order: u64,
    attempt: u32,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: BTreeMap<Key, Waiting>,
    /// Under way; true: once more afterwards.
    running: BTreeMap<Key, bool>,
    order: u64,
    closed: bool,
}

/// The queue; shared by reference.
#[derive(Debug)]
pub struct Queue {
    inner: Mutex<Inner>,
    changed: Condvar,
    limit: usize,
}

impl Queue {
    pub fn new(limit: usize) -> Self {
        Self { inner: Mutex::default(), changed: Condvar::new(), limit }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change is one step, so what a panicking thread left is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a review, as soon as there is a worker.
    pub fn push(&self, key: Key) -> Pushed {
        let mut inner = self.lock();
        if inner.closed {
            return Pushed::Closed;
        }
        if let Some(again) = inner.running.get_mut(&key) {
            *again = true;
            return Pushed::Joined;
        }
        if let Some(waiting) = inner.waiting.get_mut(&key) {
            waiting.due = Instant::now();
            self.changed.notify_one();
            return Pushed::Joined;
        }
        if inner.waiting.len() >= self.limit {
            return Pushed::Full;
        }
        inner.wait(key, Instant::now(), 0);
        self.changed.notify_one();
        Pushed::New
    }

    /// The next work, in the order of requests; waits for it. `None` where the service is stopping.
    pub fn take(&self) -> Option<Task> {
        let mut inner = self.lock();
        loop {
            if inner.closed {
                return None;
            }
            let now = Instant::now();
            let ready = inner.waiting.iter().filter(|(_, waiting)| waiting.due <= now);
            if let Some(key) = ready.min_by_key(|(_, waiting)| waiting.order).map(|(key, _)| key.clone()) {
                let attempt = inner.waiting.remove(&key).map_or(0, |waiting| waiting.attempt);
                inner.running.insert(key.clone(), false);
                return Some(Task { key, attempt });
            }
            let next = inner.waiting.values().map(|waiting| waiting.due).min();
            let pause = next.map_or(Duration::from_secs(3600), |due| due.saturating_duration_since(now));
            inner = self.changed.wait_timeout(inner, pause).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends a review; it waits again where it was asked for meanwhile, or where it is to be tried again `after` a while.
    pub fn done(&self, task: &Task, after: Option<Duration>) {
        let mut inner = self.lock();
        let again = inner.running.remove(&task.key).unwrap_or(false);
        if again {
            inner.wait(task.key.clone(), Instant::now(), 0);
        } else if let Some(after) = after {
            inner.wait(task.key.clone(), Instant::now() + after, task.attempt.saturating_add(1));
        }
        self.changed.notify_all();
    }

    /// Lets workers end after what they have in hand.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// How many wait, and how many are under way.
    pub fn sizes(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.waiting.len(), inner.running.len())
    }
}

impl Inner {
    fn wait(&mut self, key: Key, due: Instant, attempt: u32) {
        self.order += 1;
        let order = self.order;
        self.waiting.insert(key, Waiting { due, order, attempt });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Key {
        Key { repository: RepoName::parse("ops/homelab").unwrap(), number }
    }

    #[test]
    fn a_flood_is_one_review_and_one_more_for_what_came_during_it() {
        let queue = Queue::new(2);
        assert_eq!(queue.push(key(1)), Pushed::New);
        for _ in 0..1000 {
            assert_eq!(queue.push(key(1)), Pushed::Joined);
        }
        assert_eq!(queue.push(key(2)), Pushed::New);
        assert_eq!(queue.push(key(3)), Pushed::Full);
        let task = queue.take().unwrap();
        assert_eq!(task, Task { key: key(1), attempt: 0 });
        assert_eq!(queue.push(key(1)), Pushed::Joined);
        assert_eq!(queue.take().unwrap().key, key(2));
        queue.done(&task, None);
        assert_eq!(queue.take().unwrap().key, key(1));
        assert_eq!(queue.sizes(), (0, 2));
    }

    #[test]
    fn a_failure_waits_and_a_request_makes_it_due() {
        let queue = Queue::new(9);
        queue.push(key(1));
        let task = queue.take().unwrap();
        queue.done(&task, Some(Duration::from_secs(3600)));
        assert_eq!(queue.sizes(), (1, 0));
        assert_eq!(queue.push(key(1)), Pushed::Joined);
        assert_eq!(queue.take().unwrap(), Task { key: key(1), attempt: 1 });
        queue.close();
        assert_eq!(queue.take(), None);
        assert_eq!(queue.push(key(4)), Pushed::Closed);
    }
}
