//! Building for FreeBSD, on any host.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::abi_note;
use super::standard_library::{Purpose, StandardLibrary};

/// What to build for, and with what.
#[derive(Args)]
pub(crate) struct Cross {
    /// FreeBSD's libraries to link with: a directory that has usr/lib/libc.a
    #[arg(long, value_name = "DIR", env = "FREEBSD_SYSROOT")]
    sysroot: Option<PathBuf>,

    /// The processor to build for
    #[arg(long, value_name = "ARCH", default_value = "x86_64")]
    arch: String,
}

impl Cross {
    /// The directory with FreeBSD's libraries.
    ///
    /// # Errors
    /// None is named, or it is not one.
    pub(crate) fn sysroot(&self) -> Result<PathBuf> {
        let Some(sysroot) = &self.sysroot else {
            bail!("--sysroot or FREEBSD_SYSROOT has to say where FreeBSD's libraries are");
        };
        let sysroot = sysroot.canonicalize().with_context(|| format!("--sysroot: {sysroot:?}"))?;
        if !sysroot.join("usr/lib/libc.a").exists() {
            bail!("--sysroot: {sysroot:?}: there is no usr/lib/libc.a in it");
        }
        Ok(sysroot)
    }

    /// What rustc calls it.
    pub(crate) fn target(&self) -> String {
        format!("{}-unknown-freebsd", self.arch)
    }

    /// What FreeBSD calls the processor (`uname -p`; arch(7)).
    pub(crate) fn machine(&self) -> &str {
        match &*self.arch {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        }
    }

    /// Tells cargo to build for it in `directory`, and to link with its libraries, statically; `flags`
    /// are more of them for rustc.
    ///
    /// # Errors
    /// No sysroot, no linker, or no standard library to build with.
    pub(crate) fn tell(
        &self,
        cargo: &mut Command,
        purpose: Purpose,
        directory: &str,
        flags: &[String],
    ) -> Result<()> {
        let sysroot = self.sysroot()?;
        let target = self.target();
        StandardLibrary::find()?.tell(cargo, purpose);
        cargo.args(["--target-dir", directory, "--target", &target]);
        // What a debugger would want is most of a program's size, and there is no debugger.
        cargo.env("CARGO_PROFILE_DEV_DEBUG", "false").env("CARGO_PROFILE_DEV_STRIP", "debuginfo");
        // The standard library is built like the rest. On a machine that is emulated, tests take
        // several times as long if nothing is optimized; assertions stay.
        cargo.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
        let clang = clang()?;
        cargo.env(of_target(&target, "LINKER"), clang);
        let mut all = vec![
            STATIC.to_owned(),
            format!("-Clink-arg=--target={target}13"),
            format!("-Clink-arg=--sysroot={}", sysroot.display()),
            "-Clink-arg=-fuse-ld=lld".to_owned(),
        ];
        if let Some(note) = abi_note::missing(clang, &target, &sysroot)? {
            all.push(format!("-Clink-arg={}", note.display()));
        }
        all.extend_from_slice(flags);
        cargo.env(of_target(&target, "RUSTFLAGS"), all.join(" "));
        Ok(())
    }

    /// Whether cargo has built this file for it, and not for the host that builds.
    pub(crate) fn has_built(&self, file: &Path) -> bool {
        file.components().any(|component| component.as_os_str() == &*self.target())
    }
}

/// What has rustc link the C library in.
pub(super) const STATIC: &str = "-Ctarget-feature=+crt-static";

/// The variable by which cargo is told something about a target.
pub(super) fn of_target(target: &str, what: &str) -> String {
    format!("CARGO_TARGET_{}_{what}", target.to_uppercase().replace('-', "_"))
}

/// The name of this machine's clang; Debian's is called by its version.
pub(super) fn clang() -> Result<&'static str> {
    const NAMES: [&str; 7] =
        ["clang", "clang-20", "clang-19", "clang-18", "clang-16", "clang-15", "clang-14"];
    let runs = |name: &&str| {
        let mut clang = Command::new(name);
        clang.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        clang.status().is_ok_and(|status| status.success())
    };
    NAMES.into_iter().find(runs).context("linking for FreeBSD takes clang and lld")
}
