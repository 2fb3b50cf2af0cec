//! `runj config`: what a bundle says, before anything is made of it.

use std::fs;

use runj_jail::{Jail, Kind, Value as JailValue};
use runj_tests::coverage::Coverage;
use runj_tests::{Bundle, Outcome, Sandbox};
use serde_json::{Value, json};

use crate::case::cases;

cases![
    a_right_bundle_passes: Nothing,
    what_is_misspelt_is_named: Nothing,
    what_is_not_known_of_config_json_is_named: Nothing,
    what_is_meant_to_be_ignored_is_not_named: Nothing,
    what_is_ignored_is_marked: Nothing,
    all_problems_are_listed: Nothing,
    what_create_would_refuse_is_found: Nothing,
    every_value_has_its_place: Nothing,
    the_jail_s_parameters_are_shown: Nothing,
    show_needs_no_root_file_system: Nothing,
    show_refuses_what_is_wrong: Nothing,
    the_shown_parameters_are_those_of_the_jail,
];

fn config(sandbox: &Sandbox<'_>, verb: &[&str], bundle: &Bundle) -> Outcome {
    let before = sandbox.host();
    let outcome = sandbox.runj(["config"]).args(verb).args([bundle.dir()]).run();
    sandbox.host().assert_unchanged_since(&before);
    outcome
}

/// The problems that `config check` finds, and that it says how many there are.
#[track_caller]
fn problems(sandbox: &Sandbox<'_>, bundle: &Bundle) -> Vec<String> {
    let outcome = config(sandbox, &["check"], bundle);
    let problems: Vec<_> = outcome.stdout().lines().map(str::to_owned).collect();
    let dir = bundle.dir();
    let count = match problems.len() {
        1 => "a problem".to_owned(),
        count => format!("{count} problems"),
    };
    assert_eq!(outcome.code(), 1, "{problems:#?}");
    assert_eq!(outcome.stderr(), format!("runj: {dir:?} has {count}\n"), "{problems:#?}");
    problems
}

fn shown(sandbox: &Sandbox<'_>, bundle: &Bundle) -> Value {
    config(sandbox, &["show", "--format", "json"], bundle).json()
}

/// The value at `path` and where it was given.
#[track_caller]
fn row<'v>(shown: &'v Value, path: &str) -> (&'v Value, Option<&'v str>) {
    let rows = shown["values"].as_array().unwrap();
    let row = rows.iter().find(|row| row["path"] == path).unwrap_or_else(|| panic!("no {path}"));
    (&row["value"], row["origin"].as_str())
}

fn a_right_bundle_passes(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().ipv4(json!({ "mode": "inherit" }));
    config(sandbox, &["check"], &bundle).succeeded_silently();
    // The directory that one is in is the default, and who serves the terminal is another matter.
    let bundle = bundle.set("process.terminal", true);
    sandbox.runj(["config", "check"]).current_dir(bundle.dir()).run().succeeded_silently();
}

fn what_is_misspelt_is_named(sandbox: &Sandbox<'_>) {
    let network = json!({ "ipv4": { "mode": "inherit", "address": [] }, "//": "a comment" });
    let bundle = sandbox.bundle().extension(json!({ "network": network, "netwrok": {} }));
    let told = config(sandbox, &["check"], &bundle).succeeded();
    let lines: Vec<_> = told.lines().collect();
    let known = "not known, and ignored: known are ";
    assert_eq!(lines.len(), 2, "{told}");
    assert!(told.contains(&format!("runj.ext.json: network.ipv4.address: {known}")), "{told}");
    assert!(told.contains(&format!("runj.ext.json: netwrok: {known}")), "{told}");
}

fn what_is_not_known_of_config_json_is_named(sandbox: &Sandbox<'_>) {
    let bundle = sandbox
        .bundle()
        .set("hostnam", "web")
        .set("process.cwdd", "/tmp")
        .set("freebsd.jail.ipv4", "inherit")
        .set("linux.resources.memory.limt", 1)
        .mount(json!({ "type": "tmpfs", "destination": "/tmp", "option": ["ro"] }));
    let mount = format!("config.json: mounts[{}].option: ", bundle.mounts() - 1);
    let told = config(sandbox, &["check"], &bundle).succeeded();
    let lines: Vec<_> = told.lines().collect();
    for (place, known) in [
        ("config.json: process.cwdd: ", "cwd"),
        (&mount, "options"),
        ("config.json: freebsd.jail.ipv4: ", "ip4"),
        ("config.json: linux.resources.memory.limt: ", "limit"),
        ("config.json: hostnam: ", "hostname"),
    ] {
        let start = format!("{place}not known, and ignored: known are ");
        let line = lines.iter().find_map(|line| line.strip_prefix(&start));
        let line = line.unwrap_or_else(|| panic!("{start}\n{told}"));
        assert!(line.split(", ").any(|name| name == known), "{line}");
    }
    assert_eq!(lines.len(), 5, "{told}");
}

/// Engines send what the specification has for Linux with every container.
fn what_is_meant_to_be_ignored_is_not_named(sandbox: &Sandbox<'_>) {
    let table = Coverage::table();
    let mut bundle = sandbox.bundle().set("process.//", "a comment");
    let ignored = table.rows().filter(|(file, row)| *file == "config.json" && row.is_ignored());
    let mut count = 0;
    for (_, row) in ignored {
        bundle = bundle.set(&row.field, json!({ "any": "thing" }));
        count += 1;
    }
    assert!(count > 40, "{count}");
    config(sandbox, &["check"], &bundle).succeeded_silently();
    // Nor is the size of a terminal that there is not.
    let bundle = sandbox.bundle().set("process.consoleSize", json!({ "height": 2, "width": 2 }));
    config(sandbox, &["check"], &bundle).succeeded_silently();
}

fn what_is_ignored_is_marked(sandbox: &Sandbox<'_>) {
    let bundle = sandbox
        .bundle()
        .set("process.cwdd", "/tmp")
        .set("process.capabilities.bounding", json!(["CAP_KILL"]));
    let shown = shown(sandbox, &bundle);
    let rows = shown["values"].as_array().unwrap().iter();
    let ignored =
        rows.filter(|row| row["ignored"] == true).map(|row| row["path"].as_str().unwrap());
    let mut ignored: Vec<_> = ignored.collect();
    ignored.sort_unstable();
    assert_eq!(ignored, ["process.capabilities.bounding", "process.cwdd"]);
    let table = config(sandbox, &["show"], &bundle).succeeded();
    let line = |start: &str| table.lines().find(|line| line.starts_with(start)).unwrap();
    assert!(line("process.cwdd ").ends_with(" config.json: process.cwdd (ignored)"), "{table}");
    assert!(line("process.cwd ").ends_with(" config.json: process.cwd"), "{table}");
}

fn all_problems_are_listed(sandbox: &Sandbox<'_>) {
    let bundle = sandbox
        .bundle()
        .set("hostname", 7)
        .set("process.cwd", "tmp")
        .extension(json!({ "network": { "ipv4": { "mode": "on" }, "vnet": [] } }));
    let problems = problems(sandbox, &bundle);
    let places =
        ["process.cwd", "hostname"].map(|path| format!("config.json: {path}: ")).into_iter().chain(
            ["network.ipv4.mode", "network.vnet"].map(|path| format!("runj.ext.json: {path}: ")),
        );
    assert_eq!(problems.len(), 4, "{problems:#?}");
    for place in places {
        let found = problems.iter().filter(|problem| problem.starts_with(&place)).count();
        assert_eq!(found, 1, "{place}: {problems:#?}");
    }
}

fn what_create_would_refuse_is_found(sandbox: &Sandbox<'_>) {
    let bundle = sandbox
        .bundle()
        .without("process")
        .set("root.path", "nowhere")
        .set("hostname", "web")
        .set("freebsd.jail.host", "inherit")
        .extension(json!({ "network": {
            "ipv4": { "mode": "inherit", "addr": ["192.0.2.1"] },
            "ipv6": { "mode": "disable", "addr": ["2001:db8::1"] },
        } }));
    let bundle = bundle.mount(json!({ "type": "nullfs", "destination": "/x", "source": "/no/x" }));
    let index = bundle.mounts() - 1;
    let problems = problems(sandbox, &bundle);
    let places = [
        "config.json: process: ".to_owned(),
        "config.json: freebsd.jail.host: ".to_owned(),
        "config.json: root.path: ".to_owned(),
        format!("config.json: mounts[{index}].source: "),
        "runj.ext.json: network.ipv4.mode: ".to_owned(),
        "runj.ext.json: network.ipv6.mode: ".to_owned(),
    ];
    assert_eq!(problems.len(), places.len(), "{problems:#?}");
    for (problem, place) in problems.iter().zip(&places) {
        assert!(problem.starts_with(place), "{place}: {problem}");
    }
    // create says the same, in one line.
    let create = sandbox.runj(["create", "web", "--bundle"]).args([bundle.dir()]).run().refused();
    assert_eq!(create, problems.join("; "));
}

fn every_value_has_its_place(sandbox: &Sandbox<'_>) {
    let bundle = sandbox
        .bundle()
        .set("hostname", "web")
        .set("freebsd.jail.ip4", "new")
        .set("freebsd.jail.ip4Addr", json!(["192.0.2.1"]))
        .set("freebsd.jail.allow.rawSockets", false)
        .set("annotations", json!({ "org.freebsd.jail.sysvmsg": "new", "a b": "c" }))
        .extension(
            json!({ "network": { "ipv4": { "addr": ["192.0.2.2"] }, "resolvConf": "host" } }),
        );
    let shown = shown(sandbox, &bundle);
    let command = Bundle::probe_command(["wait"]);
    for (path, value, origin) in [
        ("hostname", json!("web"), Some("config.json: hostname")),
        ("process.args", json!(command), Some("config.json: process.args")),
        ("process.cwd", json!("/"), Some("config.json: process.cwd")),
        ("process.user.uid", json!(0), None),
        ("root.path", json!("rootfs"), None),
        ("resolvConf", json!("host"), Some("runj.ext.json: network.resolvConf")),
        ("jail.ip4", json!("new"), Some("config.json: freebsd.jail.ip4")),
        ("jail.ip4.addr[0]", json!("192.0.2.1"), Some("config.json: freebsd.jail.ip4Addr[0]")),
        ("jail.ip4.addr[1]", json!("192.0.2.2"), Some("runj.ext.json: network.ipv4.addr[0]")),
        (
            "jail.allow.raw_sockets",
            json!(false),
            Some("config.json: freebsd.jail.allow.rawSockets"),
        ),
        (
            "jail.sysvmsg",
            json!("new"),
            Some("config.json: annotations[\"org.freebsd.jail.sysvmsg\"]"),
        ),
        ("annotations[\"a b\"]", json!("c"), Some("config.json: annotations[\"a b\"]")),
    ] {
        assert_eq!(row(&shown, path), (&value, origin), "{path}");
    }

    let table = config(sandbox, &["show"], &bundle).succeeded();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let line = table.lines().find(|line| line.starts_with("jail.ip4.addr[1] ")).unwrap();
    let expected = words("jail.ip4.addr[1] 192.0.2.2 runj.ext.json: network.ipv4.addr[0]");
    assert_eq!(words(line), expected);
    assert!(!table.contains('\u{1b}'), "colours in a file: {table:?}");
}

fn the_jail_s_parameters_are_shown(sandbox: &Sandbox<'_>) {
    let bundle = sandbox
        .bundle()
        .set("hostname", "web")
        .set("freebsd.jail.allow.rawSockets", false)
        .mount(json!({ "type": "devfs", "destination": "/dev", "options": ["ruleset=5"] }))
        .ipv4(json!({ "addr": ["192.0.2.2"] }));
    let root = bundle.rootfs();
    assert_eq!(
        shown(sandbox, &bundle)["jailParameters"],
        json!({
            "path": root,
            "persist": true,
            "devfs_ruleset": 5,
            "host.hostname": "web",
            "ip4": "new",
            "ip4.addr": ["192.0.2.2"],
            "allow.raw_sockets": false,
            "sysvmsg": "new",
            "sysvsem": "new",
            "sysvshm": "new",
        })
    );
    let table = config(sandbox, &["show"], &bundle).succeeded();
    for line in ["persist;", "ip4.addr=192.0.2.2;", "allow.noraw_sockets;"] {
        assert!(table.contains(&format!("\n  {line}\n")), "{line}: {table}");
    }
}

fn show_needs_no_root_file_system(sandbox: &Sandbox<'_>) {
    let bundle = sandbox
        .bundle()
        .set("root.path", "/no/such/root")
        .mount(json!({ "type": "nullfs", "destination": "/x", "source": "/no/x" }));
    assert_eq!(shown(sandbox, &bundle)["jailParameters"]["path"], "/no/such/root");
}

fn show_refuses_what_is_wrong(sandbox: &Sandbox<'_>) {
    let bundle = sandbox.bundle().set("hostname", 7);
    let message = config(sandbox, &["show"], &bundle).refused();
    assert!(message.starts_with("config.json: hostname: 7 is not allowed"), "{message}");
    fs::remove_file(bundle.dir().join("config.json")).unwrap();
    config(sandbox, &["show"], &bundle).refused();
    config(sandbox, &["check"], &bundle);
}

fn the_shown_parameters_are_those_of_the_jail(sandbox: &Sandbox<'_>) {
    let bundle = sandbox
        .bundle()
        .set("hostname", "shown")
        .set("freebsd.jail.sysvshm", "new")
        .ipv4(json!({ "mode": "inherit" }));
    let shown = shown(sandbox, &bundle);
    let container = sandbox.create(&bundle);
    let jail = Jail::find(&container.id().parse().unwrap()).unwrap().expect("its jail");
    let kinds = [
        ("host.hostname", Kind::String),
        ("path", Kind::String),
        ("ip4", Kind::Jailsys),
        ("sysvshm", Kind::Jailsys),
        ("persist", Kind::Flag),
    ];
    for ((name, _), value) in kinds.iter().zip(jail.get(&kinds).unwrap()) {
        let value = match value {
            JailValue::String(text) => json!(text),
            JailValue::Jailsys(mode) => json!(mode.to_string()),
            JailValue::Flag(on) => json!(on),
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(shown["jailParameters"][name], value, "{name}");
    }
}
