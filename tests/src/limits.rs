//! Whether there are limits.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::OnceLock;

use runj_jail::{Jail, Params};

/// Whether a jail can have limits on this host, which takes root to be found out.
///
/// # Panics
///
/// When a limit is refused for another reason, or there can be no jail.
#[must_use]
pub fn enforces_limits() -> bool {
    static ENFORCES: OnceLock<bool> = OnceLock::new();
    *ENFORCES.get_or_init(|| {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let name = format!("runj-test-limits-{}", std::process::id());
        let params = Params::new().string("name", &*name).flag("persist", true);
        let jail = Jail::create(&params.string("path", root.path().to_str().unwrap())).unwrap();
        let (limits, rule) = (jail.limits().unwrap(), "maxproc:deny=1000".parse().unwrap());
        let added = limits.add(&rule);
        limits.remove(&rule).unwrap();
        jail.remove().unwrap();
        match added {
            Ok(()) => true,
            Err(error) if error.is_unenforceable() => false,
            Err(error) => panic!("{error}"),
        }
    })
}
