//! Where a container's root comes from.

use std::fs;

use runj_tests::containerd::{Engine, IMAGE};
use runj_tests::eventually;

use crate::case::cases;
use crate::pool::{self, Pool};

cases![
    a_snapshot_that_is_a_directory,
    a_snapshot_that_is_a_dataset: pool::missing,
    #[cfg(target_os = "linux")]
    an_image_of_more_layers_than_fit_in_a_page,
    a_directory_of_the_host_s,
    a_root_that_is_read_only,
];

fn a_snapshot_that_is_a_directory(engine: &mut Engine<'_>) {
    unpack(engine, "native");
    let flags = ["--rm", "--snapshotter", "native"];
    let outcome = engine.run(&flags, &engine.id(), &["sh", "-c", "echo x > /y; cat /y"]).run();
    assert_eq!(outcome.code_is(0), "x\n");
}

/// containerd's snapshotter takes the dataset that its directory is on, if there is one when it
/// starts.
fn a_snapshot_that_is_a_dataset(engine: &mut Engine<'_>) {
    engine.kill_daemon();
    let place = engine.path().join("root/io.containerd.snapshotter.v1.zfs");
    fs::create_dir_all(&place).unwrap();
    let pool = Pool::new(&engine.path().join("vdev"), &place);
    engine.start_daemon();
    unpack(engine, "zfs");
    let unpacked = pool.list();
    let id = engine.id();
    let flags = ["--detach", "--snapshotter", "zfs"];
    let command = ["sh", "-c", "echo x > /y; sleep 1000"];
    engine.run(&flags, &id, &command).run().code_is(0);
    let exec = ["task", "exec", "--exec-id", "e", &id, "cat", "/y"];
    eventually("its file", || (engine.ctr(exec).run().stdout() == "x\n").then_some(()));
    let listed = pool.list();
    let new = listed.lines().filter(|line| !unpacked.contains(line)).collect::<Vec<_>>();
    assert!(matches!(new[..], [dataset] if dataset.ends_with("\tyes")), "{listed}");
    engine.remove(&id);
    // containerd clears up in its own time.
    eventually("the dataset to go", || (pool.list() == unpacked).then_some(()));
    // What is mounted of it would be taken for something left.
    engine.kill_daemon();
    drop(pool);
    engine.start_daemon();
}

/// Unpacks the image for another snapshotter than the default one.
fn unpack(engine: &Engine<'_>, snapshotter: &str) {
    let image = engine.path().join("image.tar");
    // Where ctr has another way, with that one it may end before all is written, and knows the
    // default snapshotter only.
    let old = engine.release().version.starts_with("1.6.");
    let way: &[&str] = if old { &[] } else { &["--local"] };
    engine.ctr(["images", "export"]).args(way).args([&image]).args([IMAGE]).run().code_is(0);
    let import = engine.ctr(["images", "import", "--snapshotter", snapshotter]).args(way);
    import.args([&image]).run().code_is(0);
}

/// mount(2) takes a page of options for an overlay. On FreeBSD there is one mount of one directory,
/// however many layers the image has.
#[cfg(target_os = "linux")]
fn an_image_of_more_layers_than_fit_in_a_page(engine: &mut Engine<'_>) {
    const NAME: &str = "example.org/runj/layers:latest";
    let files: Vec<_> = (0..100).map(|number| format!("layers/{number}")).collect();
    engine.import_with_files(NAME, &files);
    let script = "cat /layers/0 /layers/42 /layers/99; ls /layers | wc -l";
    let outcome = engine
        .ctr(["run", "--runtime", "wtf.sbk.runj.v1", "--rm", NAME, &engine.id()])
        .args(["sh", "-c", script])
        .run();
    assert_eq!(outcome.code_is(0), "layers/0layers/42layers/99100\n");
}

fn a_directory_of_the_host_s(engine: &mut Engine<'_>) {
    let root = engine.path().join("root-of-mine");
    engine.install_userland(&root);
    let args = ["run", "--runtime", "wtf.sbk.runj.v1", "--rm", "--rootfs"];
    let command = ["touch", "/made"];
    let root_text = root.to_str().unwrap();
    engine.ctr(args).args([root_text, &engine.id()]).args(command).run().code_is(0);
    assert!(root.join("made").exists());
    // What it was mounted on for the container is gone, and nothing of it is lost.
    assert!(fs::read_dir(root.join("dev")).unwrap().next().is_none());
    assert!(root.join("bin/sh").exists());
}

fn a_root_that_is_read_only(engine: &mut Engine<'_>) {
    let script = "touch /x 2>/dev/null || echo refused; touch /tmp/x && echo made";
    let flags = ["--rm", "--read-only", "--mount", "type=tmpfs,src=tmpfs,dst=/tmp"];
    let outcome = engine.run(&flags, &engine.id(), &["sh", "-c", script]).run();
    assert_eq!(outcome.code_is(0), "refused\nmade\n");
}
