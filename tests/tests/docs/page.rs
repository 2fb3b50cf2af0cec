//! A page, taken apart.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A page in Markdown.
pub(crate) struct Page {
    /// Where it is, from the root of the workspace.
    pub(crate) path: &'static str,
    pub(crate) blocks: Vec<Block>,
    /// What it links to, and the line of each.
    pub(crate) links: Vec<(usize, String)>,
    /// What its headings can be linked to by.
    pub(crate) anchors: Vec<String>,
    /// What stands in the running text as code, and the line of each.
    pub(crate) code: Vec<(usize, String)>,
}

/// A block of code.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// The line that it begins in.
    pub(crate) line: usize,
    /// The words behind the fence; without a fence there are none.
    pub(crate) info: Option<String>,
    pub(crate) text: String,
}

impl Page {
    /// Takes it apart.
    pub(crate) fn parse(path: &'static str, text: &str) -> Self {
        let mut page = Self { path, blocks: vec![], links: vec![], anchors: vec![], code: vec![] };
        let line = |range: &Range<usize>| text[..range.start].matches('\n').count() + 1;
        let (mut heading, mut block) = (None::<String>, None::<Block>);
        let events = Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter();
        for (event, range) in events {
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let info = match kind {
                        CodeBlockKind::Fenced(info) => Some(info.into_string()),
                        CodeBlockKind::Indented => None,
                    };
                    block = Some(Block { line: line(&range), info, text: String::new() });
                }
                Event::End(TagEnd::CodeBlock) => page.blocks.extend(block.take()),
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let anchor = anchor(&heading.take().unwrap_or_default());
                    page.anchors.push(anchor);
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push((line(&range), dest_url.into_string()));
                }
                Event::Text(text) => {
                    if let Some(block) = &mut block {
                        block.text.push_str(&text);
                    } else if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::Code(code) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&code);
                    }
                    page.code.push((line(&range), code.into_string()));
                }
                _ => {}
            }
        }
        page
    }
}

/// What a heading can be linked to by, both on a page of the book and where repositories are
/// shown.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}
