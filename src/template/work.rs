//! How much one evaluation has handled: the bytes that go into filters and come out of them.
//!
//! Fuel counts a filter as one step whatever it is given. What it is given is weighed here, lists and maps with all they
//! hold, however often they hold it. The count belongs to the thread, since an evaluation never leaves the thread it
//! began on and MiniJinja has no place of its own for it.

use std::cell::Cell;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

/// Bytes that the filters and functions of one evaluation may handle.
const WORK_MAX: u64 = 32 << 20;

/// Bytes that count as one step.
const BYTES_PER_STEP: u64 = 256;

thread_local! {
    static WORK: Cell<u64> = const { Cell::new(0) };
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// Begins an evaluation.
pub(super) fn begin() {
    WORK.set(0);
    STEPS.set(0);
}

/// Counts steps that MiniJinja itself has counted.
pub(super) fn add_steps(steps: u64) {
    STEPS.set(STEPS.get().saturating_add(steps));
}

/// Steps since the beginning, with those that stand for the work of filters.
pub(super) fn steps() -> u64 {
    STEPS.get().saturating_add(WORK.get() / BYTES_PER_STEP)
}

/// Counts bytes.
pub(super) fn charge(bytes: usize) -> Result<(), Error> {
    let work = WORK.get().saturating_add(bytes as u64);
    WORK.set(work);
    if work > WORK_MAX {
        return Err(Error::new(ErrorKind::OutOfFuel, "the filters of a template handle more than 32 MiB"));
    }
    Ok(())
}

/// Counts a value with all it holds. What it takes to look is no more than what is counted.
pub(super) fn weigh(value: &Value) -> Result<(), Error> {
    weigh_within(value, super::functions::DEPTH_LIMIT)
}

fn weigh_within(value: &Value, depth: usize) -> Result<(), Error> {
    if let Some(text) = value.as_str() {
        return charge(text.len() + 8);
    }
    charge(8)?;
    if !matches!(value.kind(), ValueKind::Map | ValueKind::Seq | ValueKind::Iterable) {
        return Ok(());
    }
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Error::new(ErrorKind::OutOfFuel, "a value is nested too deep"));
    };
    let is_map = value.kind() == ValueKind::Map;
    // What is asked for and is no list after all is the filter's to refuse.
    let Ok(items) = value.try_iter() else { return Ok(()) };
    for item in items {
        weigh_within(&item, depth)?;
        if is_map && let Ok(below) = value.get_item(&item) {
            weigh_within(&below, depth)?;
        }
    }
    Ok(())
}
