//! The versions of the specification that a bundle may comply with.

use runj_tests::Sandbox;

use crate::case::cases;

cases![one_to_one_three_are_reported_back, others_are_refused];

fn one_to_one_three_are_reported_back(sandbox: &Sandbox<'_>) {
    for version in ["1.0.0", "1.0.2", "1.0.2-dev", "1.1.0", "1.2.1", "1.3.0"] {
        let container = sandbox.create(&sandbox.bundle().set("ociVersion", version));
        assert_eq!(container.state()["ociVersion"], version);
        container.delete();
    }
}

fn others_are_refused(sandbox: &Sandbox<'_>) {
    for version in ["2.0.0", "0.9.0", "1", "1.0", "latest", ""] {
        let bundle = sandbox.bundle().set("ociVersion", version);
        let message = sandbox.refused(&bundle);
        assert!(
            message.starts_with(&format!("config.json: ociVersion: \"{version}\" is not allowed")),
            "{message}"
        );
    }
}
