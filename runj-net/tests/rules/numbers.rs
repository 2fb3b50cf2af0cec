//! Parameters whose values have bounds, and those that the kernel does not have.

use nix::errno::Errno;
use runj_jail::Params;
use serde_json::json;

use crate::ask::{container, kernel, kernel_refuses, runj_refuses};
use crate::cases;

cases![enforce_statfs_is_0_1_or_2, a_host_name_of_256_bytes, a_parameter_that_there_is_not,];

fn enforce_statfs_is_0_1_or_2() {
    for level in 0..=2 {
        kernel(Params::new().int("enforce_statfs", level)).unwrap();
        container(&json!({ "enforceStatfs": level })).unwrap();
    }
    for level in [-1, 3] {
        kernel_refuses(Params::new().int("enforce_statfs", level), Errno::EINVAL, None);
        runj_refuses(&json!({ "enforceStatfs": level }), "enforceStatfs");
    }
}

/// That runj refuses it is among the tests of runj-spec: it is no property of the jail's.
///
/// On the development host the bound is 64 bytes (docs/development-host.md).
fn a_host_name_of_256_bytes() {
    let longest = if cfg!(target_os = "freebsd") { 255 } else { 64 };
    kernel(Params::new().string("host.hostname", "h".repeat(longest))).unwrap();
    let longer = Params::new().string("host.hostname", "h".repeat(256));
    kernel_refuses(longer, Errno::ENAMETOOLONG, None);
}

/// Which there are is the kernel's to say: modules add some.
fn a_parameter_that_there_is_not() {
    let text = "unknown parameter: allow.everything";
    let unknown = Params::new().flag("allow.everything", true);
    kernel_refuses(unknown, Errno::EINVAL, Some(text));
}
