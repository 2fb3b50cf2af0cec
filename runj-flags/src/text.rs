//! Doc comments as text.

/// The paragraphs of doc comments, each a line. The first one says it in short.
pub(crate) fn paragraphs(about: &str) -> Vec<String> {
    let lines: Vec<&str> = about.lines().map(str::trim).collect();
    let paragraphs = lines.split(|line| line.is_empty()).filter(|lines| !lines.is_empty());
    paragraphs.map(|lines| lines.join(" ")).collect()
}

/// The first of them.
pub(crate) fn brief(about: &str) -> String {
    paragraphs(about).into_iter().next().unwrap_or_default()
}
