//! Update: other limits for the container.

use std::fs;

use protobuf::well_known_types::empty::Empty;
use runj_faults::{Point, at};
use runj_spec::LinuxResources;

use crate::error::Error;
use crate::process::State;
use crate::rpc::task::UpdateTaskRequest;
use crate::runj::scratch;
use crate::shim::Shim;

/// The end of the name that containerd gives to OCI's `linux.resources` as JSON; in front of it is a
/// host, and the version of the specification.
const RESOURCES: &str = "/opencontainers/runtime-spec/1/LinuxResources";

impl Shim {
    pub(super) async fn update(&self, request: UpdateTaskRequest) -> Result<Empty, Error> {
        let task = self.task(&request.id)?;
        let state = task.init.state();
        if matches!(state, State::Stopped { .. }) {
            let what = self.identity.id.to_string();
            return Err(Error::WrongState { verb: "update", what, state: state.name() });
        }
        let any = request.resources.unwrap_or_default();
        if !any.type_url.ends_with(RESOURCES) {
            return Err(Error::Unusable {
                place: "resources".into(),
                value: format!("{:?}", any.type_url),
                reason: format!("expected a message of the type …{RESOURCES}"),
            });
        }
        // Checked here, so that what is wrong about it is told as the caller's mistake.
        LinuxResources::parse(&any.value, "resources")?;
        let scratch = scratch(self.bundle.path())?;
        let file = scratch.path().join("resources.json");
        at(Point::ShimResources)?;
        fs::write(&file, &any.value).map_err(Error::io(format!("{}", file.display())))?;
        task.runj.update(&file).await?;
        Ok(Empty::new())
    }
}
