//! Jails that end with the test.

use std::net::Ipv4Addr;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use runj_jail::{Errno, Error, Jail, JailName, Params};
use tempfile::TempDir;

/// Long enough for anything that has to happen.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A jail, with its root directory.
pub(crate) struct TestJail {
    jail: Jail,
    pub(crate) name: JailName,
    pub(crate) root: TempDir,
}

impl Deref for TestJail {
    type Target = Jail;
    fn deref(&self) -> &Jail {
        &self.jail
    }
}

impl Drop for TestJail {
    fn drop(&mut self) {
        // A test that fails must not hide behind this.
        let _ = self.jail.remove();
        let _ = self.jail.wait_empty(SOON);
    }
}

/// A name that no other jail has.
pub(crate) fn fresh_name() -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("runj-test-{}-{number}", std::process::id())
}

/// A loopback address that is this process's among all that run these tests, by a number.
pub(crate) fn address(number: u8) -> Ipv4Addr {
    let [a, b, ..] = std::process::id().to_le_bytes();
    Ipv4Addr::new(127, b, a, number)
}

/// The parameters that every jail needs.
pub(crate) fn params(name: &str, root: &TempDir) -> Params {
    let root = root.path().to_str().unwrap();
    Params::new().string("name", name).string("path", root).flag("persist", true)
}

/// A jail with those parameters besides the ones that every jail needs.
pub(crate) fn jail(with: Params) -> TestJail {
    named(&fresh_name(), with)
}

/// A jail of that name.
pub(crate) fn named(name: &str, with: Params) -> TestJail {
    let root = tempfile::tempdir().unwrap();
    let mut all = params(name, &root);
    all.extend(with);
    let jail = Jail::create(&all).unwrap();
    TestJail { jail, name: name.parse().unwrap(), root }
}

/// The errno and the text of a refusal.
#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> (Errno, Option<String>) {
    match result {
        Err(Error::Refused { errno, message, .. }) => (errno, message),
        other => panic!("not refused: {other:?}"),
    }
}
