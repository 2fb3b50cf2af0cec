//! What is proved.

use std::collections::BTreeSet;
use std::env::consts::OS;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;
use std::{fs, thread};

use runj_faults::Point;
use runj_jail::{Jail, ProcessId, Signal};
use runj_tests::{DEADLINE, MARK, Step, descriptors, eventually, marked_processes, read_trace};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::engine::{Engine, programs};
use crate::life;

/// A case by its name.
type Case = (&'static str, fn());

pub(crate) const CASES: &[Case] = &[
    ("shim::killed", || each(&of_shim(), |step| lived(step, KILL))),
    ("shim::refused", || each(&of_shim(), |step| lived(step, EIO))),
    ("shim::overtaken", || each(&of_shim(), overtaken)),
    ("runj::killed", || each(&of_runj(), |step| lived(step, KILL))),
    ("runj::refused", || each(&of_runj(), |step| lived(step, EIO))),
    ("start::killed", || each(&whole().start, |step| started(step, KILL))),
    ("start::refused", || each(&whole().start, |step| started(step, EIO))),
    ("delete::killed", || each(&whole().delete, |step| deleted(step, KILL))),
    ("delete::refused", || each(&whole().delete, |step| deleted(step, EIO))),
    ("complete::every_point_is_reached", every_point_is_reached),
];

/// The number of the error that a step is refused with.
const EIO: &str = "5";
const KILL: &str = "kill";

/// What a life comes to if nothing happens.
struct Whole {
    /// The steps of `start`, and the first of the shim that it leaves.
    start: Vec<Step>,
    /// Those of the shim, and of `runj` below it.
    life: Vec<Step>,
    /// Those of `delete` when the shim was killed.
    delete: Vec<Step>,
    /// How many descriptors the shim has at the end.
    descriptors: usize,
}

fn whole() -> &'static Whole {
    static WHOLE: OnceLock<Whole> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let place = Place::new();
        let (start, life, descriptors) = wait(async {
            let engine = Engine::start(&place.environment(None)).await;
            let start = eventually("the shim", || {
                let steps = place.trace();
                steps.iter().any(|step| step.point == Point::ShimServe.name()).then_some(steps)
            });
            let shim = place.shim();
            life::live(&engine).await.unwrap();
            let descriptors = descriptors(shim.pid());
            life::shut_down(&engine).await;
            place.assert_nothing_left(&engine, "");
            let mut life = place.trace();
            life.retain(|step| !start.contains(step));
            (start, life, descriptors)
        });
        let place = Place::new();
        let delete = wait(async {
            let engine = abandoned().await;
            assert!(engine.clean_up_with(&place.environment(None)).status.success());
            let mut delete = place.trace();
            delete.retain(Step::is_of_shim);
            delete
        });
        Whole { start, life, delete, descriptors }
    })
}

fn of_shim() -> Vec<Step> {
    whole().life.iter().filter(|step| step.is_of_shim()).cloned().collect()
}

/// Of `runj`'s steps the first at each point: its own tests try all of them.
fn of_runj() -> Vec<Step> {
    let of_runj = |step: &&Step| !step.is_of_shim() && step.count == 1;
    whole().life.iter().filter(of_runj).cloned().collect()
}

/// Tells at which step a test has failed.
struct At<'a>(&'a Step);

impl Drop for At<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("at {} {}", self.0.point, self.0.count);
        }
    }
}

fn each(steps: &[Step], case: impl Fn(&Step)) {
    for step in steps {
        let _at = At(step);
        case(step);
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A directory for what is seen of a shim, and by which its processes are known.
struct Place {
    dir: TempDir,
    /// The same as text.
    text: [String; 2],
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("runj-shim-faults-").tempdir().unwrap();
        let trace = dir.path().join("trace");
        let text = [dir.path(), &trace].map(|path| path.to_str().unwrap().to_owned());
        Self { dir, text }
    }

    /// What the shim's environment is to have.
    fn environment<'a>(&'a self, failpoints: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
        let [mark, trace] = &self.text;
        let always = [(MARK, mark.as_str()), ("RUNJ_FAULTS_TRACE", trace.as_str())];
        always.into_iter().chain(failpoints.map(|text| ("FAILPOINTS", text))).collect()
    }

    /// The shim that has just been started.
    fn shim(&self) -> ProcessId {
        // It is seen in the middle of execve(2), when it has no environment.
        eventually("a shim", || {
            let pid = *marked_processes(self.dir.path()).first()?;
            ProcessId::of(pid).unwrap()
        })
    }

    fn trace(&self) -> Vec<Step> {
        read_trace(Path::new(&self.text[1]))
    }

    /// Has the shim's `delete` called, and shows that there is no process, no jail, no mount and no
    /// file that was not there before.
    fn assert_nothing_left(&self, engine: &Engine, action: &str) {
        engine.assert_nothing_left();
        self.assert_no_process(&engine.path(""));
        assert_eq!(strange_files(&engine.path("bundle"), action), [""; 0]);
    }

    fn assert_no_process(&self, below: &Path) {
        let jails = Jail::list().unwrap().into_iter().filter_map(|jail| jail.path().ok());
        let jails: Vec<_> = jails.filter(|path| Path::new(path).starts_with(below)).collect();
        assert!(jails.is_empty(), "{jails:?}");
        for pid in marked_processes(self.dir.path()) {
            let ended = ProcessId::of(pid).unwrap().is_none_or(|left| left.wait(DEADLINE).unwrap());
            assert!(ended, "process {pid} is left");
        }
    }
}

/// Files of a bundle that are neither its own nor the shim's notes, which go with it.
fn strange_files(bundle: &Path, action: &str) -> Vec<String> {
    let notes = ["runj-shim.json", "runj-shim.exit.json"];
    let known = [&["address", "config.json", "init.pid", "rootfs"][..], &notes].concat();
    let names = fs::read_dir(bundle).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    // What begins with a dot was being written when its writer was killed.
    let torn = |name: &String| action == KILL && name.starts_with('.');
    let strange = |name: &String| !known.contains(&name.as_str()) && !torn(name);
    names.filter(strange).collect()
}

/// Lives a life in which something happens to the shim, or to `runj` below it. One who lives on can
/// be asked to tidy up.
fn lived(step: &Step, action: &str) {
    let place = Place::new();
    let failpoints = step.failpoints(action);
    wait(async {
        let engine = Engine::start(&place.environment(Some(&failpoints))).await;
        let shim = place.shim();
        let lived = life::live(&engine).await;
        if step.is_of_shim() && action == KILL {
            // At one of the last steps it has answered everything before.
            life::shut_down(&engine).await;
            assert!(shim.wait(DEADLINE).unwrap(), "it was not killed");
        } else {
            let tidied = if lived.is_ok() { Ok(()) } else { life::tidy(&engine).await };
            if step.is_of_shim() {
                // It happens once.
                tidied.unwrap();
                eventually("the descriptors", || {
                    (descriptors(shim.pid()) <= whole().descriptors).then_some(())
                });
            }
            life::shut_down(&engine).await;
            if !step.is_of_shim() {
                // `runj` cannot delete, and the shim keeps what there may be.
                shim.signal(Signal::KILL).unwrap();
            }
        }
        place.assert_nothing_left(&engine, action);
    });
}

/// containerd takes the shim for dead while it is waiting for something.
fn overtaken(step: &Step) {
    let place = Place::new();
    let failpoints = step.failpoints("delay 100");
    wait(async {
        let engine = Engine::start(&place.environment(Some(&failpoints))).await;
        let life = async {
            let _ = life::live(&engine).await;
        };
        let delete = async {
            while !place.trace().contains(step) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert!(engine.clean_up().status.success());
        };
        // What depends on the moment may not be come to this time.
        tokio::pin!(life, delete);
        tokio::select! {
            () = &mut life => {}
            () = &mut delete => life.await,
        }
        let _ = life::tidy(&engine).await;
        life::shut_down(&engine).await;
        place.assert_nothing_left(&engine, "");
    });
}

/// `start` is to leave a shim, and something happens to it.
fn started(step: &Step, action: &str) {
    let place = Place::new();
    let bundle = place.dir.path().join("bundle");
    fs::create_dir(&bundle).unwrap();
    let failpoints = step.failpoints(action);
    let call = |verb: &str, failpoints: Option<&str>| -> Output {
        let mut call = Command::new(&programs().shim);
        call.args(["-namespace", "test", "-id", "s", "-address"]).arg(place.dir.path());
        call.arg("-bundle").arg(&bundle).arg(verb).stdin(Stdio::null());
        call.envs(place.environment(failpoints)).current_dir(&bundle).output().unwrap()
    };
    call("start", Some(&failpoints));
    let output = call("delete", None);
    assert!(output.status.success(), "{output:?}");
    assert!(!socket(place.dir.path(), "s").exists());
    // One that was left alone ends after a time.
    place.assert_no_process(place.dir.path());
    assert_eq!(strange_files(&bundle, action), [""; 0]);
}

/// Where a shim listens: its place is named by what it is told about containerd and itself.
fn socket(containerd: &Path, id: &str) -> PathBuf {
    let run = if cfg!(target_os = "freebsd") { "/var/run" } else { "/run" };
    let key = containerd.join("test").join(id);
    let digest = Sha256::digest(key.to_str().unwrap());
    let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Path::new(run).join("containerd/s").join(name)
}

/// A container that runs, whose shim was killed.
async fn abandoned() -> Engine {
    let place = Place::new();
    let engine = Engine::start(&place.environment(None)).await;
    let shim = place.shim();
    life::run(&engine).await.unwrap();
    shim.signal(Signal::KILL).unwrap();
    assert!(shim.wait(DEADLINE).unwrap());
    engine
}

/// `delete` cleans up after a shim, and something happens to it.
fn deleted(step: &Step, action: &str) {
    let place = Place::new();
    let failpoints = step.failpoints(action);
    wait(async {
        let engine = abandoned().await;
        engine.clean_up_with(&place.environment(Some(&failpoints)));
        place.assert_nothing_left(&engine, action);
    });
}

/// Who adds a point that the shim does not come to here has to have it come.
fn every_point_is_reached() {
    let Whole { start, life, delete, .. } = whole();
    let steps = start.iter().chain(life).chain(delete);
    let reached: BTreeSet<_> = steps.map(|step| step.point.as_str()).collect();
    let here = |point: &&Point| point.only_on().is_none_or(|system| system == OS);
    let names = Point::ALL.iter().filter(here).map(|point| point.name());
    let names = names.filter(|name| name.starts_with("shim-"));
    let missing: Vec<_> = names.filter(|name| !reached.contains(name)).collect();
    assert!(missing.is_empty(), "nothing comes to {missing:?}");
}
