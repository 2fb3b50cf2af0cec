//! Where the commands of a page are run.

use std::env;
use std::fs::{self, File};
use std::io::Write as _;

use lzma_rust2::{XzOptions, XzWriter};
use runj_tests::containerd::{Binaries, Engine, IMAGE, Release, base_archive, missing_for_images};
use runj_tests::engines::{self, Tools};
use runj_tests::{Mirror, Programs, Sandbox, Served, write_script};

use crate::book;
use crate::mark::With;
use crate::session::Session;

/// Runs a session; otherwise, what this host would have to have.
///
/// # Panics
///
/// When something comes of it that the page does not say.
pub(crate) fn play<'p>(
    with: With,
    session: &Session,
    programs: impl FnOnce() -> &'p Programs,
) -> Result<(), &'static str> {
    // The pages name containers, and so jails, as people do: one session at a time on this host.
    let lock = File::create(env::temp_dir().join("runj-test-docs.lock")).unwrap();
    lock.lock().unwrap();
    match with {
        With::Runj => by_hand(session, programs),
        With::Containerd => containerd(session),
        With::Podman => podman(session, programs()),
        With::Cargo => cargo(session, programs),
    }
}

/// With `runj` in the path. That is a script that calls the real one with a directory of the
/// session's own for the state, so that a page finds no containers but its own, and with a mirror of
/// its own for the internet. Whoever sits at the terminal leaves each shell at once.
fn by_hand<'p>(
    session: &Session,
    programs: impl FnOnce() -> &'p Programs,
) -> Result<(), &'static str> {
    let mirror = session.downloads().then(mirror).transpose()?;
    let sandbox = Sandbox::new(programs());
    let bin = sandbox.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let (real, state) = (sandbox.runj_program(), sandbox.state_dir());
    let mut text = String::new();
    if let Some(mirror) = &mirror {
        let flags = format!("--release {RELEASE} --mirror {}", mirror.url());
        text = format!("[ \"$1 $2\" != 'demo download' ] || set -- \"$@\" {flags}\n");
    }
    text += &format!("exec {real:?} --root {state:?} \"$@\"\n");
    write_script(&bin.join("runj"), &text);
    let typed = sandbox.path().join("typed");
    fs::write(&typed, "exit\n").unwrap();
    let work = sandbox.path().join("work");
    fs::create_dir(&work).unwrap();
    let path = env::var("PATH").unwrap_or_default();
    let shell = sandbox.shell(&session.script()).current_dir(&work);
    let shell = shell.stdin(File::open(typed).unwrap());
    session.run(shell.env("PATH", format!("{}:{path}", bin.display())));
    let left = sandbox.runj(["list", "--quiet"]).run().succeeded();
    assert_eq!(left, "", "the page leaves containers");
    sandbox.finish();
    Ok(())
}

/// The release that the mirror has.
const RELEASE: &str = "14.3-RELEASE";

/// A mirror of FreeBSD's releases with a small base.txz; otherwise, what this host would have to have.
fn mirror() -> Result<Mirror, &'static str> {
    missing_for_images().map_or(Ok(()), Err)?;
    // By which tar unpacks it. FreeBSD's own needs none.
    let xz = env::var_os("PATH").is_some_and(|path| {
        env::split_paths(&path).any(|directory| directory.join("xz").is_file())
    });
    if cfg!(target_os = "linux") && !xz {
        return Err("Debian's package xz-utils");
    }
    let mut base = XzWriter::new(Vec::new(), XzOptions::with_preset(0)).unwrap();
    base.write_all(&base_archive()).unwrap();
    let content = base.finish().unwrap();
    let arch = if cfg!(target_arch = "aarch64") { "arm64/aarch64" } else { "amd64/amd64" };
    let directory = format!("/{arch}/{RELEASE}");
    let mirror = Mirror::start();
    mirror.give_manifest(&directory, &content);
    mirror.give(&format!("{directory}/base.txz"), Served { content, ..Served::default() });
    Ok(mirror)
}

/// With the newest containerd that there is.
fn containerd(session: &Session) -> Result<(), &'static str> {
    let release = Release::all().pop().ok_or("containerd")?;
    missing_for_images().map_or(Ok(()), Err)?;
    let binaries = Binaries::locate();
    let engine = Engine::start(&release, &binaries);
    let script = format!("PATH={:?}:$PATH\nIMAGE={IMAGE}\n", binaries.directory());
    session.run(engine.shell(&(script + &session.script())));
    engine.finish();
    Ok(())
}

/// With podman and buildah.
fn podman(session: &Session, programs: &Programs) -> Result<(), &'static str> {
    let tools = Tools::find()?;
    let engine = engines::Engine::start(&tools, programs);
    let script = format!("IMAGE={}\n{}", engines::IMAGE, session.script());
    session.run(engine.shell(&script));
    engine.finish();
    Ok(())
}

/// With cargo, in the workspace.
fn cargo<'p>(
    session: &Session,
    programs: impl FnOnce() -> &'p Programs,
) -> Result<(), &'static str> {
    let root = book::workspace().ok_or("the sources")?;
    env::var_os("CARGO").ok_or("cargo")?;
    let sandbox = Sandbox::new(programs());
    session.run(sandbox.shell(&session.script()).current_dir(&root));
    sandbox.finish();
    Ok(())
}
