//! The reference of the configuration is of the types as they are.

use runj_tests::reference;

/// What is committed is what would be written.
pub(crate) fn the_page_shows_the_types() {
    let page = include_str!("../../../docs/configuration.md");
    assert!(page == reference::page(), "`cargo xtask reference` writes {}", reference::PAGE);
}
