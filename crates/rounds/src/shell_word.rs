//! Quotes the words of commands that messages suggest.

/// Returns a text quoted so that a shell reads it as one word.
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| {
        c.is_alphanumeric()
            || matches!(c, '_' | '-' | '.' | '/' | '=' | ':' | '+' | ',' | '@' | '%')
    };
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_if_a_shell_would_split_or_change_it() {
        assert_eq!(shell_word("data/a-b_1.csv"), "data/a-b_1.csv");
        assert_eq!(shell_word("a b"), "'a b'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word(""), "''");
    }
}
