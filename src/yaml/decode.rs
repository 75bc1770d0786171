//! Bytes → text, for every file that is read.

use std::sync::Arc;

use super::Limits;
use crate::diag::{Code, Diagnostic, FileId, SourceMap, Span};

/// Adds a file to the source map and gives its text, or `None` with a finding that says why it has none: it is larger
/// than `limits.bytes` (`yaml/limit`) or not UTF-8 (`file/encoding`, at the first byte that is wrong).
pub fn decode(
    bytes: &[u8],
    path: &str,
    sources: &SourceMap,
    limits: &Limits,
    findings: &mut Vec<Diagnostic>,
) -> Option<(FileId, Arc<str>)> {
    if bytes.len() > limits.bytes {
        let file = sources.add(path, "");
        findings.push(too_large(file, bytes.len(), limits));
        return None;
    }
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => {
            let text: Arc<str> = text.into();
            return Some((sources.add(path, Arc::clone(&text)), text));
        }
        Err(error) => error,
    };
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = bytes {
        let file = sources.add(path, "");
        findings.push(
            Diagnostic::new(Code::FileEncoding, "the file is UTF-16, not UTF-8")
                .at(Span::new(file, 0, 0), "begins with the byte order mark of UTF-16")
                .help("save it as UTF-8"),
        );
        return None;
    }
    let at = error.valid_up_to();
    // Up to the first wrong byte the text is the same, so the place is right.
    let file = sources.add(path, String::from_utf8_lossy(bytes));
    let byte = bytes.get(at).copied().unwrap_or_default();
    findings.push(
        Diagnostic::new(Code::FileEncoding, format!("the byte 0x{byte:02x} is not UTF-8 text"))
            .at(Span::new(file, at, at + '\u{fffd}'.len_utf8()), "shown as \u{fffd}")
            .help("save the file as UTF-8"),
    );
    None
}

/// The finding for a file that is too large to be parsed.
pub(super) fn too_large(file: FileId, size: usize, limits: &Limits) -> Diagnostic {
    Diagnostic::new(Code::YamlLimit, format!("the file has {size} bytes; {} are allowed", limits.bytes))
        .at(Span::new(file, 0, 0), "too large")
        .help("split the file")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> (Option<String>, Vec<String>) {
        let (sources, mut findings) = (SourceMap::new(), Vec::new());
        let limits = Limits { bytes: 100, ..Limits::default() };
        let text = decode(bytes, "a.yaml", &sources, &limits, &mut findings).map(|(_, text)| text.to_string());
        let shown = findings
            .iter()
            .map(|finding| format!("{} {}", sources.place(finding.span().unwrap()), finding.code))
            .collect();
        (text, shown)
    }

    #[test]
    fn the_first_wrong_byte_is_shown() {
        assert_eq!(decoded("a: ü\n".as_bytes()), (Some("a: ü\n".into()), vec![]));
        assert_eq!(decoded(b"a: \xc3\xbc\nb: x\xff\n"), (None, vec!["a.yaml:2:5 file/encoding".into()]));
        assert_eq!(decoded(b"\xff\xfea\0"), (None, vec!["a.yaml:1:1 file/encoding".into()]));
        assert_eq!(decoded(&[b'a'; 101]), (None, vec!["a.yaml:1:1 yaml/limit".into()]));
    }
}
