//! What is wrong is said in one line, with its place and its value, and nothing is created.

use std::fs;

use runj_tests::{Bundle, Sandbox};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    bad_ids: Nothing,
    a_bundle_that_is_missing: Nothing,
    a_bundle_without_config_json: Nothing,
    bad_json: Nothing,
    wrong_values: Nothing,
    all_wrong_values_are_said_in_one_go: Nothing,
    a_root_that_is_missing: Nothing,
    a_root_that_is_the_host_s: Nothing,
    bad_flags: Nothing,
    help_for_every_verb: Nothing,
    unknown_properties_are_ignored,
];

/// The message of a create that never came to touch the host.
#[track_caller]
fn refused(sandbox: &Sandbox<'_>, bundle: &Bundle) -> String {
    refused_id(sandbox, bundle, "web")
}

#[track_caller]
fn refused_id(sandbox: &Sandbox<'_>, bundle: &Bundle, id: &str) -> String {
    let root = sandbox.path().join("not-made");
    let before = sandbox.host();
    let runj = sandbox.runj_without_root().args(["--root"]).args([&root]);
    let message = runj.args(["create", "--bundle"]).args([bundle.dir()]).args(["--", id]);
    let message = message.run().refused();
    sandbox.host().assert_unchanged_since(&before);
    message
}

fn bad_ids(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    let long = "x".repeat(300);
    for id in ["", ".", "..", "a/b", "/", "../x", ".hidden", "-x", "a b", "a\nb", "\u{e4}", &long] {
        let message = refused_id(sandbox, &bundle, id);
        assert!(message.contains("container id"), "{id:?}: {message}");
        for verb in ["state", "start", "kill", "delete"] {
            sandbox.runj([verb, "--", id]).run().refused();
        }
        // Whatever is in an id, force does not make it a path.
        sandbox.runj(["delete", "--force", "--", id]).run().refused();
        assert!(sandbox.state_dir().is_dir());
    }
}

fn a_bundle_that_is_missing(sandbox: &Sandbox<'_>) {
    let create = sandbox.runj(["create", "--bundle", "/no/such/bundle", "web"]);
    let message = create.run().refused();
    assert!(message.starts_with("--bundle: \"/no/such/bundle\" is not allowed: "), "{message}");
    // It is called as it was given.
    let message = sandbox.runj(["create", "web", "/no/such/bundle"]).run().refused();
    assert!(message.starts_with("BUNDLE: \"/no/such/bundle\" is not allowed: "), "{message}");
    let check = sandbox.runj(["config", "check", "/no/such/bundle"]).run();
    assert!(check.stdout().starts_with("BUNDLE: \"/no/such/bundle\" is not allowed: "));
}

fn a_bundle_without_config_json(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle();
    fs::remove_file(bundle.dir().join("config.json")).unwrap();
    let message = refused(sandbox, &bundle);
    let file = bundle.dir().join("config.json");
    assert!(message.starts_with(&format!("cannot read {file:?}: ")), "{message}");
}

fn bad_json(sandbox: &Sandbox<'_>) {
    for (name, text, place) in [
        ("config.json", "", "config.json: line 1, column 0: "),
        ("config.json", "{\n  \"ociVersion\" 1\n}", "config.json: line 2, column 16: "),
        ("config.json", "{\"a\": 1, \"a\": 2}", "config.json: line 1, column "),
        ("config.json", "[]", "config.json: "),
        ("config.json", "\u{0}", "config.json: line 1, column 1: "),
        ("runj.ext.json", "{\"network\": ", "runj.ext.json: line 1, column "),
        ("runj.ext.json", "null", "runj.ext.json: "),
    ] {
        let bundle = sandbox.bundle();
        fs::write(bundle.dir().join(name), text).unwrap();
        let message = refused(sandbox, &bundle);
        assert!(message.starts_with(place), "{text:?}: {message}");
    }
}

fn wrong_values(sandbox: &Sandbox<'_>) {
    for (place, value, said) in [
        ("ociVersion", json!("9.0.0"), "config.json: ociVersion: \"9.0.0\" is not allowed"),
        ("process", json!("sh"), "config.json: process: \"sh\" is not allowed"),
        ("process.args", json!("sh"), "config.json: process.args: \"sh\" is not allowed"),
        ("process.args", json!([]), "config.json: process.args: [] is not allowed"),
        ("process.args", json!(["sh", 1]), "config.json: process.args[1]: 1 is not allowed"),
        ("process.env", json!(["A=1", "B"]), "config.json: process.env[1]: \"B\" is not allowed"),
        ("process.cwd", json!("tmp"), "config.json: process.cwd: \"tmp\" is not allowed"),
        ("process.user.uid", json!(-1), "config.json: process.user.uid: -1 is not allowed"),
        ("process.user.umask", json!(512), "config.json: process.user.umask: 512 is not allowed"),
        ("root.readonly", json!("yes"), "config.json: root.readonly: \"yes\" is not allowed"),
        ("hostname", json!(7), "config.json: hostname: 7 is not allowed"),
        ("mounts", json!({}), "config.json: mounts: "),
        ("freebsd.jail.ip4", json!("on"), "config.json: freebsd.jail.ip4: \"on\" is not allowed"),
        (
            "freebsd.jail.ip4Addr",
            json!(["127.0.0.1", "127.0.0.256"]),
            "config.json: freebsd.jail.ip4Addr[1]: \"127.0.0.256\" is not allowed",
        ),
        (
            "freebsd.jail.enforceStatfs",
            json!(3),
            "config.json: freebsd.jail.enforceStatfs: 3 is not allowed",
        ),
    ] {
        let message = refused(sandbox, &sandbox.bundle().set(place, value));
        assert!(message.starts_with(said), "{message}");
    }
    for (ipv4, said) in [
        (json!({ "mode": "Inherit" }), "runj.ext.json: network.ipv4.mode: \"Inherit\""),
        (json!({ "addr": ["::1"] }), "runj.ext.json: network.ipv4.addr[0]: \"::1\""),
        (json!({ "mode": null, "addr": 1 }), "runj.ext.json: network.ipv4"),
    ] {
        let message = refused(sandbox, &sandbox.bundle().ipv4(ipv4));
        assert!(message.starts_with(said), "{message}");
        assert!(message.contains("is not allowed: expected "), "{message}");
    }
    let message = refused(sandbox, &sandbox.bundle().without("process"));
    assert!(message.starts_with("config.json: process: "), "{message}");
}

fn all_wrong_values_are_said_in_one_go(sandbox: &Sandbox<'_>) {
    let bundle = sandbox
        .bundle()
        .set("process.cwd", "tmp")
        .set("hostname", 7)
        .set("root.path", "")
        .ipv4(json!({ "mode": "on" }));
    let message = refused(sandbox, &bundle);
    for place in ["process.cwd", "hostname", "root.path", "network.ipv4.mode"] {
        assert!(message.contains(&format!(": {place}: ")), "{place}: {message}");
    }
}

fn a_root_that_is_missing(sandbox: &Sandbox<'_>) {
    for (path, shown) in [("nowhere", "nowhere"), ("config.json", "config.json")] {
        let message = refused(sandbox, &sandbox.bundle().set("root.path", path));
        assert!(message.starts_with("config.json: root.path: "), "{message}");
        assert!(message.contains(shown) && message.contains("is not allowed"), "{message}");
    }
}

fn a_root_that_is_the_host_s(sandbox: &Sandbox<'_>) {
    for path in ["/", "/..", "/usr/.."] {
        let message = refused(sandbox, &sandbox.bundle().set("root.path", path));
        assert!(message.starts_with("config.json: root.path: "), "{message}");
    }
}

fn bad_flags(sandbox: &Sandbox<'_>) {
    let lines: [&[&str]; 9] = [
        &[],
        &["no-such-verb"],
        &["state"],
        &["state", "a", "b"],
        &["state", "--no-such-flag", "a"],
        &["create", "--preserve-fds", "-1", "a"],
        &["list", "--format", "xml"],
        &["--log-format", "xml", "list"],
        &["exec", "a"],
    ];
    for line in lines {
        sandbox.runj(line).run().refused();
    }
    let message = sandbox.runj(["--log", "/no/such/directory/log", "list"]).run().refused();
    assert!(message.starts_with("--log: \"/no/such/directory/log\""), "{message}");
}

fn help_for_every_verb(sandbox: &Sandbox<'_>) {
    let help = sandbox.runj(["--help"]).run().succeeded();
    let verbs = ["create", "delete", "exec", "kill", "list", "run", "spec", "start", "state"];
    for verb in verbs {
        assert!(help.contains(&format!("\n  {verb} ")), "{verb} is not in: {help}");
        for flag in ["--help", "-h"] {
            let help = sandbox.runj([verb, flag]).run().succeeded();
            assert!(help.contains(&format!("Usage: runj {verb}")), "{help}");
        }
    }
    let version = sandbox.runj(["--version"]).run().succeeded();
    assert!(version.starts_with("runj "), "{version}");
}

fn unknown_properties_are_ignored(sandbox: &Sandbox<'_>) {
    let linux = json!({ "namespaces": [{ "type": "pid" }], "resources": {} });
    let bundle = sandbox
        .bundle()
        .args(["true"])
        .set("linux", linux)
        .set("process.capabilities", json!({ "bounding": ["CAP_KILL"] }))
        .set("com.example", Value::Null)
        .extension(json!({ "network": { "ipv5": 1 }, "more": [] }));
    sandbox.run(&bundle).succeeded_silently();
}
