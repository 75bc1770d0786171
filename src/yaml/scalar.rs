//! What a plain word means to Helm and Kubernetes (`sigs.k8s.io/yaml`, YAML 1.1 words), and where YAML 1.2 differs.
//!
//! The rules are those of the resolver of go-yaml v2 as `sigs.k8s.io/yaml` uses it, checked against Helm in
//! `tests/yaml_props.rs`: `y` and `n` are booleans, a leading zero means octal, underscores vanish, a date stays a text,
//! base 60 does not exist, and a number too large for a double is a text. They are Go's rules down to the odd corner
//! (`0b-1` is minus one), because a reading that is nearly Helm's is worse than none.

use std::borrow::Cow;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Null,
    Bool(bool),
    Int,
    Float,
    Str,
    Map,
    Seq,
}

/// The value of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    Int(i64),
    /// Only what does not fit into an `i64`.
    Uint(u64),
    /// May be infinite or not a number (`.inf`, `.nan`), which JSON cannot hold.
    Float(f64),
}

/// What a scalar says, to one reader.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    Null,
    Bool(bool),
    Number(Number),
    Str,
}

/// The two readings of an ambiguous word.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Readings {
    /// `sigs.k8s.io/yaml`: Helm, kubectl, Argo CD.
    pub helm: Reading,
    /// The core schema of YAML 1.2.
    pub core: Reading,
}

/// The kind of a plain (unquoted, untagged) word.
pub fn plain(text: &str) -> Kind {
    if is_decimal(text) {
        return Kind::Int;
    }
    match reading(text) {
        Reading::Null => Kind::Null,
        Reading::Bool(value) => Kind::Bool(value),
        Reading::Number(Number::Float(_)) => Kind::Float,
        Reading::Number(_) => Kind::Int,
        Reading::Str => Kind::Str,
    }
}

/// Whether a text is an integer that every reader takes for the same, as most numbers are: digits alone, no zero in front,
/// few enough for 64 bits.
fn is_decimal(text: &str) -> bool {
    match text.as_bytes() {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.len() < 18 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// How Helm reads a plain word.
pub fn reading(text: &str) -> Reading {
    let Some(first) = text.bytes().next() else { return Reading::Null };
    match first {
        b'0'..=b'9' | b'+' | b'-' | b'.' => number(text).map_or(Reading::Str, Reading::Number),
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => word(text),
        _ => Reading::Str,
    }
}

fn word(text: &str) -> Reading {
    match text {
        "~" | "null" | "Null" | "NULL" => Reading::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Reading::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Reading::Bool(false),
        _ => Reading::Str,
    }
}

/// The number that a plain word is to Helm, or `None` if it is none.
pub fn number(text: &str) -> Option<Number> {
    match text {
        ".nan" | ".NaN" | ".NAN" => return Some(Number::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Some(Number::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => return Some(Number::Float(f64::NEG_INFINITY)),
        _ => {}
    }
    match text.bytes().next()? {
        // Go's own float syntax: underscores only between digits.
        b'.' => {
            if text.contains('_') && !underscores_between_digits(text) {
                return None;
            }
            float(&without_underscores(text)).map(Number::Float)
        }
        b'0'..=b'9' | b'+' | b'-' => {
            let text = without_underscores(text);
            integer(&text).or_else(|| float(&text).map(Number::Float)).or_else(|| binary(&text))
        }
        _ => None,
    }
}

fn without_underscores(text: &str) -> Cow<'_, str> {
    if text.contains('_') { text.replace('_', "").into() } else { text.into() }
}

/// `strconv.underscoreOK` for a text that begins with a dot.
fn underscores_between_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| {
        *byte != b'_' || (at > 0 && bytes[at - 1].is_ascii_digit() && bytes.get(at + 1).is_some_and(u8::is_ascii_digit))
    })
}

/// `strconv.ParseInt(text, 0, 64)`, then `ParseUint`.
fn integer(text: &str) -> Option<Number> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (Some(true), &text[1..]),
        b'+' => (Some(false), &text[1..]),
        _ => (None, text),
    };
    let bytes = digits.as_bytes();
    let (radix, digits) = match bytes {
        [] => return None,
        [b'0', b'b' | b'B', _, ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &digits[2..]),
        [b'0', b'x' | b'X', _, ..] => (16, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    signed(sign, magnitude)
}

fn signed(sign: Option<bool>, magnitude: u64) -> Option<Number> {
    if sign == Some(true) {
        return 0i64.checked_sub_unsigned(magnitude).map(Number::Int);
    }
    match i64::try_from(magnitude) {
        Ok(value) => Some(Number::Int(value)),
        // `ParseUint` takes no sign.
        Err(_) => sign.is_none().then_some(Number::Uint(magnitude)),
    }
}

/// What go-yaml tries last: `0b` and `-0b` before anything `ParseInt(…, 2)` takes, which includes a sign.
fn binary(text: &str) -> Option<Number> {
    let (negative, digits) = match text.strip_prefix("-0b") {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix("0b")?),
    };
    let (sign, digits) = match digits.as_bytes().first()? {
        b'-' | b'+' if negative => return None,
        b'-' => (true, &digits[1..]),
        b'+' => (false, &digits[1..]),
        _ => (negative, digits),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| matches!(byte, b'0' | b'1')) {
        return None;
    }
    signed(Some(sign), u64::from_str_radix(digits, 2).ok()?)
}

/// Decimal floats of the YAML 1.2 core schema; `None` also where the number is too large for a double.
fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let well_formed = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent_well_formed = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    if !well_formed || !exponent_well_formed {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Whether YAML 1.1, YAML 1.2, JSON and Go all read the text as the same number: `-?(0|[1-9][0-9]*)(\.[0-9]+)?`.
pub fn is_plain_number(text: &str) -> bool {
    if let [b'1'..=b'9', rest @ ..] = text.as_bytes()
        && rest.iter().all(u8::is_ascii_digit)
    {
        return true;
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(digits)
}

/// A number as it may be written for every reader: as it stands where that is safe ([`is_plain_number`]; `1.10` stays),
/// else in the canonical form (`012` is `10`, `1_000` is `1000`, `1e3` is `1000`).
///
/// Text that is no number, or one that JSON cannot hold, comes back as it is.
pub fn canonical_number(text: &str, kind: Kind) -> Cow<'_, str> {
    if !matches!(kind, Kind::Int | Kind::Float) || is_plain_number(text) {
        return text.into();
    }
    match number(text) {
        Some(Number::Int(value)) => value.to_string().into(),
        Some(Number::Uint(value)) => value.to_string().into(),
        Some(Number::Float(value)) if value.is_finite() => {
            let mut out = String::new();
            write_float(value, &mut out);
            if let Some(whole) = out.strip_suffix(".0") {
                out.truncate(whole.len());
            }
            out.into()
        }
        _ => text.into(),
    }
}

/// Writes a finite float so that YAML 1.1, YAML 1.2, JSON and Go read the same number.
///
/// YAML 1.1 takes an exponent only after a dot and with a sign, so `1e21` is written `1.0e+21`; within Go's bounds for
/// plain notation (1e-6 to 1e21) there is no exponent. Whole numbers keep `.0`.
pub fn write_float(value: f64, out: &mut String) {
    use std::fmt::Write as _;
    let size = value.abs();
    // Writing to a String cannot fail.
    let _ = if size == 0.0 || (1e-6..1e21).contains(&size) {
        write!(out, "{value}{}", if value.fract() == 0.0 { ".0" } else { "" })
    } else {
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let dot = if mantissa.contains('.') { "" } else { ".0" };
        let sign = if exponent.starts_with('-') { "" } else { "+" };
        write!(out, "{mantissa}{dot}e{sign}{exponent}")
    };
}

/// The key that `sigs.k8s.io/yaml` makes of a scalar of this kind (`on` is `true`, `0x10` is `16`, `1.50` is `1.5`).
///
/// `None` where it makes none: null, and whole numbers above `i64`.
pub fn json_key(text: &str, kind: Kind) -> Option<Cow<'_, str>> {
    match kind {
        Kind::Str => Some(text.into()),
        Kind::Bool(true) => Some("true".into()),
        Kind::Bool(false) => Some("false".into()),
        Kind::Int | Kind::Float => match number(text)? {
            Number::Int(value) if kind == Kind::Float => Some(short_float(value as f64).into()),
            Number::Int(value) => Some(value.to_string().into()),
            Number::Uint(_) => None,
            Number::Float(value) => Some(short_float(value).into()),
        },
        Kind::Null | Kind::Map | Kind::Seq => None,
    }
}

/// Go's `strconv.FormatFloat(value, 'g', -1, 32)` with YAML's words for what is not a number.
fn short_float(value: f64) -> String {
    let value = value as f32;
    if value.is_nan() {
        return ".nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf".into() } else { "-.inf".into() };
    }
    // As many digits as the shortest form has; where two such forms are equally near, Go takes the even one.
    let shortest = format!("{value:e}");
    let digits = shortest.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
    let text = format!("{:.*e}", digits.saturating_sub(1), f64::from(value));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // `%e` below 1e-4 and from 1e6 on: the precision that Go assumes for the shortest form.
    if value != 0.0 && !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    format!("{value}")
}

/// How the core schema of YAML 1.2 reads a plain word.
pub fn core_reading(text: &str) -> Reading {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Reading::Null,
        "true" | "True" | "TRUE" => return Reading::Bool(true),
        "false" | "False" | "FALSE" => return Reading::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Reading::Number(Number::Float(f64::NAN)),
        _ => {}
    }
    let (negative, unsigned) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Reading::Number(Number::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY }));
    }
    let radix = |digits: &str, radix: u32| -> Reading {
        if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
            return Reading::Str;
        }
        match u64::from_str_radix(digits, radix) {
            Ok(value) => Reading::Number(signed(None, value).unwrap_or(Number::Uint(value))),
            Err(_) => Reading::Number(Number::Float(f64::INFINITY)),
        }
    };
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        let sign = (unsigned.len() < text.len()).then_some(negative);
        if let Some(value) = unsigned.parse().ok().and_then(|magnitude| signed(sign, magnitude)) {
            return Reading::Number(value);
        }
    }
    if let Some(value) = float(text) {
        return Reading::Number(Number::Float(value));
    }
    // Too large for a double, but a number by its form.
    let shape = unsigned.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || byte == b'.');
    match text.parse::<f64>() {
        Ok(value) if shape && value.is_infinite() => Reading::Number(Number::Float(value)),
        _ => Reading::Str,
    }
}

/// Both readings of a plain word that Helm and the YAML 1.2 core schema read differently.
pub fn reads_differently(text: &str) -> Option<Readings> {
    let first = text.bytes().next()?;
    let may = matches!(first, b'0'..=b'9' | b'+' | b'-' | b'.' | b'y' | b'Y' | b'n' | b'N' | b'o' | b'O');
    if !may || is_decimal(text) {
        return None;
    }
    let (helm, core) = (reading(text), core_reading(text));
    let same = match (helm, core) {
        (Reading::Number(helm), Reading::Number(core)) => helm.same_as(core),
        (helm, core) => helm == core,
    };
    (!same).then_some(Readings { helm, core })
}

impl Number {
    fn same_as(self, other: Self) -> bool {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Uint(a), Self::Uint(b)) => a == b,
            (a, b) => {
                let (a, b) = (a.as_f64(), b.as_f64());
                // Adding zero makes minus zero zero.
                (a + 0.0).total_cmp(&(b + 0.0)).is_eq()
            }
        }
    }

    /// The number as a double, as Helm holds all numbers.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Uint(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(value) => write!(f, "{value}"),
            Self::Uint(value) => write!(f, "{value}"),
            Self::Float(value) if value.is_nan() => f.write_str(".nan"),
            Self::Float(value) if value.is_infinite() => f.write_str(if *value > 0.0 { ".inf" } else { "-.inf" }),
            Self::Float(value) => {
                let mut text = String::new();
                write_float(*value, &mut text);
                f.write_str(text.strip_suffix(".0").unwrap_or(&text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_helms() {
        for word in ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"] {
            assert_eq!(plain(word), Kind::Bool(true), "{word}");
        }
        for word in ["n", "N", "no", "off", "Off", "OFF", "false"] {
            assert_eq!(plain(word), Kind::Bool(false), "{word}");
        }
        for word in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(plain(word), Kind::Null, "{word}");
        }
        for word in ["yEs", "oN", "nULL", "tRUE", "truest", "2001-01-01", "1:20", "1.2.3", "500m", "0b", "-", "+", "."]
        {
            assert_eq!(plain(word), Kind::Str, "{word}");
        }
    }

    #[test]
    fn numbers_are_helms() {
        for (text, expected) in [
            ("012", "10"),
            ("-012", "-10"),
            ("08", "8"),
            ("0o17", "15"),
            ("0O17", "15"),
            ("0x1F", "31"),
            ("-0X1f", "-31"),
            ("0b11", "3"),
            ("0b-1", "-1"),
            ("1_000", "1000"),
            ("1_", "1"),
            ("+12", "12"),
            ("1e3", "1000"),
            ("1E+3", "1000"),
            (".5", "0.5"),
            ("-.5", "-0.5"),
            (".5_5", "0.55"),
            ("1.", "1"),
            ("1e21", "1.0e+21"),
            ("1.5e-9", "1.5e-9"),
            ("1.10", "1.10"),
            ("-0", "-0"),
            ("18446744073709551615", "18446744073709551615"),
            ("0xFFFFFFFFFFFFFFFF", "18446744073709551615"),
            ("0x1FFFFFFFFFFFFFFFFF", "0x1FFFFFFFFFFFFFFFFF"),
        ] {
            assert_eq!(canonical_number(text, Kind::Float), expected, "{text}");
        }
        assert_eq!(plain("0x1FFFFFFFFFFFFFFFFF"), Kind::Str);
        assert_eq!(plain("1e400"), Kind::Str);
        assert_eq!(plain(&"9".repeat(400)), Kind::Str);
        assert_eq!(plain("12345678901234567890123"), Kind::Float);
        assert_eq!(plain(".5__5"), Kind::Str);
    }

    #[test]
    fn keys_are_what_json_gets() {
        for (text, key) in [
            ("on", Some("true")),
            ("1", Some("1")),
            ("0x10", Some("16")),
            ("1.50", Some("1.5")),
            ("1e9", Some("1e+09")),
            ("~", None),
            ("18446744073709551615", None),
            ("word", Some("word")),
        ] {
            assert_eq!(json_key(text, plain(text)).as_deref(), key, "{text}");
        }
    }

    #[test]
    fn ambiguous_words_have_two_readings() {
        for word in ["yes", "n", "on", "Off", "012", "1_000", "0b11", "-0x1F", ".5_5", "1e400", "0X1F"] {
            assert!(reads_differently(word).is_some(), "{word}");
        }
        for word in ["true", "null", "08", "0o17", "0x1F", "+12", "1e3", ".inf", ".nan", "nan", "name", "1:20", "-0"] {
            assert_eq!(reads_differently(word), None, "{word}");
        }
        let readings = reads_differently("012").unwrap();
        assert_eq!(readings.helm, Reading::Number(Number::Int(10)));
        assert_eq!(readings.core, Reading::Number(Number::Int(12)));
    }

    #[test]
    fn floats_are_written_for_every_reader() {
        for (value, text) in [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e20, "100000000000000000000.0"),
            (1e21, "1.0e+21"),
            (2.5e-7, "2.5e-7"),
            (-0.0, "-0.0"),
        ] {
            let mut out = String::new();
            write_float(value, &mut out);
            assert_eq!(out, text);
        }
    }
}
