//! An image that `runj demo oci-image` has made.

use runj_tests::engines::Engine;

use crate::case::cases;

cases![it_is_loaded_and_runs];

const NAME: &str = "example.org/runj/demo:1";

fn it_is_loaded_and_runs(engine: &Engine<'_>) {
    let root = engine.path().join("demo-root");
    engine.install_userland(&root);
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let make = engine.runj(["demo", "oci-image", "--name", NAME, "--arch", arch, "--output"]);
    make.args(["demo.tar", "demo-root"]).run().ok();
    let loaded = engine.podman(["load", "--input", "demo.tar"]).run().ok();
    assert_eq!(loaded, format!("Loaded image: {NAME}\n"));
    let run = engine.podman(["run", "--rm", NAME, "echo", "from the image"]);
    assert_eq!(run.run().ok(), "from the image\n");
}
