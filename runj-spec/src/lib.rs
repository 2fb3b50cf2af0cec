//! The bundle of a container: what an engine hands to an OCI runtime, and runj to FreeBSD's jails.
//!
//! A bundle is a directory with a `config.json` ([OCI runtime specification] 1.0 to 1.3), and for
//! runj optionally a `runj.ext.json` beside it. This crate reads both, checks every value, and
//! merges all that describes the jail (the `freebsd` object in its OCI and in its older form,
//! runj.ext.json, the `org.freebsd.*` annotations) into one typed value that remembers where each
//! value was given. It makes no system calls but to read these files, and gives the same result on
//! every host.
//!
//! ```
//! use runj_spec::{Bundle, IpMode};
//!
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path();
//! std::fs::write(
//!     dir.join("config.json"),
//!     r#"{"ociVersion": "1.3.0", "process": {"args": ["sh"]}, "freebsd": {"jail": {"ip4": "new"}}}"#,
//! )?;
//! std::fs::write(dir.join("runj.ext.json"), r#"{"network": {"ipv4": {"mode": "inherit"}}}"#)?;
//!
//! let container = Bundle::load(dir)?.container()?;
//! let ip4 = container.jail.ip4.expect("it is given twice");
//! assert_eq!(ip4.value, IpMode::Inherit);
//! assert_eq!(ip4.origin.to_string(), "runj.ext.json: network.ipv4.mode");
//!
//! std::fs::write(
//!     dir.join("runj.ext.json"),
//!     r#"{"network": {"ipv4": {"mode": "bridge"}, "vnet": {"interfaces": ["a/b"]}}}"#,
//! )?;
//! let error = Bundle::load(dir).expect_err("two values are wrong");
//! assert!(error.to_string().starts_with(
//!     r#"runj.ext.json: network.ipv4.mode: "bridge" is not allowed: expected one of "inherit", "new", "disable"; "#
//! ));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Errors come all at once
//!
//! A wrong value is reported with its path, what it is and what is allowed, and reading goes on, so
//! that one try shows all there is to mend. That, and the next point, is why the decoders are
//! written by hand rather than derived: a derived one stops at the first error.
//!
//! # Unknown properties survive
//!
//! The specification demands that unknown properties are ignored. Each type here keeps those at its
//! level in a field `extra`, and prints them again; [`Config::ignored`] tells of them. The types of
//! the `oci-spec` crate, after which these are named, lose them below the top level, have no FreeBSD
//! part, and refuse a document without `process.user` or with a limit that Linux does not know.
//! Reading a document and printing it gives the same JSON value, save for this:
//!
//! - a known property that is `null`, an empty list, an empty object of `hooks`, `annotations` or
//!   below `freebsd`, or `false` where that is the default, is not printed (an explicit `false`
//!   under `freebsd.jail.allow` is: it differs from nothing);
//! - `process.user.uid`, `process.user.gid`, `process.cwd` and `root.path` are printed with their
//!   defaults;
//! - a list of one that was given as a text, and an interface that was given as a list, take the
//!   specification's form;
//! - a relative mount destination is printed with a `/` in front, an IP address in its canonical
//!   form.
//!
//! [OCI runtime specification]: https://github.com/opencontainers/runtime-spec

mod allow_mount;
mod allow_parameter;
mod annotations;
mod bundle;
mod checked;
mod config;
mod console_size;
mod container;
mod container_id;
mod decode;
mod document;
mod enforce_statfs;
mod engine;
mod error;
mod extension;
mod extension_network;
mod file;
mod file_system_type;
mod freebsd;
mod freebsd_device;
mod freebsd_jail;
mod freebsd_jail_allow;
mod hook;
mod hooks;
mod ignored;
mod interface_name;
mod invalid_value;
mod ip_address;
mod jail;
mod json_path;
mod linux;
mod linux_limit;
mod linux_mounts;
mod lists;
mod merge;
mod modes;
mod mount;
mod network;
mod network_ip;
mod network_vnet;
mod oci_version;
mod origin;
mod problem;
mod problems;
mod process;
mod quote;
mod rctl_rule;
mod rlimit;
mod root;
mod schema;
mod schema_reference;
mod serialize;
mod sourced;
mod user;

pub use allow_mount::AllowMount;
pub use allow_parameter::AllowParameter;
pub use bundle::Bundle;
pub use config::Config;
pub use console_size::ConsoleSize;
pub use container::Container;
pub use container_id::ContainerId;
pub use enforce_statfs::EnforceStatfs;
pub use error::Error;
pub use extension::Extension;
pub use extension_network::ExtensionNetwork;
pub use file_system_type::FileSystemType;
pub use freebsd::Freebsd;
pub use freebsd_device::FreebsdDevice;
pub use freebsd_jail::FreebsdJail;
pub use freebsd_jail_allow::FreebsdJailAllow;
pub use hook::Hook;
pub use hooks::Hooks;
pub use ignored::Ignored;
pub use interface_name::InterfaceName;
pub use invalid_value::InvalidValue;
pub use ip_address::{AddressFamily, IpAddress};
pub use jail::Jail;
pub use linux::{Linux, LinuxCpu, LinuxMemory, LinuxPids, LinuxResources};
pub use linux_limit::LinuxLimit;
pub use modes::{HostMode, IpMode, ResolvConf, SysvMode, VnetMode};
pub use mount::Mount;
pub use network::Network;
pub use network_ip::NetworkIp;
pub use network_vnet::NetworkVnet;
pub use oci_version::OciVersion;
pub use origin::Origin;
pub use problem::Problem;
pub use problems::Problems;
pub use process::Process;
pub use rctl_rule::RctlRule;
pub use rlimit::Rlimit;
pub use root::Root;
pub use schema_reference::SchemaReference;
pub use sourced::Sourced;
pub use user::User;

/// Its examples are tried as those of the documentation are.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
