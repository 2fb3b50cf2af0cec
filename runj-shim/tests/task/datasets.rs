//! A root that is a dataset of ZFS.

use std::fs;

use serde_json::{Value, json};

use crate::cases::cases;
use crate::engine::{Engine, patience, read};
use crate::pool::{Pool, zfs};
use crate::rpc::mount::Mount;
use crate::rpc::task::CreateTaskRequest;

cases![a_dataset_is_the_root];

/// Where the host has its programs and what they need.
const PROGRAMS: [&str; 5] = ["bin", "lib", "lib64", "libexec", "usr"];

/// The root is mounted as containerd's snapshotter `zfs` asks for it: by a name, with no option or
/// with `ro`.
async fn a_dataset_is_the_root(engine: &Engine) {
    // A shim without a container ends after 20 seconds, and it may take longer to make a pool.
    engine.task.create(patience(), &engine.request("true")).await.unwrap();
    let pool = Pool::new(&engine.path("vdev"), &engine.path("pool"));
    let name = format!("{}/root", pool.name);
    zfs(&["create", &name]);
    let mut mounts: Vec<Value> = Vec::new();
    for directory in PROGRAMS {
        let source = format!("/{directory}");
        if fs::metadata(&source).is_ok() {
            fs::create_dir(engine.path("pool/root").join(directory)).unwrap();
            let options = ["bind", "ro"];
            mounts.push(json!({ "destination": source, "type": "bind", "source": source, "options": options }));
        }
    }
    zfs(&["set", "mountpoint=legacy", &name]);
    engine.delete("").await;

    let calls: [(&[&str], _, _); 3] = [
        (&[], "echo one > /kept", ""),
        (&[], "cat /kept; echo two >> /kept", "one\n"),
        (&["ro"], "cat /kept; (echo three >> /kept) 2>/dev/null || echo no", "one\ntwo\nno\n"),
    ];
    for (number, (options, script, said)) in calls.into_iter().enumerate() {
        let stdout = engine.fifo(&format!("out{number}"));
        let told = read(&stdout);
        let root = Mount {
            type_: "zfs".into(),
            source: name.clone(),
            options: options.iter().map(|&option| option.into()).collect(),
            ..Mount::default()
        };
        let rootfs = vec![root];
        let request = CreateTaskRequest { rootfs, stdout, ..engine.request(script) };
        engine.set("mounts", mounts.clone().into());
        engine.task.create(patience(), &request).await.unwrap();
        assert!(pool.list().contains(&format!("{name}\tyes\n")), "{}", pool.list());
        engine.run("").await;
        engine.wait("").await;
        engine.delete("").await;
        assert_eq!(told.join().unwrap(), said);
        // Not mounted any more, and still there.
        assert!(pool.list().contains(&format!("{name}\tno\n")), "{}", pool.list());
    }
}
