//! An image that `runj demo oci-image` has made.

use std::process::Command;

use runj_tests::containerd::Engine;

use crate::case::cases;

cases![it_is_imported_and_runs];

const NAME: &str = "example.org/runj/demo:1";

fn it_is_imported_and_runs(engine: &mut Engine<'_>) {
    // Not beside what containerd keeps in its own `root`.
    let [root, image] = ["userland", "demo.tar"].map(|name| engine.path().join(name));
    engine.install_userland(&root);
    let runj = engine.shim_program().with_file_name("runj");
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let made = Command::new(runj)
        .args(["demo", "oci-image", "--name", NAME, "--arch", arch, "--output"])
        .args([&image, &root])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    // The image is FreeBSD's, whichever host this is.
    let platform = format!("freebsd/{arch}");
    engine.ctr(["images", "import", "--platform", &platform]).args([&image]).run().code_is(0);
    let runtime = ["run", "--rm", "--runtime", "wtf.sbk.runj.v1", "--platform", &platform];
    let run = engine.ctr(runtime).args([NAME, &engine.id(), "sh", "-c", "echo from the image"]);
    assert_eq!(run.run().code_is(0), "from the image\n");
}
