//! Where a container's root comes from.

use std::fs;
use std::process::Command;

use runj_tests::containerd::{Engine, IMAGE};

use crate::case::cases;

cases![a_snapshot_that_is_a_directory, a_directory_of_the_host_s, a_root_that_is_read_only];

fn a_snapshot_that_is_a_directory(engine: &mut Engine<'_>) {
    let id = engine.id();
    let image = engine.path().join("image.tar");
    engine.ctr(["images", "export"]).args([&image]).args([IMAGE]).run().code_is(0);
    let import = engine.ctr(["images", "import", "--snapshotter", "native"]);
    // Where ctr has another way, that one knows the default snapshotter only.
    let old = engine.release().version.starts_with("1.6.");
    let import = if old { import } else { import.args(["--local"]) };
    import.args([&image]).run().code_is(0);
    let flags = ["--rm", "--snapshotter", "native"];
    let outcome = engine.run(&flags, &id, &["sh", "-c", "echo x > /y; cat /y"]).run();
    assert_eq!(outcome.code_is(0), "x\n");
}

fn a_directory_of_the_host_s(engine: &mut Engine<'_>) {
    let root = engine.path().join("root-of-mine");
    fs::create_dir_all(root.join("bin")).unwrap();
    for directory in ["dev", "proc", "run", "sys"] {
        fs::create_dir(root.join(directory)).unwrap();
    }
    engine.copy_busybox(&root.join("bin/busybox"));
    let args = ["run", "--runtime", "wtf.sbk.runj.v1", "--rm", "--rootfs"];
    let command = ["/bin/busybox", "touch", "/made"];
    let root_text = root.to_str().unwrap();
    engine.ctr(args).args([root_text, &engine.id()]).args(command).run().code_is(0);
    assert!(root.join("made").exists());
    // What it was mounted on for the container is gone, and nothing of it is lost.
    assert!(fs::read_dir(root.join("dev")).unwrap().next().is_none());
    assert!(Command::new(root.join("bin/busybox")).arg("true").status().unwrap().success());
}

fn a_root_that_is_read_only(engine: &mut Engine<'_>) {
    let script = "touch /x 2>/dev/null || echo refused; touch /run/x && echo made";
    let outcome = engine.run(&["--rm", "--read-only"], &engine.id(), &["sh", "-c", script]).run();
    assert_eq!(outcome.code_is(0), "refused\nmade\n");
}
