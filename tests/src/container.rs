//! A container of a test.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::invocation::{Invocation, Outcome};
use crate::sandbox::Sandbox;
use crate::wait::eventually;

/// A container that was created, by its id. The [`Sandbox`] deletes it if nobody else does.
#[derive(Debug)]
pub struct Container<'a> {
    sandbox: &'a Sandbox<'a>,
    id: String,
    stdout: PathBuf,
}

impl<'a> Container<'a> {
    pub(crate) fn new(sandbox: &'a Sandbox<'a>, id: String, stdout: PathBuf) -> Self {
        Self { sandbox, id, stdout }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Calls a verb that takes nothing but the id.
    pub fn verb(&self, verb: &str) -> Outcome {
        self.sandbox.runj([verb, &self.id]).run()
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// When that fails.
    #[track_caller]
    pub fn start(&self) {
        self.verb("start").succeeded_silently();
    }

    /// Its state, as `runj state` prints it.
    ///
    /// # Panics
    ///
    /// When that fails.
    #[track_caller]
    #[must_use]
    pub fn state(&self) -> Value {
        self.verb("state").json()
    }

    /// Its status.
    ///
    /// # Panics
    ///
    /// When its state cannot be had.
    #[track_caller]
    #[must_use]
    pub fn status(&self) -> String {
        self.state()["status"].as_str().unwrap().to_owned()
    }

    /// The pid of its process.
    ///
    /// # Panics
    ///
    /// When it has none.
    #[track_caller]
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.state()["pid"].as_i64().and_then(|pid| pid.try_into().ok()).expect("a pid")
    }

    /// Sends a signal.
    ///
    /// # Panics
    ///
    /// When that fails.
    #[track_caller]
    pub fn kill(&self, signal: &str) {
        self.sandbox.runj(["kill", &self.id, signal]).run().succeeded_silently();
    }

    /// Waits until its process has ended.
    ///
    /// # Panics
    ///
    /// When it does not.
    #[track_caller]
    pub fn wait_stopped(&self) {
        eventually("the container to stop", || (self.status() == "stopped").then_some(()));
    }

    /// Deletes it, which takes no force.
    ///
    /// # Panics
    ///
    /// When that fails.
    #[track_caller]
    pub fn delete(&self) {
        self.verb("delete").succeeded_silently();
    }

    /// Deletes it, whatever it is doing.
    ///
    /// # Panics
    ///
    /// When that fails.
    #[track_caller]
    pub fn delete_by_force(&self) {
        self.sandbox.runj(["delete", "--force", &self.id]).run().succeeded_silently();
    }

    /// Kills it, and deletes it once it has ended.
    ///
    /// # Panics
    ///
    /// When one of the two fails.
    #[track_caller]
    pub fn end(&self) {
        self.kill("KILL");
        self.wait_stopped();
        self.delete();
    }

    /// `runj exec` in it; flags that are `exec`'s own are given by `flags`.
    pub fn exec<'b>(
        &self,
        flags: impl IntoIterator<Item = &'b str>,
        command: impl IntoIterator<Item: AsRef<std::ffi::OsStr>>,
    ) -> Invocation {
        self.sandbox.runj(["exec"]).args(flags).args([&self.id]).args(command)
    }

    /// What its process has written to standard output.
    ///
    /// # Panics
    ///
    /// When the file that it goes to cannot be read.
    #[must_use]
    pub fn output(&self) -> String {
        fs::read_to_string(&self.stdout).unwrap()
    }

    /// The whole lines that its process has written to standard output, each as JSON.
    ///
    /// # Panics
    ///
    /// When one is not JSON.
    #[must_use]
    pub fn lines(&self) -> Vec<Value> {
        let output = self.output();
        let whole = output.rfind('\n').map_or("", |end| &output[..end]);
        whole.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// Waits until its process has written its `number`th line, counted from 0.
    ///
    /// # Panics
    ///
    /// When it does not.
    #[must_use]
    pub fn wait_line(&self, number: usize) -> Value {
        eventually("a line of the container's process", || self.lines().get(number).cloned())
    }
}
