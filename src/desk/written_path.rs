//! A path as a person writes it where no shell reads it.

use std::path::PathBuf;

/// The path that a person typed or pasted, without surrounding quotes and with a tilde expanded, as a shell would do; none where nothing is left.
pub(super) fn written_path(text: &str) -> Option<PathBuf> {
    let text = text.trim();
    let quoted = ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    let text = quoted.unwrap_or(text);
    if text.is_empty() {
        return None;
    }
    let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned());
    Some(match (text.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => text.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_what_a_person_writes_where_a_shell_would_read_it() {
        let written = |text| written_path(text).map(|path| path.to_string_lossy().into_owned());
        assert_eq!(written("  "), None);
        assert_eq!(written("''"), None);
        assert_eq!(written(" /m/Qwen3 0.6B.gguf\n").unwrap(), "/m/Qwen3 0.6B.gguf");
        assert_eq!(written("'/m/it is.gguf'").unwrap(), "/m/it is.gguf");
        assert_eq!(written("\"-m.gguf\"").unwrap(), "-m.gguf");
        let home = written("~/m.gguf").unwrap();
        assert!(home.ends_with("/m.gguf") && home.len() > "/m.gguf".len() && !home.contains('~'), "{home}");
    }
}
