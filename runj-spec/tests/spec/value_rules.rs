//! Each rule of each value, with the message that a user gets when it is broken.

use std::net::{Ipv4Addr, Ipv6Addr};

use runj_spec::{
    AllowParameter, Config, ContainerId, Error, Extension, FileSystemType, HostMode, InterfaceName,
    IpAddress, IpMode, LinuxLimit, LinuxResources, OciVersion, Process, RctlRule, SysvMode,
    VnetMode,
};
use serde_json::{Value, json};

/// The problems of a config.json that is right but for `property`.
fn problems_of(property: &str, value: Value) -> Vec<String> {
    let mut config = json!({"ociVersion": "1.3.0"});
    config[property] = value;
    problems(Config::parse(config.to_string().as_bytes(), "config.json"))
}

/// The problems of a `process` that is right but for `property`.
fn problems_of_process(property: &str, value: Value) -> Vec<String> {
    let mut process = json!({"args": ["sh"]});
    process[property] = value;
    problems_of("process", process)
}

/// The problems of a `freebsd.jail` with one property.
fn problems_of_jail(property: &str, value: Value) -> Vec<String> {
    problems_of("freebsd", json!({"jail": {property: value}}))
}

fn problems<T: std::fmt::Debug>(result: Result<T, Error>) -> Vec<String> {
    match result {
        Ok(_) => Vec::new(),
        Err(Error::Invalid(problems)) => problems.iter().map(ToString::to_string).collect(),
        Err(other) => panic!("not about a value: {other}"),
    }
}

/// Checks that `problems` are `expected`, each of which leaves out the `config.json: ` in front.
#[track_caller]
fn assert_problems(problems: &[String], expected: &[&str]) {
    let expected: Vec<_> = expected.iter().map(|text| format!("config.json: {text}")).collect();
    assert_eq!(problems, expected);
}

#[test]
fn a_document_is_an_object() {
    let parsed = Config::parse(b"[1]", "config.json");
    assert_problems(&problems(parsed), &["[1] is not allowed: expected an object"]);
}

#[test]
fn the_version_is_1_x() {
    const EXPECTED: &str = "expected a semantic version with major version 1, such as \"1.3.0\"";
    for version in ["1.0.0", "1.0.0-rc5", "1.0.2-dev", "1.2.1+dev", "1.3.0", "1.3.7", "1.14.0"] {
        assert_eq!(problems_of("ociVersion", json!(version)), [""; 0], "{version}");
        assert_eq!(version.parse::<OciVersion>().unwrap().to_string(), version);
    }
    for version in ["", "1", "1.3", "v1.3.0", "0.5.0", "2.0.0", "1.3.0 ", "01.3.0"] {
        assert_problems(
            &problems_of("ociVersion", json!(version)),
            &[&format!("ociVersion: \"{version}\" is not allowed: {EXPECTED}")],
        );
    }
    assert_problems(
        &problems_of("ociVersion", Value::Null),
        &["ociVersion: missing: expected a version such as \"1.3.0\""],
    );
}

#[test]
fn the_root_is_a_path() {
    assert_problems(
        &problems_of("root", json!({"path": "", "readonly": "yes"})),
        &[
            "root.path: \"\" is not allowed: expected a non-empty string without NUL bytes",
            "root.readonly: \"yes\" is not allowed: expected true or false",
        ],
    );
    assert_problems(
        &problems_of("root", json!({"path": "a\0b"})),
        &[r#"root.path: "a\u0000b" is not allowed: expected a non-empty string without NUL bytes"#],
    );
}

#[test]
fn ids_are_32_bits() {
    let range = "is not allowed: expected an integer from 0 to 4294967295";
    assert_problems(
        &problems_of_process(
            "user",
            json!({"uid": "root", "gid": -1, "additionalGids": [1, 4_294_967_296_u64, 1.5], "umask": 512}),
        ),
        &[
            &format!("process.user.uid: \"root\" {range}"),
            &format!("process.user.gid: -1 {range}"),
            "process.user.umask: 512 is not allowed: expected an integer from 0 to 511",
            &format!("process.user.additionalGids[1]: 4294967296 {range}"),
            &format!("process.user.additionalGids[2]: 1.5 {range}"),
        ],
    );
    let greatest = json!({"uid": u32::MAX, "gid": u32::MAX, "umask": 0o777});
    assert_eq!(problems_of_process("user", greatest), [""; 0]);
}

#[test]
fn a_process_has_a_program() {
    let expected = "expected a list of at least one string: the program and its arguments";
    assert_problems(
        &problems_of_process("args", Value::Null),
        &[&format!("process.args: missing: {expected}")],
    );
    assert_problems(
        &problems_of_process("args", json!([])),
        &[&format!("process.args: [] is not allowed: {expected}")],
    );
    assert_problems(
        &problems_of_process("args", json!("sh -c true")),
        &[&format!("process.args: \"sh -c true\" is not allowed: {expected}")],
    );
    assert_problems(
        &problems_of_process("args", json!(["sh", "a\0", 1])),
        &[
            r#"process.args[1]: "a\u0000" is not allowed: expected a string without NUL bytes"#,
            "process.args[2]: 1 is not allowed: expected a string without NUL bytes",
        ],
    );
}

#[test]
fn the_environment_is_made_of_variables() {
    let expected = "is not allowed: expected a variable such as \"NAME=value\" without NUL bytes";
    assert_problems(
        &problems_of_process("env", json!(["A=1", "PATH", "=x", "", "B=\0", "C=", "D==d"])),
        &[
            &format!("process.env[1]: \"PATH\" {expected}"),
            &format!("process.env[2]: \"=x\" {expected}"),
            &format!("process.env[3]: \"\" {expected}"),
            &format!(r#"process.env[4]: "B=\u0000" {expected}"#),
        ],
    );
}

#[test]
fn the_working_directory_is_absolute() {
    for cwd in ["", "tmp", "./", "/a\0"] {
        let shown = json!(cwd);
        assert_problems(
            &problems_of_process("cwd", json!(cwd)),
            &[&format!(
                "process.cwd: {shown} is not allowed: expected an absolute path without NUL bytes"
            )],
        );
    }
}

#[test]
fn the_console_size_counts_with_a_terminal_only() {
    let wrong = json!({"height": 65536, "width": -1});
    let process = json!({"args": ["sh"], "terminal": true, "consoleSize": wrong});
    assert_problems(
        &problems_of("process", process),
        &[
            "process.consoleSize.height: 65536 is not allowed: expected an integer from 0 to 65535",
            "process.consoleSize.width: -1 is not allowed: expected an integer from 0 to 65535",
        ],
    );
    let process = json!({"args": ["sh"], "terminal": true, "consoleSize": {"width": 80}});
    assert_problems(
        &problems_of("process", process),
        &["process.consoleSize.height: missing: expected a number of rows"],
    );
    assert_eq!(problems_of_process("consoleSize", wrong), [""; 0]);
}

#[test]
fn a_resource_is_limited_once_and_softly_first() {
    let limits = json!([
        {"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 1024},
        {"type": "RLIMIT_SBSIZE", "soft": 2, "hard": 1},
        {"type": "RLIMIT_NOFILE", "soft": 0, "hard": u64::MAX},
        {"soft": "unlimited"},
    ]);
    let range = "expected an integer from 0 to 18446744073709551615";
    assert_problems(
        &problems_of_process("rlimits", limits),
        &[
            "process.rlimits[1].soft: 2 is not allowed: expected at most the hard limit, 1",
            "process.rlimits[2].type: \"RLIMIT_NOFILE\" is not allowed: expected no duplicate of process.rlimits[0].type",
            "process.rlimits[3].type: missing: expected a resource such as \"RLIMIT_NOFILE\"",
            &format!("process.rlimits[3].soft: \"unlimited\" is not allowed: {range}"),
            "process.rlimits[3].hard: missing: expected an integer",
        ],
    );
}

#[test]
fn names_fit_the_kernel() {
    let longest = "a".repeat(255);
    for property in ["hostname", "domainname"] {
        assert_eq!(problems_of(property, json!(longest)), [""; 0]);
        assert_problems(
            &problems_of(property, json!("a\0")),
            &[&format!(
                "{property}: \"a\\u0000\" is not allowed: expected at most 255 bytes without NUL"
            )],
        );
    }
    // 256 bytes, though 255 characters.
    let too_long = format!("ä{}", "a".repeat(254));
    assert_problems(
        &problems_of("hostname", json!(too_long)),
        &[&format!(
            "hostname: \"ä{}… is not allowed: expected at most 255 bytes without NUL",
            "a".repeat(97)
        )],
    );
}

#[test]
fn mounts_have_a_destination() {
    let path = "is not allowed: expected a non-empty string without NUL bytes";
    assert_problems(
        &problems_of(
            "mounts",
            json!([
                {"type": "tmpfs"},
                {"destination": "", "type": ""},
                {"destination": "/a\0", "source": "\0", "options": ["ro", "\0"]},
                "/dev",
            ]),
        ),
        &[
            "mounts[0].destination: missing: expected a path in the container",
            &format!("mounts[1].destination: \"\" {path}"),
            &format!("mounts[1].type: \"\" {path}"),
            &format!(r#"mounts[2].destination: "/a\u0000" {path}"#),
            r#"mounts[2].source: "\u0000" is not allowed: expected a string without NUL bytes"#,
            r#"mounts[2].options[1]: "\u0000" is not allowed: expected a string without NUL bytes"#,
            "mounts[3]: \"/dev\" is not allowed: expected an object",
        ],
    );
}

#[test]
fn hooks_are_absolute_paths_with_time() {
    let hooks = json!({
        "prestart": [{"path": "true"}],
        "createRuntime": [{}],
        "createContainer": [{"path": "/a", "timeout": 0}],
        "startContainer": [{"path": "/a", "env": ["A"]}],
        "poststart": [{"path": "/a", "args": "a"}],
        "poststop": {},
    });
    assert_problems(
        &problems_of("hooks", hooks),
        &[
            "hooks.prestart[0].path: \"true\" is not allowed: expected an absolute path without NUL bytes",
            "hooks.createRuntime[0].path: missing: expected the absolute path of a program",
            "hooks.createContainer[0].timeout: 0 is not allowed: expected an integer from 1 to 4294967295",
            "hooks.startContainer[0].env[0]: \"A\" is not allowed: expected a variable such as \"NAME=value\" without NUL bytes",
            "hooks.poststart[0].args: \"a\" is not allowed: expected a list of strings",
            "hooks.poststop: {} is not allowed: expected a list of objects",
        ],
    );
}

#[test]
fn annotations_are_texts() {
    assert_problems(
        &problems_of("annotations", json!({"": "a", "b": 1, "c.d": null, "e": ""})),
        &[
            r#"annotations[""]: "a" is not allowed: expected a key that is not empty"#,
            "annotations.b: 1 is not allowed: expected a string",
            r#"annotations["c.d"]: null is not allowed: expected a string"#,
        ],
    );
}

#[test]
fn devices_stay_in_dev() {
    let expected = "expected a path relative to /dev, such as \"pf\", without \"..\" or NUL bytes";
    let devices: Vec<_> = ["/dev/pf", "..", "a/../b", "a//b", "", "./a", "a\0"]
        .iter()
        .map(|path| json!({"path": path}))
        .collect();
    let problems = problems_of("freebsd", json!({"devices": devices}));
    let expected: Vec<_> = devices
        .iter()
        .enumerate()
        .map(|(index, device)| {
            format!(
                "config.json: freebsd.devices[{index}].path: {} is not allowed: {expected}",
                device["path"]
            )
        })
        .collect();
    assert_eq!(problems, expected);
    assert_problems(
        &problems_of("freebsd", json!({"devices": [{"path": "dri/card0", "mode": "0700"}]})),
        &["freebsd.devices[0].mode: \"0700\" is not allowed: expected an integer from 0 to 511"],
    );
}

#[test]
fn modes_are_the_words_of_the_specification() {
    let with_disable = r#"expected one of "inherit", "new", "disable""#;
    let without = r#"expected one of "inherit", "new""#;
    for (property, expected) in [
        ("host", without),
        ("ip4", with_disable),
        ("ip6", with_disable),
        ("vnet", without),
        ("sysvmsg", with_disable),
        ("sysvsem", with_disable),
        ("sysvshm", with_disable),
    ] {
        for value in [json!("bridge"), json!(""), json!("New"), json!(1)] {
            assert_problems(
                &problems_of_jail(property, value.clone()),
                &[&format!("freebsd.jail.{property}: {value} is not allowed: {expected}")],
            );
        }
    }
    assert_eq!("disable".parse(), Ok(IpMode::Disable));
    assert_eq!("disable".parse(), Ok(SysvMode::Disable));
    assert_eq!(
        "disable".parse::<VnetMode>().unwrap_err().to_string(),
        format!("\"disable\" is not allowed: {without}")
    );
    assert!("disable".parse::<HostMode>().is_err());
}

#[test]
fn the_extension_names_itself() {
    let text = json!({"network": {"ipv4": {"mode": "bridge"}, "vnet": {"mode": "disable"}}});
    let parsed = Extension::parse(text.to_string().as_bytes(), "runj.ext.json");
    assert_eq!(
        parsed.unwrap_err().to_string(),
        r#"runj.ext.json: network.ipv4.mode: "bridge" is not allowed: expected one of "inherit", "new", "disable"; runj.ext.json: network.vnet.mode: "disable" is not allowed: expected one of "inherit", "new""#
    );
}

#[test]
fn a_process_of_its_own_names_its_file() {
    let error = Process::parse(br#"{"args": [], "cwd": "x"}"#, "process.json").unwrap_err();
    assert_eq!(
        error.to_string(),
        "process.json: args: [] is not allowed: expected a list of at least one string: the program and its arguments; process.json: cwd: \"x\" is not allowed: expected an absolute path without NUL bytes"
    );
    let process = Process::parse(br#"{"args": ["sh"]}"#, "process.json").unwrap();
    assert_eq!((process.cwd.as_str(), process.user.uid, process.user.gid), ("/", 0, 0));
}

#[test]
fn addresses_are_what_a_jail_can_have() {
    for legal in ["192.0.2.1", "10.0.0.1/8", "127.0.0.1/32", "0.0.0.1/0"] {
        assert_eq!(legal.parse::<IpAddress<Ipv4Addr>>().unwrap().to_string(), legal);
    }
    for wrong in [
        "",
        "one",
        "0.0.0.0",
        "255.255.255.255",
        "0.0.0.0/0",
        "10.0.0",
        "10.0.0.01",
        "10.0.0.1/33",
        "10.0.0.1/",
        "10.0.0.1/+8",
        "10.0.0.1/08",
        "10.0.0.1/255.0.0.0",
        " 10.0.0.1",
        "::1",
        "lo1|10.0.0.1",
        "10.0.0.1,10.0.0.2",
    ] {
        assert_problems(
            &problems_of_jail("ip4Addr", json!([wrong])),
            &[&format!(
                "freebsd.jail.ip4Addr[0]: \"{wrong}\" is not allowed: expected an IPv4 address other than 0.0.0.0 and 255.255.255.255, optionally with a prefix length from 0 to 32, such as \"192.0.2.1\" or \"192.0.2.1/24\""
            )],
        );
    }
    for legal in ["::1", "2001:db8::1/64", "fe80::1/128", "::ffff:192.0.2.1"] {
        assert_eq!(legal.parse::<IpAddress<Ipv6Addr>>().unwrap().to_string(), legal);
    }
    for wrong in ["", "::", "::/0", "::1/129", "fe80::1%lo0", "[::1]", "10.0.0.1"] {
        assert_problems(
            &problems_of_jail("ip6Addr", json!(wrong)),
            &[&format!(
                "freebsd.jail.ip6Addr: \"{wrong}\" is not allowed: expected an IPv6 address other than ::, optionally with a prefix length from 0 to 128, such as \"2001:db8::1\" or \"2001:db8::1/64\""
            )],
        );
    }
}

#[test]
fn lists_have_no_duplicates() {
    assert_problems(
        &problems_of_jail("ip4Addr", json!(["10.0.0.1", "10.0.0.2", "10.0.0.1/24"])),
        &[
            "freebsd.jail.ip4Addr[2]: \"10.0.0.1/24\" is not allowed: expected no duplicate of freebsd.jail.ip4Addr[0]",
        ],
    );
    // One address in two spellings.
    assert_problems(
        &problems_of_jail("ip6Addr", json!(["::1", "0:0::1"])),
        &[
            "freebsd.jail.ip6Addr[1]: \"0:0::1\" is not allowed: expected no duplicate of freebsd.jail.ip6Addr[0]",
        ],
    );
    assert_problems(
        &problems_of_jail("vnetInterfaces", json!(["epair0b", "epair0b"])),
        &[
            "freebsd.jail.vnetInterfaces[1]: \"epair0b\" is not allowed: expected no duplicate of freebsd.jail.vnetInterfaces[0]",
        ],
    );
    let annotations = json!({"org.freebsd.jail.ip4.addr": "10.0.0.1,10.0.0.1/8"});
    assert_problems(
        &problems_of("annotations", annotations),
        &[
            r#"annotations["org.freebsd.jail.ip4.addr"]: "10.0.0.1/8" is not allowed: expected no duplicate of annotations["org.freebsd.jail.ip4.addr"]"#,
        ],
    );
}

#[test]
fn interfaces_have_names() {
    let expected = "expected the name of a network interface: 1 to 15 bytes without '/', white space or control characters";
    for legal in ["lo0", "epair0b", "a", "fifteen-bytes-1", "äääääääa"] {
        assert_eq!(legal.parse::<InterfaceName>().unwrap().to_string(), legal);
    }
    for wrong in ["", "a/b", "a b", "a\t", "a\0", "a\u{a0}b", "sixteen-bytes-16", "ääääääää"]
    {
        assert!(wrong.parse::<InterfaceName>().is_err(), "{wrong:?}");
    }
    assert_problems(
        &problems_of_jail("interface", json!("a/b")),
        &[&format!("freebsd.jail.interface: \"a/b\" is not allowed: {expected}")],
    );
    assert_problems(
        &problems_of_jail("interface", json!(["lo0", "lo1"])),
        &[&format!("freebsd.jail.interface: [\"lo0\",\"lo1\"] is not allowed: {expected}")],
    );
    assert_problems(
        &problems_of_jail("vnetInterfaces", json!({})),
        &["freebsd.jail.vnetInterfaces: {} is not allowed: expected a list of network interfaces"],
    );
}

#[test]
fn enforce_statfs_is_0_1_or_2() {
    for value in [json!(3), json!(-1), json!("2"), json!(1.0), json!(true)] {
        assert_problems(
            &problems_of_jail("enforceStatfs", value.clone()),
            &[&format!(
                "freebsd.jail.enforceStatfs: {value} is not allowed: expected an integer from 0 to 2"
            )],
        );
    }
}

#[test]
fn a_parent_has_a_name() {
    for wrong in ["", "a\0", &"a".repeat(256)] {
        let problems = problems_of_jail("parent", json!(wrong));
        assert_eq!(problems.len(), 1, "{wrong:?}");
        assert!(
            problems[0].ends_with(
                "is not allowed: expected the name of a jail: 1 to 255 bytes without NUL"
            ),
            "{problems:?}"
        );
    }
}

#[test]
fn permissions_are_switches() {
    assert_problems(
        &problems_of_jail(
            "allow",
            json!({"rawSockets": "true", "suser": 1, "mount": ["a b", "nodevfs", 1]}),
        ),
        &[
            "freebsd.jail.allow.rawSockets: \"true\" is not allowed: expected true or false",
            "freebsd.jail.allow.mount[0]: \"a b\" is not allowed: expected the name of a file system type such as \"tmpfs\": 1 to 15 letters, digits or '_'",
            "freebsd.jail.allow.mount[1]: \"nodevfs\" is not allowed: expected the name of a file system type such as \"tmpfs\": 1 to 15 letters, digits or '_'",
            "freebsd.jail.allow.mount[2]: 1 is not allowed: expected the name of a file system type such as \"tmpfs\": 1 to 15 letters, digits or '_'",
            "freebsd.jail.allow.suser: 1 is not allowed: expected true or false",
        ],
    );
    assert_problems(
        &problems_of_jail("allow", json!({"mount": 1})),
        &[
            "freebsd.jail.allow.mount: 1 is not allowed: expected a list of file system types, true or false",
        ],
    );
}

#[test]
fn permission_names_have_the_form_of_parameters() {
    for legal in ["raw_sockets", "mount.nullfs", "mount", "nfsd", "a.b.c", "mount.nullfs2"] {
        assert!(legal.parse::<AllowParameter>().is_ok(), "{legal}");
    }
    for wrong in ["", ".", "a.", ".a", "a..b", "a b", "a=b", "noraw_sockets", "mount.nonullfs"] {
        assert!(wrong.parse::<AllowParameter>().is_err(), "{wrong}");
    }
    for wrong in ["", "mount.nullfs", "a/b", "sixteen_bytes_16"] {
        assert!(wrong.parse::<FileSystemType>().is_err(), "{wrong}");
    }
}

#[test]
fn known_annotations_are_checked() {
    let annotations = json!({
        "org.freebsd.jail.allow.mlock": "yes",
        "org.freebsd.jail.allow.nomlock": "true",
        "org.freebsd.jail.ip4.addr": "10.0.0.1,one",
        "org.freebsd.jail.sysvmsg": "no",
        "org.freebsd.jail.vnet": "disable",
        "org.freebsd.parentJail": "",
        "org.freebsd.jail.what": "ever",
        "org.freebsd.jail.ip4": "what",
    });
    assert_problems(
        &problems_of("annotations", annotations),
        &[
            r#"annotations["org.freebsd.jail.allow.mlock"]: "yes" is not allowed: expected one of "true", "1", "false", "0""#,
            r#"annotations["org.freebsd.jail.allow.nomlock"]: "nomlock" is not allowed: expected the name of an allow parameter of jail(8) without the "allow.", such as "raw_sockets""#,
            r#"annotations["org.freebsd.jail.ip4"]: "what" is not allowed: expected one of "inherit", "new", "disable""#,
            r#"annotations["org.freebsd.jail.ip4.addr"]: "one" is not allowed: expected an IPv4 address other than 0.0.0.0 and 255.255.255.255, optionally with a prefix length from 0 to 32, such as "192.0.2.1" or "192.0.2.1/24""#,
            r#"annotations["org.freebsd.jail.sysvmsg"]: "no" is not allowed: expected one of "inherit", "new", "disable""#,
            r#"annotations["org.freebsd.jail.vnet"]: "disable" is not allowed: expected one of "inherit", "new""#,
            r#"annotations["org.freebsd.parentJail"]: "" is not allowed: expected the name of a jail: 1 to 255 bytes without NUL"#,
        ],
    );
}

#[test]
fn a_container_id_says_what_it_may_be() {
    assert_eq!(
        "a/b".parse::<ContainerId>().unwrap_err().to_string(),
        "\"a/b\" is not allowed: expected a container id of 1 to 255 bytes: letters, digits, '_', '.', '+' or '-', starting with a letter, a digit or '_'"
    );
}

#[test]
fn many_problems_are_counted() {
    let env: Vec<_> = (0..1000).collect();
    let process = json!({"args": ["sh"], "env": env}).to_string();
    let error = Process::parse(process.as_bytes(), "process.json").unwrap_err().to_string();
    assert!(error.starts_with("process.json: env[0]: 0 is not allowed"));
    assert!(error.ends_with("; and 900 more"));
    assert!(error.contains("env[99]") && !error.contains("env[100]"));
}

/// The problems of a `linux.resources` with one property of one object.
fn problems_of_resources(object: &str, property: &str, value: Value) -> Vec<String> {
    problems_of("linux", json!({"resources": {object: {property: value}}}))
}

#[test]
fn a_limit_is_a_number_and_may_be_none() {
    for (object, property) in
        [("memory", "limit"), ("memory", "swap"), ("cpu", "quota"), ("pids", "limit")]
    {
        for value in [json!(-1), json!(0), json!(1), json!(i64::MAX)] {
            assert_eq!(problems_of_resources(object, property, value), [""; 0]);
        }
        for value in [json!(-2), json!(1.5), json!(u64::MAX), json!("1")] {
            let expected = format!(
                "linux.resources.{object}.{property}: {value} is not allowed: expected an integer \
                 from 1 to 9223372036854775807, or -1 for no limit"
            );
            let problems = problems_of_resources(object, property, value);
            assert_problems(&problems, &[&expected]);
        }
    }
    assert_eq!(problems_of_resources("cpu", "period", json!(u64::MAX)), [""; 0]);
    assert_eq!(problems_of_resources("cpu", "period", json!(-1)).len(), 1);
    assert_eq!(problems_of_resources("cpu", "cpus", json!(1)).len(), 1);

    let limit = |limit| LinuxLimit::new(limit).unwrap().get();
    assert_eq!([limit(-1), limit(0), limit(7)], [None, None, Some(7)]);
    // The largest that Linux has, in whole pages, is its word for none.
    let none = i64::MAX - 4095;
    assert_eq!(
        [limit(none - 1), limit(none), limit(i64::MAX)],
        [u64::try_from(none - 1).ok(), None, None]
    );
    assert_eq!(LinuxLimit::new(-2), None);
}

#[test]
fn a_rule_has_the_form_of_a_rule() {
    for rule in ["maxproc:deny=1", "a:sigusr1=1k/user", "a:b=00", "memoryuse:deny=512M"] {
        assert_eq!(problems_of("freebsd", json!({"rctl": [rule]})), [""; 0]);
        assert_eq!(rule.parse::<RctlRule>().unwrap().to_string(), rule);
    }
    for rule in [
        "",
        "maxproc",
        "maxproc:deny",
        "maxproc:deny=",
        "maxproc:deny=k",
        "maxproc:deny=-1",
        "maxproc:deny=1kb",
        "maxproc:deny=1/",
        ":deny=1",
        "maxproc:=1",
        "Maxproc:deny=1",
        "jail:web:maxproc:deny=1",
        "maxproc:deny=1 ",
        "maxproc:sig3=1",
    ] {
        let problems = problems_of("freebsd", json!({"rctl": [rule]}));
        let expected = format!(
            "config.json: freebsd.rctl[0]: {} is not allowed: expected a rule of rctl(8)",
            json!(rule)
        );
        assert!(problems.len() == 1 && problems[0].starts_with(&expected), "{problems:?}");
        assert!(rule.parse::<RctlRule>().is_err());
    }
    assert_problems(
        &problems_of("freebsd", json!({"rctl": ["a:b=1", "a:b=2", "a:b=1"]})),
        &["freebsd.rctl[2]: \"a:b=1\" is not allowed: expected no duplicate of freebsd.rctl[0]"],
    );
}

#[test]
fn newer_limits_overlay_older_ones() {
    let parse =
        |value: Value| LinuxResources::parse(value.to_string().as_bytes(), "resources").unwrap();
    let old = json!({
        "memory": {"limit": 1, "swap": 2, "reservation": 3},
        "cpu": {"quota": 4, "cpus": "0"},
        "blockIO": {"weight": 5},
    });
    let new = json!({"memory": {"swap": -1}, "cpu": {"period": 6}, "pids": {"limit": 7}});
    let both = json!({
        "memory": {"limit": 1, "swap": -1, "reservation": 3},
        "cpu": {"quota": 4, "period": 6, "cpus": "0"},
        "pids": {"limit": 7},
        "blockIO": {"weight": 5},
    });
    assert_eq!(parse(old.clone()).updated(parse(new)), parse(both));
    assert_eq!(parse(old.clone()).updated(parse(json!({}))), parse(old.clone()));
    assert_eq!(parse(json!({})).updated(parse(old.clone())), parse(old));
}
