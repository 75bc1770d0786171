//! Amounts of resources as Kubernetes writes them (`500m`, `1.5Gi`, `2e3`), counted exactly.
//!
//! Quotas are sums that many files contribute to, so amounts are whole numbers of the smallest part Kubernetes knows (a
//! billionth) and never floating point. What is written back has the form Kubernetes itself would store, or Argo CD would
//! see a difference for ever. The rules are those of `ParseQuantity` in `k8s.io/apimachinery/pkg/api/resource`, except
//! that what it silently caps is refused here, and an amount is never negative.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Parts of one: Kubernetes counts in billionths.
const ONE: u128 = 1_000_000_000;

/// The largest amount: `2^63 - 1`, where Kubernetes caps.
const MAX: u128 = (i64::MAX as u128) * ONE;

/// Characters of a quantity; no real one comes near.
const LENGTH_MAX: usize = 40;

/// What a quantity looks like, for JSON Schemas.
pub(super) const PATTERN: &str = r"^\+?([0-9]+\.?[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$";

/// An amount of something: of CPU in cores, of memory and storage in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Amount(u128);

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    #[error("is no quantity such as `500m`, `1.5` or `2Gi`")]
    Malformed,
    #[error("is more than Kubernetes counts")]
    TooLarge,
}

/// The power of ten and the power of two that a suffix stands for.
fn scale(suffix: &str) -> Option<(i32, u32)> {
    Some(match suffix {
        "" => (0, 0),
        "n" => (-9, 0),
        "u" => (-6, 0),
        "m" => (-3, 0),
        "k" => (3, 0),
        "M" => (6, 0),
        "G" => (9, 0),
        "T" => (12, 0),
        "P" => (15, 0),
        "E" => (18, 0),
        "Ki" => (0, 10),
        "Mi" => (0, 20),
        "Gi" => (0, 30),
        "Ti" => (0, 40),
        "Pi" => (0, 50),
        "Ei" => (0, 60),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            // No amount has so many places: saturating changes nothing.
            let exponent = exponent.parse().unwrap_or(if exponent.starts_with('-') { i32::MIN } else { i32::MAX });
            (exponent.clamp(-1_000, 1_000), 0)
        }
    })
}

/// What stands before the first character that is no digit, and the rest.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

impl FromStr for Amount {
    type Err = QuantityError;

    /// What is finer than a billionth is rounded up, as Kubernetes does: whoever asks for something gets something.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        use QuantityError::{Malformed, TooLarge};
        if text.len() > LENGTH_MAX {
            return Err(Malformed);
        }
        let (whole, rest) = digits(text.strip_prefix('+').unwrap_or(text));
        let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), digits);
        if whole.is_empty() && fraction.is_empty() {
            return Err(Malformed);
        }
        let (ten, two) = scale(suffix).ok_or(Malformed)?;
        let fraction = fraction.trim_end_matches('0');
        let number: u128 = match format!("{whole}{fraction}").trim_start_matches('0') {
            "" => return Ok(Self(0)),
            number => number.parse().map_err(|_| TooLarge)?,
        };
        let number = number.checked_mul(1 << two).ok_or(TooLarge)?;
        let places = ten + 9 - i32::try_from(fraction.len()).map_err(|_| TooLarge)?;
        let power = 10_u128.checked_pow(places.unsigned_abs());
        let parts = match (places < 0, power) {
            (false, Some(power)) => number.checked_mul(power).ok_or(TooLarge)?,
            (false, None) => return Err(TooLarge),
            (true, Some(power)) => number.div_ceil(power),
            (true, None) => 1,
        };
        if parts > MAX { Err(TooLarge) } else { Ok(Self(parts)) }
    }
}

impl Amount {
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum; at most the largest amount.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0).min(MAX))
    }

    /// So many times as much; at most the largest amount.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(u128::from(count)).min(MAX))
    }

    /// More by some percent, rounded up to a billionth; at most the largest amount.
    #[must_use]
    pub fn plus_percent(self, percent: u32) -> Self {
        Self(self.0.saturating_mul(100 + u128::from(percent)).div_ceil(100).min(MAX))
    }

    /// As an amount of CPU: cores, or thousandths of one, rounded up.
    pub fn cpu(self) -> String {
        let milli = self.0.div_ceil(ONE / 1_000);
        if milli.is_multiple_of(1_000) { (milli / 1_000).to_string() } else { format!("{milli}m") }
    }

    /// As an amount of memory or storage: in the largest unit that leaves no fraction, rounded up to `Mi`.
    pub fn bytes(self) -> String {
        let mut count = self.0.div_ceil(ONE << 20);
        if count == 0 {
            return "0".to_owned();
        }
        let mut units = ["Mi", "Gi", "Ti", "Pi", "Ei"].into_iter();
        let mut unit = units.next().unwrap_or_default();
        for larger in units {
            if !count.is_multiple_of(1_024) {
                break;
            }
            count /= 1_024;
            unit = larger;
        }
        format!("{count}{unit}")
    }
}

/// An amount as somebody wrote it.
#[derive(Clone, PartialEq, Eq)]
pub struct Quantity {
    text: Box<str>,
    amount: Amount,
}

impl Quantity {
    pub fn amount(&self) -> Amount {
        self.amount
    }
}

impl FromStr for Quantity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let amount = text.parse().map_err(|error| format!("`{text}` {error}"))?;
        Ok(Self { text: text.into(), amount })
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Quantity {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": PATTERN, "maxLength": LENGTH_MAX })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap_or_else(|error| panic!("{text} {error}"))
    }

    #[test]
    fn every_suffix_means_what_kubernetes_takes_it_for() {
        // The value of the decimal and the binary suffixes in billionths.
        for (text, parts) in [
            ("1n", 1),
            ("1u", 1_000),
            ("1m", 1_000_000),
            ("1", ONE),
            ("1k", 1_000 * ONE),
            ("1M", 1_000_000 * ONE),
            ("1G", 1_000_000_000 * ONE),
            ("1T", 1_000_000_000_000 * ONE),
            ("1P", 1_000_000_000_000_000 * ONE),
            ("1E", 1_000_000_000_000_000_000 * ONE),
            ("1Ki", 1_024 * ONE),
            ("1Mi", 1_048_576 * ONE),
            ("1Gi", 1_073_741_824 * ONE),
            ("1Ti", 1_099_511_627_776 * ONE),
            ("1Pi", 1_125_899_906_842_624 * ONE),
            ("1Ei", 1_152_921_504_606_846_976 * ONE),
            ("2e3", 2_000 * ONE),
            ("2E3", 2_000 * ONE),
            ("2e+3", 2_000 * ONE),
            ("2500E-3", 2_500_000_000),
            ("0.1", 100_000_000),
            (".5", 500_000_000),
            ("5.", 5 * ONE),
            ("+5", 5 * ONE),
            ("0005", 5 * ONE),
            ("1.50Gi", 1_610_612_736 * ONE),
            ("0", 0),
            ("0e999999999999", 0),
            ("0.00Ki", 0),
            // Rounded up to what Kubernetes counts in.
            ("0.1n", 1),
            ("1.1n", 2),
            ("1e-40", 1),
            ("1e-99999999999", 1),
        ] {
            assert_eq!(amount(text), Amount(parts), "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        let words =
            "|.|+|m|e3|Ki|1 |1 Gi|1gi|1KI|1K|1mi|1ki|1e|1e+|1e1.5|1e3m|1.2.3|1,5|--1|-1|-0|٣|1µ|0x10|1_000|NaN|inf";
        for text in words.split('|') {
            assert_eq!(text.parse::<Amount>(), Err(QuantityError::Malformed), "{text}");
        }
        assert_eq!("1".repeat(41).parse::<Amount>(), Err(QuantityError::Malformed));
        for text in ["8Ei", "9223372036854775808", "9.3E", "10E", "1e19", "1e1000", "1e99999999999", "99999999999Ei"] {
            assert_eq!(text.parse::<Amount>(), Err(QuantityError::TooLarge), "{text}");
        }
        assert_eq!(amount("9223372036854775807"), Amount(MAX));
    }

    #[test]
    fn amounts_are_written_as_kubernetes_stores_them() {
        for (text, cpu) in
            [("0", "0"), ("1000m", "1"), ("1500m", "1500m"), ("0.1", "100m"), ("1n", "1m"), ("2e3", "2000")]
        {
            assert_eq!(amount(text).cpu(), cpu, "{text}");
        }
        for (text, bytes) in
            [("0", "0"), ("1", "1Mi"), ("1024Mi", "1Gi"), ("1536Mi", "1536Mi"), ("1G", "954Mi"), ("2048Gi", "2Ti")]
        {
            assert_eq!(amount(text).bytes(), bytes, "{text}");
        }
    }

    #[test]
    fn sums_end_at_the_largest_amount() {
        let most = Amount(MAX);
        assert_eq!(most.plus(most), most);
        assert_eq!(most.times(u64::MAX), most);
        assert_eq!(most.plus_percent(u32::MAX), most);
        assert_eq!(amount("3").plus_percent(50), amount("4.5"));
        assert_eq!(Amount(1).plus_percent(1), Amount(2));
    }

    /// A quantity with the amount it stands for, computed another way: digit by digit, in tenths.
    fn quantities() -> impl Strategy<Value = (String, Option<u128>)> {
        let suffix = prop::sample::select(vec!["n", "u", "m", "", "k", "M", "G", "Ki", "Mi", "Gi", "e2", "E-1", "e+0"]);
        (0..10_000_000_u64, 0..1_000_u64, suffix).prop_map(|(whole, thousandths, suffix)| {
            let ten = |power: u32| 10_u128.pow(power);
            // Parts of one times thousand, so that the fraction is whole.
            let unit = match suffix {
                "n" => 1,
                "u" => ten(3),
                "m" => ten(6),
                "k" => ten(12),
                "M" => ten(15),
                "G" => ten(18),
                "Ki" => 1_024 * ten(9),
                "Mi" => 1_024 * 1_024 * ten(9),
                "Gi" => 1_024 * 1_024 * 1_024 * ten(9),
                "e2" => ten(11),
                "E-1" => ten(8),
                _ => ten(9),
            };
            let thousand = (u128::from(whole) * 1_000 + u128::from(thousandths)) * unit;
            let parts = thousand / 1_000 + u128::from(!thousand.is_multiple_of(1_000));
            (format!("{whole}.{thousandths:03}{suffix}"), (parts <= MAX).then_some(parts))
        })
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,45}") {
            let _ = text.parse::<Amount>();
        }

        #[test]
        fn what_looks_like_a_quantity_matches_the_schema(text in "[0-9.+numkKMGTPEei-]{0,12}") {
            static SCHEMA: LazyLock<jsonschema::Validator> =
                LazyLock::new(|| jsonschema::validator_for(&serde_json::json!({ "pattern": PATTERN })).unwrap());
            let looks = SCHEMA.is_valid(&serde_json::json!(text));
            prop_assert_eq!(looks, text.parse::<Amount>() != Err(QuantityError::Malformed), "{}", text);
        }

        #[test]
        fn an_amount_is_exact((text, parts) in quantities()) {
            prop_assert_eq!(text.parse::<Amount>().ok(), parts.map(Amount), "{}", text);
        }

        #[test]
        fn sums_are_exact((one, first) in quantities(), (two, second) in quantities()) {
            if let (Some(first), Some(second)) = (first, second) {
                let sum = amount(&one).plus(amount(&two));
                prop_assert_eq!(sum, Amount((first + second).min(MAX)));
                prop_assert!(sum >= amount(&one));
                prop_assert_eq!(amount(&one).times(3), amount(&one).plus(amount(&one)).plus(amount(&one)));
            }
        }

        #[test]
        fn what_is_written_reads_as_no_less((text, parts) in quantities(), percent in 0..500_u32) {
            if parts.is_some() {
                let more = amount(&text).plus_percent(percent);
                let cpu = amount(&more.cpu());
                prop_assert!(cpu >= more && cpu.0 - more.0 < ONE / 1_000);
                prop_assert_eq!(cpu.cpu(), more.cpu());
                let bytes = amount(&more.bytes());
                prop_assert!(bytes >= more && bytes.0 - more.0 < ONE << 20);
                prop_assert_eq!(bytes.bytes(), more.bytes());
            }
        }
    }
}
