//! What the words of a backup (`daily`, `standard`) mean in an environment.
//!
//! Built-in meanings lie under those of the profiles and the environment, so that an environment of a stage without a
//! profile of hlgen's has them too. A cron expression is checked here against what Velero and CloudNativePG both take
//! (robfig/cron: five fields, months and weekdays by name); one that cannot be read would only be noticed when the backup
//! is needed. The words become parts of names, so they are DNS labels.

use indexmap::IndexMap;

use crate::argocd::names::is_dns_label;
use crate::model::Backups;

/// What a schedule class means unless somebody says otherwise. Early in the morning, when nobody writes.
const SCHEDULES: &[(&str, &str)] =
    &[("hourly", "H * * * *"), ("daily", "H 2 * * *"), ("weekly", "H 3 * * 0"), ("monthly", "H 4 1 * *")];

/// What a retention class means unless somebody says otherwise.
const KEEP: &[(&str, &str)] = &[("short", "7d"), ("standard", "30d"), ("long", "180d")];

/// The classes that an app takes where it names none.
pub const DEFAULT_SCHEDULE: &str = "daily";
pub const DEFAULT_KEEP: &str = "standard";

/// The longest time that is kept, in hours: ten years.
const MAX_HOURS: u32 = 10 * 366 * 24;

/// The cron expression of a class, with `H` as it was written.
pub fn schedule<'b>(backups: &'b Backups, class: &str) -> Option<&'b str> {
    meaning(&backups.schedules, SCHEDULES, class)
}

/// How long a class keeps, as it was written.
pub fn keep<'b>(backups: &'b Backups, class: &str) -> Option<&'b str> {
    meaning(&backups.keep, KEEP, class)
}

/// The schedule classes of an environment, for "did you mean".
pub fn schedules(backups: &Backups) -> impl Iterator<Item = &str> {
    SCHEDULES.iter().map(|(name, _)| *name).chain(backups.schedules.keys().map(String::as_str))
}

/// The retention classes of an environment.
pub fn keeps(backups: &Backups) -> impl Iterator<Item = &str> {
    KEEP.iter().map(|(name, _)| *name).chain(backups.keep.keys().map(String::as_str))
}

fn meaning<'b>(own: &'b IndexMap<String, String>, built_in: &'static [(&str, &str)], class: &str) -> Option<&'b str> {
    let own = own.get(class).filter(|_| is_dns_label(class)).map(String::as_str);
    own.or_else(|| built_in.iter().find(|(name, _)| *name == class).map(|(_, meaning)| *meaning))
}

/// A retention in hours; `None` for anything but a number of hours, days or weeks.
///
/// ```
/// use hlgen::resolve::backup::hours;
/// assert_eq!(hours("30d"), Some(720));
/// assert_eq!(hours("2w"), Some(336));
/// assert_eq!(hours("1h30m"), None);
/// ```
pub fn hours(text: &str) -> Option<u32> {
    let unit = text.chars().last()?;
    let factor = match unit {
        'h' => 1,
        'd' => 24,
        'w' => 7 * 24,
        _ => return None,
    };
    let number = text.strip_suffix(unit)?;
    if number.is_empty() || number.len() > 6 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours = number.parse::<u32>().ok()?.checked_mul(factor)?;
    (1..=MAX_HOURS).contains(&hours).then_some(hours)
}

/// A cron expression whose minute `H` is made a number by `seed`, always the same for the same seed, so that forty backups
/// do not start at once.
///
/// # Errors
/// What cannot be read, in words.
///
/// ```
/// use hlgen::resolve::backup::cron;
/// assert_eq!(cron("0 2 * * *", "any").unwrap(), "0 2 * * *");
/// assert_eq!(cron("H 2 * * *", "a").unwrap(), cron("H 2 * * *", "a").unwrap());
/// assert!(cron("0 25 * * *", "a").is_err());
/// ```
pub fn cron(text: &str, seed: &str) -> Result<String, String> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields.as_slice() else {
        return Err(format!("it has {} fields instead of five", fields.len()));
    };
    let spread = (hash(seed) % 60).to_string();
    let minute = if *minute == "H" { spread.as_str() } else { minute };
    check("minute", minute, 0, 59, &[])?;
    check("hour", hour, 0, 23, &[])?;
    check("day of the month", day, 1, 31, &[])?;
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    check("month", month, 1, 12, &months)?;
    check("day of the week", weekday, 0, 6, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"])?;
    Ok([minute, hour, day, month, weekday].join(" "))
}

/// One field: `*`, numbers, ranges, steps, separated by commas. `names` count from the lowest number.
fn check(field: &str, text: &str, low: u32, high: u32, names: &[&str]) -> Result<(), String> {
    let number = |text: &str| {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let number = match named {
            Some(at) => Some(low + u32::try_from(at).unwrap_or_default()),
            None if text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            None => None,
        };
        number
            .filter(|number| (low..=high).contains(number))
            .ok_or_else(|| format!("`{text}` is no {field} ({low} to {high})"))
    };
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        if let Some(step) = step
            && !step.parse::<u32>().is_ok_and(|step| (1..=high.max(1)).contains(&step))
        {
            return Err(format!("`{step}` is no step of the {field}"));
        }
        if range == "*" {
            continue;
        }
        match range.split_once('-') {
            Some((from, to)) if number(from)? > number(to)? => {
                return Err(format!("the range `{range}` of the {field} runs backward"));
            }
            Some(_) => {}
            None => {
                number(range)?;
            }
        }
    }
    Ok(())
}

/// FNV-1a, which spreads short names well and never changes.
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_classes_can_be_read() {
        let backups = Backups::default();
        for class in schedules(&backups) {
            cron(schedule(&backups, class).unwrap(), "x").unwrap();
        }
        for class in keeps(&backups) {
            hours(keep(&backups, class).unwrap()).unwrap();
        }
        assert!(schedule(&backups, DEFAULT_SCHEDULE).is_some() && keep(&backups, DEFAULT_KEEP).is_some());
    }

    #[test]
    fn an_environment_refines_them() {
        let mut backups = Backups::default();
        backups.schedules.insert("daily".into(), "30 1 * * *".into());
        backups.keep.insert("forever".into(), "520w".into());
        assert_eq!(schedule(&backups, "daily"), Some("30 1 * * *"));
        assert_eq!(schedule(&backups, "weekly"), Some("H 3 * * 0"));
        assert_eq!(keep(&backups, "forever").and_then(hours), Some(87_360));
        assert_eq!(keep(&backups, "never"), None);
    }

    #[test]
    fn what_no_scheduler_takes_is_refused() {
        for right in ["*/15 * * * *", "5,35 2-4 1 JAN-mar mon", "0 0 * * 0-6", "H 2 * * *"] {
            assert!(cron(right, "a").is_ok(), "{right}");
        }
        for wrong in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "0 0 0 * *",
            "0 0 * 13 *",
            "0 0 * * 7",
            "0 5-2 * * *",
            "*/0 * * * *",
            "0 H * * *",
            "a b c d e",
            "@daily",
        ] {
            assert!(cron(wrong, "a").is_err(), "{wrong}");
        }
        for wrong in ["", "h", "0d", "30", "-1d", "1.5d", "9999999d", "999999w", "\u{fc}d"] {
            assert_eq!(hours(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn minutes_are_spread() {
        let minutes: std::collections::BTreeSet<String> = (0..40)
            .map(|number| cron("H 2 * * *", &format!("lab/app-{number}")).unwrap())
            .map(|cron| cron.split(' ').next().unwrap().to_owned())
            .collect();
        assert!(minutes.len() > 20, "{minutes:?}");
    }
}
