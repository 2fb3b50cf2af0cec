//! containerd as a node of a cluster has it: with its CRI plugin and runj's handlers.

use std::fs;
use std::path::Path;

use runj_tests::containerd::{Engine, IMAGE};
use runj_tests::eventually;
use tonic::Status;

use super::api::{
    Container, ContainerConfig, ContainerId, ContainerMetadata, ContainerState, ContainerStatus,
    ContainerStatusRequest, ContainerStatusResponse, CreateContainerRequest, Empty,
    ExecSyncRequest, ExecSyncResponse, ImageSpec, LinuxContainerConfig,
    LinuxContainerSecurityContext, LinuxPodSandboxConfig, LinuxSandboxSecurityContext,
    ListContainersResponse, ListPodSandboxResponse, NamespaceMode, NamespaceOption,
    PodSandboxConfig, PodSandboxId, PodSandboxMetadata, PodSandboxState, PodSandboxStatus,
    PodSandboxStatusResponse, RunPodSandboxRequest,
};
use super::client::Client;
use super::configuration::{self, PAUSE};

/// The namespace that CRI has everything in.
const NAMESPACE: &str = "k8s.io";

/// A containerd with CRI.
pub(crate) struct Node<'n, 'e> {
    pub(crate) engine: &'n mut Engine<'e>,
    pub(crate) client: Client,
}

/// A pod.
pub(crate) struct Pod {
    pub(crate) id: String,
    config: PodSandboxConfig,
}

impl<'n, 'e> Node<'n, 'e> {
    /// Starts containerd again, with CRI.
    pub(crate) fn start(engine: &'n mut Engine<'e>) -> Self {
        engine.import(NAMESPACE, IMAGE, &["sh"]);
        engine.import(NAMESPACE, PAUSE, &["sleep", "2147483647"]);
        engine.kill_daemon();
        let path = engine.path();
        configuration::write(&engine.release().version, path);
        let client = Client::new(&path.join("sock"));
        let mut node = Self { engine, client };
        node.restart();
        node
    }

    /// Starts containerd again, which has been killed.
    pub(crate) fn restart(&mut self) {
        self.engine.start_daemon();
        // Its socket is there before CRI is.
        eventually("CRI", || self.client.call::<_, Empty>("Status", Empty {}).ok());
    }

    /// RunPodSandbox, on the host's network as far as Kubernetes knows.
    pub(crate) fn try_run_pod(&self, handler: &str) -> Result<Pod, Status> {
        let uid = self.engine.id();
        let log_directory = self.engine.path().join("logs").join(&uid);
        let config = PodSandboxConfig {
            metadata: Some(PodSandboxMetadata {
                name: format!("pod-{uid}"),
                uid,
                namespace: "default".into(),
            }),
            log_directory: log_directory.to_str().unwrap().into(),
            linux: Some(LinuxPodSandboxConfig {
                cgroup_parent: "/runj-tests".into(),
                security_context: Some(LinuxSandboxSecurityContext {
                    namespace_options: Some(namespaces()),
                }),
            }),
            ..PodSandboxConfig::default()
        };
        let request = RunPodSandboxRequest {
            config: Some(config.clone()),
            runtime_handler: handler.to_owned(),
        };
        let id = self.client.call::<_, PodSandboxId>("RunPodSandbox", request)?.pod_sandbox_id;
        self.engine.take_id(&id);
        Ok(Pod { id, config })
    }

    pub(crate) fn run_pod(&self, handler: &str) -> Pod {
        self.try_run_pod(handler).unwrap()
    }

    pub(crate) fn pod_status(&self, pod: &Pod) -> PodSandboxStatus {
        let response: PodSandboxStatusResponse =
            self.client.call("PodSandboxStatus", pod.request()).unwrap();
        response.status.unwrap()
    }

    /// Stops and removes a pod with all its containers.
    pub(crate) fn remove_pod(&self, pod: &Pod) {
        self.client.call::<_, Empty>("StopPodSandbox", pod.request()).unwrap();
        assert_eq!(self.pod_status(pod).state(), PodSandboxState::NotReady);
        self.client.call::<_, Empty>("RemovePodSandbox", pod.request()).unwrap();
        assert!(self.client.call::<_, Empty>("PodSandboxStatus", pod.request()).is_err());
    }

    /// CreateContainer of a script for sh(1), whose output goes to [`log`](Self::log).
    pub(crate) fn create(&self, pod: &Pod, name: &str, script: &str) -> String {
        self.create_with(pod, container(name, script))
    }

    /// CreateContainer.
    pub(crate) fn create_with(&self, pod: &Pod, config: ContainerConfig) -> String {
        let request = CreateContainerRequest {
            pod_sandbox_id: pod.id.clone(),
            config: Some(config),
            sandbox_config: Some(pod.config.clone()),
        };
        let created: ContainerId = self.client.call("CreateContainer", request).unwrap();
        self.engine.take_id(&created.container_id);
        created.container_id
    }

    /// StartContainer.
    pub(crate) fn start_container(&self, id: &str) {
        self.client.call::<_, Empty>("StartContainer", request(id)).unwrap();
    }

    /// CreateContainer and StartContainer.
    pub(crate) fn run(&self, pod: &Pod, name: &str, script: &str) -> String {
        let id = self.create(pod, name, script);
        self.start_container(&id);
        id
    }

    pub(crate) fn status(&self, id: &str) -> ContainerStatus {
        self.verbose_status(id).status.unwrap()
    }

    /// The pid that containerd has of a container's first process.
    pub(crate) fn pid(&self, id: &str) -> i32 {
        let info = &self.verbose_status(id).info["info"];
        let info: serde_json::Value = serde_json::from_str(info).unwrap();
        info["pid"].as_i64().unwrap().try_into().unwrap()
    }

    fn verbose_status(&self, id: &str) -> ContainerStatusResponse {
        let request = ContainerStatusRequest { container_id: id.into(), verbose: true };
        self.client.call("ContainerStatus", request).unwrap()
    }

    /// Waits for a container's end.
    pub(crate) fn wait_exited(&self, id: &str) -> ContainerStatus {
        eventually("the container's end", || {
            let status = self.status(id);
            (status.state() == ContainerState::Exited).then_some(status)
        })
    }

    pub(crate) fn exec(&self, id: &str, script: &str) -> ExecSyncResponse {
        let cmd = ["sh", "-c", script].map(Into::into).into();
        let request = ExecSyncRequest { container_id: id.into(), cmd, timeout: 20 };
        self.client.call("ExecSync", request).unwrap()
    }

    pub(crate) fn pods(&self) -> Vec<String> {
        let list: ListPodSandboxResponse = self.client.call("ListPodSandbox", Empty {}).unwrap();
        list.items.into_iter().map(|pod| pod.id).collect()
    }

    pub(crate) fn containers(&self) -> Vec<Container> {
        let list: ListContainersResponse = self.client.call("ListContainers", Empty {}).unwrap();
        list.containers
    }

    /// What a container has written, as CRI's log has it: the stream and the line.
    pub(crate) fn log(&self, pod: &Pod, name: &str) -> Vec<(String, String)> {
        let path = Path::new(&pod.config.log_directory).join(format!("{name}.log"));
        let text = fs::read_to_string(path).unwrap();
        text.lines()
            .map(|line| {
                // 2016-10-06T00:17:09.669794202Z stdout F a whole line
                let [time, stream, tag, line] = line.splitn(4, ' ').collect::<Vec<_>>()[..] else {
                    panic!("{line:?} is not one of CRI's lines")
                };
                assert!(time.starts_with("20") && time.contains('T'), "{time}");
                assert_eq!(tag, "F");
                (stream.to_owned(), line.to_owned())
            })
            .collect()
    }
}

impl Pod {
    /// What the requests about it have.
    fn request(&self) -> PodSandboxId {
        PodSandboxId { pod_sandbox_id: self.id.clone() }
    }
}

/// What the requests about a container have.
pub(crate) fn request(id: &str) -> ContainerId {
    ContainerId { container_id: id.to_owned() }
}

/// A container that runs a script for sh(1).
pub(crate) fn container(name: &str, script: &str) -> ContainerConfig {
    ContainerConfig {
        metadata: Some(ContainerMetadata { name: name.into() }),
        image: Some(ImageSpec { image: IMAGE.into() }),
        command: ["sh", "-c", script].map(Into::into).into(),
        mounts: Vec::new(),
        log_path: format!("{name}.log"),
        linux: Some(LinuxContainerConfig {
            security_context: Some(LinuxContainerSecurityContext {
                namespace_options: Some(namespaces()),
                ..LinuxContainerSecurityContext::default()
            }),
        }),
    }
}

/// Those of a pod with `hostNetwork`, which takes no CNI.
fn namespaces() -> NamespaceOption {
    NamespaceOption { network: NamespaceMode::Node.into(), pid: NamespaceMode::Container.into() }
}
