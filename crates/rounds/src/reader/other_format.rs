//! Detects files that are not CSV text by their first bytes.

use crate::reader::OtherFormat;

/// Returns what the start of a file is, if it is not CSV text in UTF-8.
pub(crate) fn other_format(head: &[u8]) -> Option<OtherFormat> {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Some(OtherFormat::Utf16);
    }
    if head.starts_with(b"PK\x03\x04") {
        return Some(OtherFormat::Zip);
    }
    if head.starts_with(b"\x1f\x8b") {
        return Some(OtherFormat::Gzip);
    }
    let nul = head.iter().take(4096).filter(|&&byte| byte == 0).count();
    if nul * 3 >= head.len().min(4096) && nul >= 8 {
        return Some(OtherFormat::Utf16);
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    if head.len() >= 64 && nul * 50 >= head.len().min(4096) {
        return Some(OtherFormat::Binary);
    }
    match text.first()? {
        b'{' => {
            let line = text.split(|&byte| byte == b'\n').next().unwrap_or(text).trim_ascii_end();
            Some(if line.ends_with(b"}") { OtherFormat::JsonLines } else { OtherFormat::Json })
        }
        b'[' if is_json_array(&text[1..]) => Some(OtherFormat::Json),
        b'<' => Some(OtherFormat::Html),
        _ if !head.contains(&b'\n') && head.split(|&byte| byte == b'\r').nth(2).is_some() => {
            Some(OtherFormat::CarriageReturns)
        }
        _ => None,
    }
}

/// Returns whether the text after a bracket begins with a JSON value, and not with the name of a section.
fn is_json_array(text: &[u8]) -> bool {
    let first = text.trim_ascii_start().first();
    first.is_some_and(|byte| b"{[\"-]0123456789".contains(byte))
}
