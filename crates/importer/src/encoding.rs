//! The character encoding of a text, detected from its byte order mark, its zero bytes, or its validity as UTF-8.

use std::io::{self, Read};

use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::source::Source;

/// Number of bytes searched for zero bytes.
const HEAD_BYTES: usize = 4096;
const CHUNK_BYTES: usize = 1 << 16;

/// A text whose encoding is known. It is detected once, because that can take a pass over the whole source.
#[derive(Debug, Clone)]
pub(crate) struct TextSource {
    source: Source,
    pub(crate) encoding: &'static Encoding,
}

impl TextSource {
    pub(crate) fn detect(source: Source) -> io::Result<Self> {
        let encoding = detect(&source)?;
        Ok(Self { source, encoding })
    }

    /// Returns the length in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.source.len()
    }

    /// Returns a decoder at the start of the text.
    pub(crate) fn open(&self) -> io::Result<Text> {
        Ok(Text {
            reader: self.source.open()?,
            decoder: self.encoding.new_decoder_with_bom_removal(),
            bytes: vec![0; CHUNK_BYTES],
            is_at_end: false,
            bytes_read: 0,
        })
    }

    /// Returns the first character that is not white space, if it is near the start.
    pub(crate) fn first_char(&self) -> io::Result<Option<char>> {
        let mut text = String::new();
        self.open()?.read(&mut text)?;
        Ok(text.trim_start_matches('\u{feff}').trim_start().chars().next())
    }

    /// Returns the whole text.
    pub(crate) fn read(&self) -> io::Result<String> {
        let mut text = String::new();
        let mut decoded = self.open()?;
        while decoded.read(&mut text)? {}
        Ok(text)
    }
}

/// Returns the encoding of a text.
///
/// UTF-16 without a mark is recognized by a zero in every other byte. Text that is not entirely valid UTF-8 is read as
/// Windows-1252, which includes Latin-1 and has a character for every byte.
fn detect(source: &Source) -> io::Result<&'static Encoding> {
    let mut reader = source.open()?;
    let mut head = Vec::new();
    reader.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    if let Some((encoding, _)) = Encoding::for_bom(&head) {
        return Ok(encoding);
    }
    if let Some(encoding) = utf16_without_mark(&head) {
        return Ok(encoding);
    }
    let is_utf8 = is_utf8(&mut io::Cursor::new(head).chain(reader))?;
    Ok(if is_utf8 { UTF_8 } else { WINDOWS_1252 })
}

fn utf16_without_mark(head: &[u8]) -> Option<&'static Encoding> {
    let pairs = head.chunks_exact(2);
    let count = pairs.len();
    let zeros = |at: usize| pairs.clone().filter(|pair| pair[at] == 0).count();
    let (first, second) = (zeros(0), zeros(1));
    // Digits and separators are most of a recording, whatever the language of its header.
    match () {
        () if count < 2 => None,
        () if second * 2 > count && first * 10 < count => Some(UTF_16LE),
        () if first * 2 > count && second * 10 < count => Some(UTF_16BE),
        () => None,
    }
}

/// Returns whether all bytes are UTF-8, apart from a character cut off by the end of the source.
fn is_utf8(reader: &mut dyn Read) -> io::Result<bool> {
    let mut bytes = vec![0; CHUNK_BYTES];
    let mut kept = 0;
    loop {
        let count = reader.read(&mut bytes[kept..])?;
        if count == 0 {
            return Ok(true);
        }
        let end = kept + count;
        let valid = match std::str::from_utf8(&bytes[..end]) {
            Ok(_) => end,
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Ok(false),
        };
        bytes.copy_within(valid..end, 0);
        kept = end - valid;
    }
}

/// Decodes a source chunk by chunk.
pub(crate) struct Text {
    reader: Box<dyn Read>,
    decoder: Decoder,
    bytes: Vec<u8>,
    is_at_end: bool,
    /// Bytes of the source read so far.
    pub(crate) bytes_read: u64,
}

impl Text {
    /// Appends the next characters to `text`; false at the end.
    pub(crate) fn read(&mut self, text: &mut String) -> io::Result<bool> {
        if self.is_at_end {
            return Ok(false);
        }
        let count = self.reader.read(&mut self.bytes)?;
        self.is_at_end = count == 0;
        self.bytes_read += count as u64;
        let mut chunk = &self.bytes[..count];
        loop {
            let room = self.decoder.max_utf8_buffer_length(chunk.len()).unwrap_or(chunk.len() * 3);
            text.reserve(room);
            let (result, read, _) = self.decoder.decode_to_string(chunk, text, self.is_at_end);
            chunk = &chunk[read..];
            if result == encoding_rs::CoderResult::InputEmpty {
                return Ok(true);
            }
        }
    }
}
