//! `runj demo download`, from a mirror of the test's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use runj_tests::{Invocation, Mirror, Request, Sandbox, Served, copy_program};

use crate::case::cases;

cases![
    it_comes_whole: Nothing,
    it_goes_on_where_it_was_cut: Nothing,
    a_file_that_has_changed_is_fetched_anew: Nothing,
    a_server_that_gives_no_parts_gives_all_of_it: Nothing,
    what_is_whole_already_is_not_fetched: Nothing,
    another_file_is_left_alone: Nothing,
    a_wrong_checksum_leaves_nothing: Nothing,
    a_release_that_the_mirror_lacks: Nothing,
    a_host_that_is_no_release: Nothing,
    a_mirror_that_nobody_answers_at: Nothing,
    a_full_disk_leaves_what_there_is: Nothing,
    it_comes_by_tls_from_whom_the_host_trusts: Tls,
    nothing_comes_by_tls_from_anybody_else: Tls,
    the_bar_is_for_terminals: Nothing,
    without_its_program_it_says_so: Nothing,
];

const DIRECTORY: &str = "/amd64/amd64/14.3-RELEASE";
const FILE: &str = "/amd64/amd64/14.3-RELEASE/base.txz";
const TAG: (&str, &str) = ("ETag", "\"first\"");

/// Bytes of which no two places look the same.
fn content(length: usize) -> Vec<u8> {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(7), next).map(|state| state.to_be_bytes()[0]).take(length).collect()
}

/// A mirror with that file and its checksum.
fn mirror(content: &[u8]) -> Mirror {
    filled(Mirror::start(), content)
}

fn filled(mirror: Mirror, content: &[u8]) -> Mirror {
    mirror.give_manifest(DIRECTORY, content);
    mirror.give(FILE, whole(content));
    mirror
}

fn whole(content: &[u8]) -> Served {
    Served { content: content.to_vec(), validator: Some(TAG), parts: true, cut: None }
}

fn download(sandbox: &Sandbox<'_>, mirror: &Mirror) -> Invocation {
    let flags = ["--release", "14.3", "--arch", "amd64", "--mirror", &mirror.url()];
    sandbox.runj(["demo", "download"]).args(flags)
}

fn output(sandbox: &Sandbox<'_>) -> PathBuf {
    sandbox.path().join("base.txz")
}

/// What of it is there beside the file.
fn parts(sandbox: &Sandbox<'_>) -> Vec<String> {
    let names = fs::read_dir(sandbox.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("base.txz.")).collect()
}

#[track_caller]
fn assert_whole(sandbox: &Sandbox<'_>, content: &[u8]) {
    assert!(fs::read(output(sandbox)).unwrap() == content);
    assert_eq!(parts(sandbox), [""; 0]);
}

/// Downloads the first bytes, and no more come.
#[track_caller]
fn cut_after(sandbox: &Sandbox<'_>, mirror: &Mirror, content: &[u8], bytes: usize) {
    mirror.give(FILE, Served { cut: Some(bytes), ..whole(content) });
    let message = download(sandbox, mirror).run().refused();
    let part = output(sandbox).with_extension("txz.part");
    assert!(message.contains("base.txz.part\", and the same command goes on"), "{message}");
    assert!(fs::read(part).unwrap() == content[..bytes]);
    assert!(!output(sandbox).exists());
    let _ = mirror.requests();
}

fn it_comes_whole(sandbox: &Sandbox<'_>) {
    let content = content(300_001);
    let mirror = mirror(&content);
    download(sandbox, &mirror).run().succeeded_silently();
    assert_whole(sandbox, &content);
    // Elsewhere, with the flags that the runj in Go has.
    let elsewhere = sandbox.path().join("rootfs.txz");
    let flags = ["-v", "14.3-RELEASE", "-a", "amd64", "--mirror", &mirror.url(), "-o"];
    let call = sandbox.runj(["demo", "download"]).args(flags).args([&elsewhere]);
    call.run().succeeded_silently();
    assert!(fs::read(elsewhere).unwrap() == content);
}

fn it_goes_on_where_it_was_cut(sandbox: &Sandbox<'_>) {
    let content = content(300_001);
    let mirror = mirror(&content);
    cut_after(sandbox, &mirror, &content, 100_000);
    mirror.give(FILE, Served { cut: Some(50_000), ..whole(&content) });
    download(sandbox, &mirror).run().refused();
    let asked = |first: &str| Request {
        path: FILE.into(),
        range: Some(format!("bytes={first}-")),
        if_range: Some(TAG.1.into()),
    };
    assert_eq!(mirror.requests()[1..], [asked("100000")]);
    mirror.give(FILE, whole(&content));
    download(sandbox, &mirror).run().succeeded_silently();
    assert_eq!(mirror.requests()[1..], [asked("150000")]);
    assert_whole(sandbox, &content);
}

fn a_file_that_has_changed_is_fetched_anew(sandbox: &Sandbox<'_>) {
    let [old, new] = [content(300_001), content(200_003).into_iter().rev().collect()];
    let mirror = mirror(&old);
    // As the MANIFEST tells.
    cut_after(sandbox, &mirror, &old, 100_000);
    mirror.give_manifest(DIRECTORY, &new);
    mirror.give(FILE, whole(&new));
    download(sandbox, &mirror).run().succeeded_silently();
    assert_eq!(mirror.requests()[1].range, None);
    assert_whole(sandbox, &new);

    // As the server tells, by the tag or by the time.
    for (before, after) in [
        (TAG, ("ETag", "\"second\"")),
        (
            ("Last-Modified", "Fri, 07 Apr 2023 03:14:15 GMT"),
            ("Last-Modified", "Sat, 08 Apr 2023 03:14:15 GMT"),
        ),
    ] {
        fs::remove_file(output(sandbox)).unwrap();
        mirror.give(FILE, Served { validator: Some(before), cut: Some(70_000), ..whole(&old) });
        download(sandbox, &mirror).run().refused();
        mirror.give(FILE, Served { validator: Some(after), ..whole(&new) });
        let _ = mirror.requests();
        download(sandbox, &mirror).run().succeeded_silently();
        assert_eq!(mirror.requests()[1].if_range.as_deref(), Some(before.1));
        assert_whole(sandbox, &new);
    }
}

fn a_server_that_gives_no_parts_gives_all_of_it(sandbox: &Sandbox<'_>) {
    let content = content(300_001);
    let mirror = mirror(&content);
    cut_after(sandbox, &mirror, &content, 100_000);
    mirror.give(FILE, Served { parts: false, ..whole(&content) });
    download(sandbox, &mirror).run().succeeded_silently();
    assert_whole(sandbox, &content);

    // One by which nothing can be told is not asked for parts. Nor is one with a weak tag.
    for validator in [None, Some(("ETag", "W/\"first\""))] {
        fs::remove_file(output(sandbox)).unwrap();
        mirror.give(FILE, Served { validator, cut: Some(100_000), ..whole(&content) });
        download(sandbox, &mirror).run().refused();
        mirror.give(FILE, Served { validator, ..whole(&content) });
        let _ = mirror.requests();
        download(sandbox, &mirror).run().succeeded_silently();
        assert_eq!(mirror.requests()[1], Request { path: FILE.into(), ..Request::default() });
        assert_whole(sandbox, &content);
    }
}

fn what_is_whole_already_is_not_fetched(sandbox: &Sandbox<'_>) {
    let content = content(300_001);
    let mirror = mirror(&content);
    download(sandbox, &mirror).run().succeeded_silently();
    let _ = mirror.requests();
    download(sandbox, &mirror).run().succeeded_silently();
    let paths: Vec<_> = mirror.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, [format!("{DIRECTORY}/MANIFEST")]);

    // Nor is what was whole when its download was killed before it had its name.
    fs::rename(output(sandbox), sandbox.path().join("whole")).unwrap();
    cut_after(sandbox, &mirror, &content, 100_000);
    fs::copy(sandbox.path().join("whole"), output(sandbox).with_extension("txz.part")).unwrap();
    mirror.give(FILE, whole(&content));
    download(sandbox, &mirror).run().succeeded_silently();
    assert_whole(sandbox, &content);
}

fn another_file_is_left_alone(sandbox: &Sandbox<'_>) {
    let mirror = mirror(&content(1000));
    fs::write(output(sandbox), "mine").unwrap();
    let message = download(sandbox, &mirror).run().refused();
    let expected = "--output: \"base.txz\" is there already, and is not base.txz of 14.3-RELEASE";
    assert_eq!(message, expected);
    assert_eq!(fs::read_to_string(output(sandbox)).unwrap(), "mine");
}

fn a_wrong_checksum_leaves_nothing(sandbox: &Sandbox<'_>) {
    let right = content(300_001);
    let mirror = mirror(&right);
    let mut wrong = right.clone();
    wrong[200_000] ^= 1;
    mirror.give(FILE, whole(&wrong));
    let message = download(sandbox, &mirror).run().refused();
    assert!(message.contains("MANIFEST says"), "{message}");
    assert!(!output(sandbox).exists());
    assert_eq!(parts(sandbox), [""; 0]);
    // Also if the wrong byte is in what was there before.
    mirror.give(FILE, Served { cut: Some(250_000), ..whole(&wrong) });
    download(sandbox, &mirror).run().refused();
    mirror.give(FILE, whole(&right));
    download(sandbox, &mirror).run().refused();
    assert_eq!(parts(sandbox), [""; 0]);
    download(sandbox, &mirror).run().succeeded_silently();
    assert_whole(sandbox, &right);
}

fn a_release_that_the_mirror_lacks(sandbox: &Sandbox<'_>) {
    let mirror = Mirror::start();
    let refused = || download(sandbox, &mirror).run().refused();
    let url = mirror.url();
    assert_eq!(refused(), format!("{url}{DIRECTORY}/MANIFEST: the server has no such file"));
    let manifest = "kernel.txz\tabc\t1\n".into();
    let manifest = Served { content: manifest, ..Served::default() };
    mirror.give(&format!("{DIRECTORY}/MANIFEST"), manifest);
    assert_eq!(refused(), format!("{url}{DIRECTORY}/MANIFEST: it has no checksum of base.txz"));
    mirror.give_manifest(DIRECTORY, b"x");
    assert_eq!(refused(), format!("{url}{FILE}: the server has no such file"));
    assert!(!output(sandbox).exists());
}

fn a_mirror_that_nobody_answers_at(sandbox: &Sandbox<'_>) {
    let mirror = Mirror::start();
    let call = download(sandbox, &mirror);
    let url = mirror.url();
    drop(mirror);
    let message = call.run().refused();
    assert!(message.starts_with(&format!("{url}{DIRECTORY}/MANIFEST: ")), "{message}");
}

fn a_full_disk_leaves_what_there_is(sandbox: &Sandbox<'_>) {
    let content = content(300_001);
    let mirror = mirror(&content);
    // No file may be greater: 256 blocks of 512 bytes.
    let line = "trap '' XFSZ; ulimit -f 256; exec \"$@\"";
    let full = Command::new("sh")
        .args(["-c", line, "sh"])
        .arg(sandbox.runj_program())
        .args(["demo", "download", "--release=14.3", "--arch=amd64", "--mirror", &mirror.url()])
        .current_dir(sandbox.path())
        .output()
        .unwrap();
    let message = String::from_utf8(full.stderr).unwrap();
    assert!(message.contains("the same command goes on from there: File too large"), "{message}");
    assert!(!output(sandbox).exists());
    download(sandbox, &mirror).run().succeeded_silently();
    assert_eq!(mirror.requests()[3].range.as_deref(), Some("bytes=131072-"));
    assert_whole(sandbox, &content);
}

fn the_bar_is_for_terminals(sandbox: &Sandbox<'_>) {
    let content = content(3_000_001);
    let mirror = mirror(&content);
    let call = download(sandbox, &mirror).env("TERM", "xterm");
    let (shown, outcome) = call.run_at_terminal();
    assert_eq!(outcome.code(), 0, "{shown}");
    assert!(shown.contains("MiB") && shown.contains("left"), "{shown:?}");
    assert_whole(sandbox, &content);
    // It is gone in the end, and elsewhere it never was.
    assert!(!shown.ends_with("left"), "{shown:?}");
    fs::remove_file(output(sandbox)).unwrap();
    download(sandbox, &mirror).run().succeeded_silently();
}

fn without_its_program_it_says_so(sandbox: &Sandbox<'_>) {
    let alone = sandbox.path().join("alone");
    fs::create_dir(&alone).unwrap();
    let runj = alone.join("runj");
    copy_program(&sandbox.runj_program(), &runj);
    let download = |path: &Path, flags: &[&str]| {
        let mut command = Command::new(&runj);
        command.args(["demo", "download"]).args(flags).env("PATH", path).output().unwrap()
    };
    let output = download(&alone, &[]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(message.starts_with("runj: runj-demo: not installed"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    // Its help needs none.
    let help = sandbox.runj(["demo", "download", "--help"]).run().succeeded();
    assert!(help.contains("--mirror <URL>"), "{help}");
    // In PATH it is found.
    let demo = sandbox.runj_program().with_file_name("runj-demo");
    let bin = sandbox.path().join("bin");
    fs::create_dir(&bin).unwrap();
    copy_program(&demo, &bin.join("runj-demo"));
    let output = download(&bin, &["--release=1", "--mirror=ftp://example.org"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("ftp://example.org/"), "{message}");
}

fn a_host_that_is_no_release(sandbox: &Sandbox<'_>) {
    let mirror = "http://127.0.0.1:1";
    let message = sandbox.runj(["demo", "download", "--mirror", mirror]).run().refused();
    if cfg!(target_os = "freebsd") {
        // It takes its own, if it has one.
        let known = message.contains(mirror) || message.contains("such as --release 14.3");
        assert!(known, "{message}");
    } else {
        assert!(message.starts_with("--release: missing: this host (Linux "), "{message}");
        assert!(message.ends_with("say which one, such as --release 14.3"), "{message}");
    }
}

/// A download from `https://NAME`, on a host that trusts those authorities and no others.
fn by_tls(sandbox: &Sandbox<'_>, mirror: &Mirror, name: &str, authorities: &str) -> Invocation {
    let trusted = sandbox.path().join("authorities.pem");
    fs::write(&trusted, authorities).unwrap();
    let url = format!("https://{name}:{}", mirror.port());
    let flags = ["--release", "14.3", "--arch", "amd64", "--mirror", &url];
    let call = sandbox.runj(["demo", "download"]).args(flags);
    call.env("SSL_CERT_FILE", trusted).without_env("SSL_CERT_DIR")
}

fn it_comes_by_tls_from_whom_the_host_trusts(sandbox: &Sandbox<'_>) {
    let content = content(300_001);
    let mirror = filled(Mirror::start_with_tls(), &content);
    by_tls(sandbox, &mirror, "localhost", Mirror::AUTHORITY).run().succeeded_silently();
    assert_whole(sandbox, &content);
}

fn nothing_comes_by_tls_from_anybody_else(sandbox: &Sandbox<'_>) {
    let mirror = filled(Mirror::start_with_tls(), &content(300_001));
    let other = include_str!("download/another-authority.pem");
    for (name, authorities, reason) in [
        ("localhost", other, "UnknownIssuer"),
        ("127.0.0.1", Mirror::AUTHORITY, "not valid for name"),
        ("localhost", "", "no trusted certificates"),
    ] {
        let message = by_tls(sandbox, &mirror, name, authorities).run().refused();
        assert!(message.contains(reason), "{name}: {message}");
        assert!(!output(sandbox).exists());
        assert_eq!(parts(sandbox), [""; 0]);
    }
    // It did not even get to ask.
    assert_eq!(mirror.requests(), []);
    // Nor is a server without TLS one with it.
    let plain = filled(Mirror::start(), &content(10));
    by_tls(sandbox, &plain, "127.0.0.1", Mirror::AUTHORITY).run().refused();
    assert!(!output(sandbox).exists());
}
