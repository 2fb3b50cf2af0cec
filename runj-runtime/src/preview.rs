//! What would become of a bundle.

use std::path::{self, Path};

use runj_jail::Params;
use runj_spec::{Bundle, Container, ContainerId, Mount};

use crate::create::{CreateOptions, Plan};
use crate::error::Error;
use crate::mounts;
use crate::params;

/// What [`create`](crate::Runtime::create) would make of a bundle, told from its documents alone.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The container as all the documents describe it.
    pub container: Container,
    /// The parameters of its jail in the order in which the kernel would see them. `name` is not
    /// among them, it is the container's id. `path` is where the documents have the root, which
    /// need not exist; a read-only one is seen through a view elsewhere.
    pub params: Params,
}

impl Preview {
    /// Reads the bundle in that directory, and nothing else of the host.
    ///
    /// # Errors
    ///
    /// When the documents are wrong.
    pub fn of(bundle: &Path) -> Result<Self, Error> {
        Self::of_bundle(&Bundle::load(bundle)?)
    }

    /// The same of a bundle that has been read.
    pub(crate) fn of_bundle(bundle: &Bundle) -> Result<Self, Error> {
        let container = bundle.container()?;
        params::check(&container)?;
        let network = runj_net::plan(&container.jail)?;
        // A devfs has no source that would have to be looked for.
        let devfs = |mount: &&Mount| mount.typ.as_deref() == Some("devfs");
        let devfs: Vec<_> = container.mounts.iter().filter(devfs).cloned().collect();
        let ruleset = mounts::ruleset(&mounts::plan(&devfs, &[], &bundle.dir)?);
        let dir = path::absolute(&bundle.dir).map_err(Error::io(format!("{:?}", bundle.dir)))?;
        let path = dir.join(&container.root.path);
        let mut params = params::params(&container, &path, network.params(), ruleset)?;
        params.extend(params::defaults(&container.jail));
        Ok(Self { container, params })
    }
}

/// Checks all that [`create`](crate::Runtime::create) does before it makes anything.
///
/// # Errors
///
/// With everything that `create` would refuse, see [`Error::each`].
pub fn check(id: &ContainerId, options: &CreateOptions) -> Result<(), Error> {
    Plan::new(id, options).map(drop)
}
