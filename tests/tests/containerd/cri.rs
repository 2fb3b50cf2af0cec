//! containerd's CRI plugin: pods with a runtime handler, as the kubelet runs them.
//!
//! Only on Linux: for FreeBSD, the plugin refuses to make any container ("unsupported spec
//! platform: freebsd" in containerd's internal/cri/server/container_create.go).

mod api;
mod client;
mod configuration;
mod node;

use std::fs;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use runj_jail::{ProcessId, Signal};
use runj_tests::containerd::Engine;
use runj_tests::eventually;

use self::api::{
    ContainerState, ContainerStatsResponse, Empty, Int64Value, Mount, PodSandboxState,
    StopContainerRequest,
};
use self::node::{Node, container, request};
use crate::case::cases;

cases![
    a_handler_s_options_are_its_pods_network,
    a_container_lives_as_the_kubelet_asks,
    the_kubelet_s_mounts_and_its_pods_security_context_hold,
    a_pod_outlives_a_restart,
    a_handler_with_a_wrong_setting_is_refused_with_its_path,
];

/// A server on the host, which tells who came. It lives until the end of this process.
fn serve(at: Ipv4Addr) -> (u16, Receiver<IpAddr>) {
    let listener = TcpListener::bind((at, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, visitors) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // Before the answer, so that whoever has been answered is on record.
            if sender.send(stream.peer_addr().unwrap().ip()).is_err() {
                return;
            }
            stream.write_all(b"from the host\n").unwrap();
        }
    });
    (port, visitors)
}

fn a_handler_s_options_are_its_pods_network(engine: &mut Engine<'_>) {
    const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;
    const OWN: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
    const ANSWER: &str = "from the host";
    const REFUSAL: &str = "nc: socket: Protocol not supported";
    let node = Node::start(engine);
    for (handler, at, line, visitor, code) in [
        ("runj-host", HOST, ANSWER, Some(HOST), 0),
        ("runj-none", HOST, REFUSAL, None, 1),
        ("runj-own", OWN, ANSWER, Some(OWN), 0),
        // The default one.
        ("", HOST, REFUSAL, None, 1),
    ] {
        let (port, visitors) = serve(at);
        let pod = node.run_pod(handler);
        assert_eq!(node.pod_status(&pod).runtime_handler, handler);
        let id = node.run(&pod, "client", &format!("nc 127.0.0.1 {port} 2>&1"));
        assert_eq!(node.wait_exited(&id).exit_code, code, "{handler}");
        let log = node.log(&pod, "client");
        assert_eq!(log, [("stdout".to_owned(), line.to_owned())], "{handler}");
        let came: Vec<_> = visitors.try_iter().collect();
        assert_eq!(came, Vec::from_iter(visitor.map(IpAddr::from)), "{handler}");
        node.remove_pod(&pod);
    }
}

fn a_container_lives_as_the_kubelet_asks(engine: &mut Engine<'_>) {
    let node = Node::start(engine);
    let pod = node.run_pod("runj-host");
    assert_eq!(node.pod_status(&pod).state(), PodSandboxState::Ready);
    assert_eq!(node.pods(), [pod.id.as_str()]);

    let script = "trap 'echo ending; exit 23' TERM; echo begun; echo amiss >&2; \
                  while :; do sleep 0.01; done";
    let id = node.create(&pod, "main", script);
    let status = node.status(&id);
    assert_eq!(status.state(), ContainerState::Created);
    assert!(status.created_at > 0 && status.started_at == 0);
    node.start_container(&id);
    assert_eq!(node.status(&id).state(), ContainerState::Running);
    eventually("its output", || (node.log(&pod, "main").len() == 2).then_some(()));

    let done = node.exec(&id, "echo out; echo err >&2; exit 3");
    assert_eq!(done.stdout, b"out\n");
    assert_eq!(done.stderr, b"err\n");
    assert_eq!(done.exit_code, 3);

    // The kernel counts in ticks.
    let stats = eventually("processor time", || {
        let response: ContainerStatsResponse =
            node.client.call("ContainerStats", request(&id)).unwrap();
        let stats = response.stats.unwrap();
        (stats.cpu.unwrap().usage_core_nano_seconds.unwrap().value > 0).then_some(stats)
    });
    assert!(stats.memory.unwrap().working_set_bytes.unwrap().value > 4096);

    // Another container of the pod ends by itself.
    let other = node.run(&pod, "other", "exit 7");
    let status = node.wait_exited(&other);
    assert_eq!((status.exit_code, &status.reason[..]), (7, "Error"));
    let containers = node.containers();
    let state = |id: &str| containers.iter().find(|container| container.id == id).unwrap().state();
    assert_eq!(state(&id), ContainerState::Running);
    assert_eq!(state(&other), ContainerState::Exited);
    assert!(containers.iter().all(|container| container.pod_sandbox_id == pod.id));

    let stop = StopContainerRequest { container_id: id.clone(), timeout: 20 };
    node.client.call::<_, Empty>("StopContainer", stop).unwrap();
    let status = node.status(&id);
    assert_eq!((status.state(), status.exit_code), (ContainerState::Exited, 23));
    assert!(status.finished_at > status.started_at && status.started_at > status.created_at);
    let mut log = node.log(&pod, "main");
    // Each stream has its order.
    log.sort();
    let line = |stream: &str, text: &str| (stream.to_owned(), text.to_owned());
    let expected = [line("stderr", "amiss"), line("stdout", "begun"), line("stdout", "ending")];
    assert_eq!(log, expected);

    node.client.call::<_, Empty>("RemoveContainer", request(&id)).unwrap();
    assert_eq!(node.containers().len(), 1);
    node.remove_pod(&pod);
    assert!(node.containers().is_empty() && node.pods().is_empty());
}

fn the_kubelet_s_mounts_and_its_pods_security_context_hold(engine: &mut Engine<'_>) {
    let node = Node::start(engine);
    let pod = node.run_pod("runj-none");
    let host = node.engine.path().join("volumes");
    let mount = |container_path: &str, name: &str, readonly| Mount {
        container_path: container_path.into(),
        host_path: host.join(name).to_str().unwrap().into(),
        readonly,
    };
    for directory in ["secrets", "data"] {
        fs::create_dir_all(host.join(directory)).unwrap();
    }
    chown(host.join("data"), Some(1000), None).unwrap();
    fs::write(host.join("secrets/token"), "a token\n").unwrap();
    for file in ["hosts", "message"] {
        fs::write(host.join(file), "127.0.0.1 a-name\n").unwrap();
        chown(host.join(file), Some(1000), None).unwrap();
    }
    let script = "id -u; cat /run/secrets/token /etc/hosts; echo result >/data/file; \
                  echo the end >/dev/termination-log; \
                  touch /run/secrets/new; touch /new; exit 5";
    let mut config = container("main", script);
    config.mounts = vec![
        mount("/run/secrets", "secrets", true),
        mount("/data", "data", false),
        mount("/etc/hosts", "hosts", false),
        mount("/dev/termination-log", "message", false),
    ];
    let linux = config.linux.as_mut().unwrap().security_context.as_mut().unwrap();
    linux.run_as_user = Some(Int64Value { value: 1000 });
    linux.readonly_rootfs = true;
    let id = node.create_with(&pod, config);
    node.start_container(&id);
    assert_eq!(node.wait_exited(&id).exit_code, 5);
    let mut log = node.log(&pod, "main");
    log.sort();
    let lines: Vec<_> = log.iter().map(|(stream, line)| (&stream[..], &line[..])).collect();
    assert_eq!(
        lines,
        [
            ("stderr", "touch: /new: Read-only file system"),
            ("stderr", "touch: /run/secrets/new: Read-only file system"),
            ("stdout", "1000"),
            ("stdout", "127.0.0.1 a-name"),
            ("stdout", "a token"),
        ]
    );
    assert_eq!(fs::read_to_string(host.join("data/file")).unwrap(), "result\n");
    assert_eq!(fs::read_to_string(host.join("message")).unwrap(), "the end\n");
    node.remove_pod(&pod);
}

fn a_pod_outlives_a_restart(engine: &mut Engine<'_>) {
    let mut node = Node::start(engine);
    let pod = node.run_pod("runj-none");
    let lasting = node.run(&pod, "lasting", "while :; do sleep 0.01; done");
    let ending = node.run(&pod, "ending", "trap 'exit 9' TERM; while :; do sleep 0.01; done");
    let pid = node.pid(&lasting);
    let process = ProcessId::of(node.pid(&ending)).unwrap().unwrap();

    node.engine.kill_daemon();
    process.signal(Signal::TERM).unwrap();
    assert!(process.wait(runj_tests::DEADLINE).unwrap());
    node.restart();

    assert_eq!(node.pod_status(&pod).state(), PodSandboxState::Ready);
    assert_eq!(node.status(&lasting).state(), ContainerState::Running);
    assert_eq!(node.pid(&lasting), pid);
    assert_eq!(node.exec(&lasting, "echo again").stdout, b"again\n");
    assert_eq!(node.wait_exited(&ending).exit_code, 9);
    node.remove_pod(&pod);
    assert!(node.containers().is_empty() && node.pods().is_empty());
}

fn a_handler_with_a_wrong_setting_is_refused_with_its_path(engine: &mut Engine<'_>) {
    let node = Node::start(engine);
    // containerd asks for it each time.
    let file = node.engine.path().join("none.json");
    fs::write(&file, r#"{ "network": { "ipv4": { "mode": "bridge" } } }"#).unwrap();
    let refused = node.try_run_pod("runj-none").err().unwrap();
    let expected = format!(r#"{}: network.ipv4.mode: "bridge""#, file.display());
    assert!(refused.message().contains(&expected), "{refused}");
    assert!(node.pods().is_empty());
}
