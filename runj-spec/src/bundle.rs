//! The directory that describes a container.

use std::path::{Path, PathBuf};

use crate::decode::Reader;
use crate::merge::merge;
use crate::schema::Property as _;
use crate::{
    Config, Container, Error, Extension, Freebsd, Origin, Problems, RctlRule, Sourced, annotations,
    document, engine, file,
};

/// A bundle: the directory that describes a container, with what is written in its documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The directory, as it was given.
    pub dir: PathBuf,
    /// config.json.
    pub config: Config,
    /// runj.ext.json, if there is one.
    pub extension: Option<Extension>,
}

impl Bundle {
    /// The most bytes of config.json: 4 MiB.
    const CONFIG_LIMIT: u64 = 4 << 20;
    /// The most bytes of runj.ext.json: 256 KiB.
    const EXTENSION_LIMIT: u64 = 256 << 10;

    /// The annotations of config.json that change what the container is. One with a dot at its end
    /// stands for all that begin with it.
    pub const MEANINGFUL_ANNOTATIONS: [&'static str; 3] =
        [engine::MANAGER, annotations::JAIL, annotations::PARENT];

    /// The text of config.json in `dir`, which need not be JSON.
    ///
    /// # Errors
    ///
    /// It cannot be read, is no regular file or has more than 4 MiB.
    pub fn read_config(dir: &Path) -> Result<Vec<u8>, Error> {
        file::read(&dir.join(Config::FILE_NAME), Self::CONFIG_LIMIT)
    }

    /// Reads the documents in `dir`. Does not look at anything else in it.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with all that is wrong in both documents. Before that, the first document
    /// that cannot be read at all.
    pub fn load(dir: &Path) -> Result<Self, Error> {
        let config = Self::read_config(dir)?;
        let extension =
            file::read_if_there(&dir.join(Extension::FILE_NAME), Self::EXTENSION_LIMIT)?;
        let config = document::parse(&config, Config::FILE_NAME)?;
        let extension = match extension {
            Some(text) => Some(document::parse(&text, Extension::FILE_NAME)?),
            None => None,
        };

        let mut problems = Problems::default();
        let config = Config::decode(&mut Reader::new(Config::FILE_NAME, &mut problems), config);
        let extension = extension.map(|extension| {
            Extension::decode(&mut Reader::new(Extension::FILE_NAME, &mut problems), extension)
        });
        let bundle = config.and_then(|config| {
            Ok(Self { dir: dir.to_owned(), config, extension: extension.transpose()? })
        });
        Ok(problems.unless_any(bundle.ok())?)
    }

    /// The container that the documents describe together.
    ///
    /// `freebsd.jail` is the base. `freebsd.network` fills the same fields, and contradicts it if a
    /// mode differs. runj.ext.json overlays both: a mode overwrites, a list appends what is not
    /// there. Annotations fill what none of them gave, and what podman and buildah expect without
    /// saying it fills what is still not given.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if `freebsd.jail` and `freebsd.network` contradict each other, or an
    /// annotation is wrong. [`Bundle::load`] has refused such documents already.
    pub fn container(&self) -> Result<Container, Error> {
        let Config { freebsd, annotations, .. } = &self.config;
        let mut problems = Problems::default();
        let mut jail = merge(
            Config::FILE_NAME,
            freebsd.as_ref(),
            annotations,
            self.extension.as_ref(),
            &mut problems,
        );
        engine::fill(&mut jail, &self.config, &self.dir);
        let jail = problems.unless_any(Some(jail))?;

        let sourced = |value: &Option<String>, key: &str| {
            let value = value.clone()?;
            Some(Sourced::new(value, Origin::new(Config::FILE_NAME, key)))
        };
        Ok(Container {
            oci_version: self.config.oci_version.clone(),
            root: self.config.root.clone().unwrap_or_default(),
            process: self.config.process.clone(),
            hostname: sourced(&self.config.hostname, "hostname"),
            domainname: sourced(&self.config.domainname, "domainname"),
            resolv_conf: self.extension.as_ref().and_then(|extension| {
                let origin = Origin::new(Extension::FILE_NAME, "network.resolvConf");
                Some(Sourced::new(extension.network.resolv_conf?, origin))
            }),
            mounts: self.config.mounts.clone(),
            hooks: self.config.hooks.clone(),
            annotations: annotations.clone(),
            jail,
            devices: freebsd
                .as_ref()
                .map(|Freebsd { devices, .. }| devices.clone())
                .unwrap_or_default(),
            resources: self.config.linux.clone().and_then(|it| it.resources).unwrap_or_default(),
            rctl: rules(freebsd.as_ref(), self.extension.as_ref()),
        })
    }
}

/// The rules of both documents, those of runj.ext.json last.
fn rules(freebsd: Option<&Freebsd>, extension: Option<&Extension>) -> Vec<Sourced<RctlRule>> {
    let given = freebsd.map(|freebsd| (Config::FILE_NAME, "freebsd.rctl", &freebsd.rctl));
    let more = extension.map(|extension| (Extension::FILE_NAME, "rctl", &extension.rctl));
    let sourced = |(file, path, rules): (&'static str, &'static str, &Vec<RctlRule>)| {
        let rule = move |(index, rule): (usize, RctlRule)| {
            Sourced::new(rule, Origin::new(file, format!("{path}[{index}]")))
        };
        rules.clone().into_iter().enumerate().map(rule)
    };
    given.into_iter().chain(more).flat_map(sourced).collect()
}
