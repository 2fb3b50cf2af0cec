//! What a client asks of the runtime itself: the container's network, and which `runj`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use protobuf::well_known_types::any::Any;
use runj_spec::{ContainerId, Extension};
use serde_json::{Map, Value, json};

use crate::bundle::Bundle;
use crate::error::Error;
use crate::rpc::{runj_options, runtime_options};
use crate::runj;

/// The most bytes of an extension file, as `runj` reads it.
const LIMIT: u64 = 256 << 10;

/// Where `runj` keeps the state of containerd's containers, by namespace.
const ROOT: &str = "/var/run/runj-shim";

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// The content of runj.ext.json.
    pub(crate) extension: Option<Vec<u8>>,
    pub(crate) runj: PathBuf,
    /// The `--root` of `runj`.
    pub(crate) root: PathBuf,
}

impl Options {
    /// Reads what came with Create; nothing is in order, too.
    ///
    /// # Errors
    ///
    /// When it is of another kind than the two that this shim knows, or wrong.
    pub(crate) fn read(options: Option<&Any>, namespace: &ContainerId) -> Result<Self, Error> {
        const RUNTIME: &str = "runtimeoptions.v1.Options";
        const RUNJ: &str = "runj.options.v1.Options";
        let mut read = Self {
            extension: None,
            runj: runj::find(),
            root: Path::new(ROOT).join(namespace.as_ref()),
        };
        let Some(any) = options.filter(|any| !any.type_url.is_empty()) else { return Ok(read) };
        // Protobuf's own libraries put a host's name and a slash in front, containerd does not.
        match any.type_url.rsplit('/').next().unwrap_or_default() {
            RUNTIME => read.runtime(&decoded(&any.value)?)?,
            RUNJ => read.runj(&decoded(&any.value)?)?,
            _ => {
                return Err(Error::Unusable {
                    place: "options.type_url".into(),
                    value: format!("{:?}", any.type_url),
                    reason: format!("expected {RUNTIME} or {RUNJ}"),
                });
            }
        }
        Ok(read)
    }

    /// Puts the extension file into the bundle, where `runj` looks for it.
    ///
    /// # Errors
    ///
    /// When there is something of that name already, be it a link that leads nowhere.
    pub(crate) fn install(&self, bundle: &Bundle) -> Result<(), Error> {
        let Some(text) = &self.extension else { return Ok(()) };
        let path = bundle.path().join(Extension::FILE_NAME);
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::Exists(path.display().to_string()),
            _ => Error::io(format!("{}", path.display()))(error),
        };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(&path)
            .map_err(failed)?;
        file.write_all(text).map_err(failed)
    }

    fn runtime(&mut self, options: &runtime_options::Options) -> Result<(), Error> {
        if !options.config_path.is_empty() {
            let path = Path::new(&options.config_path);
            let text = read_regular(path)?;
            Extension::parse(&text, &options.config_path)?;
            self.extension = Some(text);
        } else if !options.config_body.is_empty() {
            let text = from_body(&options.config_body)?;
            Extension::parse(&text, "config_body")?;
            self.extension = Some(text);
        }
        Ok(())
    }

    fn runj(&mut self, options: &runj_options::Options) -> Result<(), Error> {
        for (place, path, value) in [
            ("options.runj_binary", &mut self.runj, &options.runj_binary),
            ("options.runj_root", &mut self.root, &options.runj_root),
        ] {
            if value.is_empty() {
                continue;
            }
            *path = value.into();
            if !path.is_absolute() {
                return Err(Error::Unusable {
                    place: place.into(),
                    value: format!("{value:?}"),
                    reason: "expected an absolute path".into(),
                });
            }
        }
        if let Some(network) = options.network.as_ref() {
            let text = json!({ "network": network_object(network) }).to_string().into_bytes();
            Extension::parse(&text, "options")?;
            self.extension = Some(text);
        }
        Ok(())
    }
}

fn decoded<M: protobuf::Message>(bytes: &[u8]) -> Result<M, Error> {
    M::parse_from_bytes(bytes).map_err(|error| Error::Unusable {
        place: "options.value".into(),
        value: format!("{} bytes", bytes.len()),
        reason: error.to_string(),
    })
}

/// The network as runj.ext.json has it. What is empty is not there.
fn network_object(network: &runj_options::Network) -> Value {
    let object = |mode: &str, name: &str, list: &[String]| {
        let mut object = Map::new();
        if !mode.is_empty() {
            object.insert("mode".into(), mode.into());
        }
        if !list.is_empty() {
            object.insert(name.into(), list.into());
        }
        Value::Object(object)
    };
    let mut result = Map::new();
    for (name, ip) in [("ipv4", &network.ipv4), ("ipv6", &network.ipv6)] {
        if let Some(ip) = ip.as_ref() {
            result.insert(name.into(), object(&ip.mode, "addr", &ip.addr));
        }
    }
    if let Some(vnet) = network.vnet.as_ref() {
        result.insert("vnet".into(), object(&vnet.mode, "interfaces", &vnet.interfaces));
    }
    if !network.resolv_conf.is_empty() {
        result.insert("resolvConf".into(), network.resolv_conf.clone().into());
    }
    Value::Object(result)
}

/// CRI sends a runtime handler's `options` as TOML; others may send the file's own JSON.
pub(crate) fn from_body(body: &[u8]) -> Result<Vec<u8>, Error> {
    let unusable = |reason: String| Error::Unusable {
        place: "options.config_body".into(),
        value: format!("{} bytes", body.len()),
        reason,
    };
    if u64::try_from(body.len()).is_ok_and(|length| length > LIMIT) {
        return Err(unusable(format!("it has more than {LIMIT}")));
    }
    if body.trim_ascii_start().starts_with(b"{") {
        return Ok(body.to_vec());
    }
    let text = str::from_utf8(body).map_err(|error| unusable(error.to_string()))?;
    let table: Map<String, Value> =
        toml::from_str(text).map_err(|error| unusable(error.message().to_owned()))?;
    Ok(Value::Object(table).to_string().into_bytes())
}

/// Reads a file that is one, is no link, and is not too long. containerd runs as root, and whoever
/// may name a path is not to be told what is behind any other.
fn read_regular(path: &Path) -> Result<Vec<u8>, Error> {
    let unusable = |reason: String| Error::Unusable {
        place: "options.config_path".into(),
        value: format!("{path:?}"),
        reason,
    };
    let failed = |error: io::Error| match error.raw_os_error() {
        Some(libc::ELOOP | libc::EMLINK) => unusable("it is a symbolic link".into()),
        _ => unusable(error.to_string()),
    };
    if !path.is_absolute() {
        return Err(unusable("expected an absolute path".into()));
    }
    // A fifo must not be waited for.
    let file: File = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
        .map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(unusable("expected a regular file".into()));
    }
    let mut text = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut text).map_err(failed)?;
    if u64::try_from(text.len()).is_ok_and(|length| length > LIMIT) {
        return Err(unusable(format!("it has more than {LIMIT} bytes")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;
    use protobuf::MessageField;

    use super::*;

    fn packed(type_url: &str, message: &impl protobuf::Message) -> Any {
        Any {
            type_url: type_url.into(),
            value: message.write_to_bytes().unwrap(),
            ..Any::default()
        }
    }

    fn read(any: &Any) -> Result<Options, String> {
        let namespace = "default".parse().unwrap();
        Options::read(Some(any), &namespace).map_err(|error| error.to_string())
    }

    fn runtime(config_path: &Path) -> Any {
        let config_path = config_path.to_str().unwrap().into();
        let options = runtime_options::Options { config_path, ..Default::default() };
        packed("runtimeoptions.v1.Options", &options)
    }

    fn body(text: &str) -> Any {
        let options = runtime_options::Options { config_body: text.into(), ..Default::default() };
        packed("runtimeoptions.v1.Options", &options)
    }

    fn extension(options: Options) -> Value {
        serde_json::from_slice(&options.extension.unwrap()).unwrap()
    }

    const TEXT: &str = r#"{"network":{"ipv4":{"mode":"inherit"}}}"#;

    #[test]
    fn without_options_there_is_no_extension() {
        let options = read(&Any::default()).unwrap();
        assert_eq!(options.extension, None);
        assert_eq!(options.root, Path::new("/var/run/runj-shim/default"));
    }

    #[test]
    fn a_file_is_copied_as_it_is_and_overwrites_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("e.json");
        fs::write(&file, TEXT).unwrap();
        let options = read(&runtime(&file)).unwrap();
        let line = ["-bundle".into(), dir.path().into()];
        let bundle = Bundle::of(&crate::flags::Flags::parse(line).unwrap()).unwrap();
        options.install(&bundle).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("runj.ext.json")).unwrap(), TEXT);
        assert!(matches!(options.install(&bundle), Err(Error::Exists(_))));
    }

    #[test]
    fn what_is_no_file_of_a_decent_size_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("real"), TEXT).unwrap();
        std::os::unix::fs::symlink("real", path("link")).unwrap();
        nix::unistd::mkfifo(&path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        fs::write(path("long"), vec![b' '; 300 << 10]).unwrap();
        fs::write(path("bad"), r#"{"network":{"ipv4":{"mode":"on"}}}"#).unwrap();
        for (name, reason) in [
            ("link", "symbolic link"),
            ("fifo", "regular file"),
            (".", "regular file"),
            ("long", "more than"),
            ("missing", "No such file"),
            ("bad", "network.ipv4.mode"),
        ] {
            let error = read(&runtime(&path(name))).unwrap_err();
            assert!(error.contains(reason), "{name}: {error}");
        }
        assert!(read(&runtime(Path::new("real"))).unwrap_err().contains("absolute"));
    }

    #[test]
    fn a_body_is_toml_or_json() {
        let expected: Value = serde_json::from_str(TEXT).unwrap();
        assert_eq!(extension(read(&body(TEXT)).unwrap()), expected);
        let toml = "[network]\n  [network.ipv4]\n    mode = \"inherit\"\n";
        assert_eq!(extension(read(&body(toml)).unwrap()), expected);
        assert!(read(&body("[network")).unwrap_err().contains("config_body"));
        let error = read(&body("network.ipv4.mode = \"on\"")).unwrap_err();
        assert!(error.contains("network.ipv4.mode"), "{error}");
    }

    #[test]
    fn settings_can_be_sent_as_a_message() {
        let ip = runj_options::Ip { mode: "inherit".into(), ..Default::default() };
        let network = runj_options::Network { ipv4: MessageField::some(ip), ..Default::default() };
        let mut message = runj_options::Options {
            network: MessageField::some(network),
            runj_root: "/r".into(),
            ..Default::default()
        };
        let options = read(&packed("runj.options.v1.Options", &message)).unwrap();
        assert_eq!(options.root, Path::new("/r"));
        assert_eq!(extension(options), serde_json::from_str::<Value>(TEXT).unwrap());
        message.network.mut_or_insert_default().resolv_conf = "host".into();
        let sent = extension(read(&packed("runj.options.v1.Options", &message)).unwrap());
        assert_eq!(sent["network"]["resolvConf"], "host");
        message.runj_binary = "runj".into();
        let error = read(&packed("runj.options.v1.Options", &message)).unwrap_err();
        assert!(error.contains("runj_binary"), "{error}");
    }

    #[test]
    fn other_options_are_named_in_the_error() {
        let error = read(&packed("containerd.runc.v1.Options", &Any::default())).unwrap_err();
        assert!(error.contains("\"containerd.runc.v1.Options\""), "{error}");
        assert!(error.contains("runtimeoptions.v1.Options"), "{error}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_options_panic(
            kind in 0..2usize, value in prop::collection::vec(any::<u8>(), 0..100)
        ) {
            let type_url = ["runtimeoptions.v1.Options", "runj.options.v1.Options"][kind];
            let _ = read(&Any { type_url: type_url.into(), value, ..Any::default() });
        }
    }
}
