//! Hooks that do not end by themselves.

use runj_tests::{Sandbox, Step};

use crate::complete::Case;
use crate::site::lingering;

pub(crate) const CASES: &[Case] =
    &[("hooks::one_that_does_not_end_is_known", one_that_does_not_end_is_known)];

/// Whoever runs it is killed, just before and just after it begins.
fn one_that_does_not_end_is_known(sandbox: &Sandbox<'_>) {
    for kind in ["createRuntime", "poststart"] {
        let bundle = lingering(sandbox, kind);
        let before = sandbox.host();
        let id = sandbox.id();
        for point in ["hook", "hook-go", "hook-wait"] {
            let failpoints = Step::first(point).failpoints("kill");
            let run = sandbox.runj(["run", "--detach", &id]).args([bundle.dir()]);
            let outcome = run.env("FAILPOINTS", failpoints).run();
            assert!(outcome.status.code().is_none(), "it was not killed at {point}");
            sandbox.runj(["delete", "--force", &id]).run().succeeded_silently();
            sandbox.host().assert_unchanged_since(&before);
        }
    }
}
