//! The configuration that a release has for containerd.

use std::fs;
use std::process::Command;

use runj_tests::containerd::Engine;
use toml::Table;

use crate::case::cases;

cases![containerd_understands_it];

const SHIPPED: &str = include_str!("../../../dist/containerd/config.toml");

/// What containerd calls the plugin that it is about: from 2.0 on, and before.
const PLUGINS: [&str; 2] = ["io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri"];

fn containerd_understands_it(engine: &mut Engine<'_>) {
    let old = engine.release().version.starts_with("1.");
    let [new_plugin, old_plugin] = PLUGINS;
    let (plugin, text) = if old {
        let text = SHIPPED.replace("version = 3", "version = 2").replace(new_plugin, old_plugin);
        (old_plugin, text)
    } else {
        (new_plugin, SHIPPED.to_owned())
    };
    let file = engine.path().join("shipped.toml");
    fs::write(&file, text).unwrap();
    let containerd = engine.release().directory.join("containerd");
    let mut dump = Command::new(containerd);
    let output = dump.arg("--config").arg(file).args(["config", "dump"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");

    let dumped: Table = toml::from_str(&String::from_utf8(output.stdout).unwrap()).unwrap();
    let configured = &dumped["plugins"][plugin]["containerd"];
    assert_eq!(configured["default_runtime_name"].as_str(), Some("runj"));
    let runtimes = &configured["runtimes"];
    for handler in ["runj", "runj-host"] {
        assert_eq!(runtimes[handler]["runtime_type"].as_str(), Some("wtf.sbk.runj.v1"));
    }
    let mode = &runtimes["runj-host"]["options"]["network"]["ipv4"]["mode"];
    assert_eq!(mode.as_str(), Some("inherit"));
}
