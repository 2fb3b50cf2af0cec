//! The points by name.

/// Declares an enumeration of points: what each is about, its name, and the one system on which it
/// is come to, if it is not all.
macro_rules! points {
    (
        $(#[$about:meta])*
        pub enum $kind:ident {
            $($(#[$what:meta])* $point:ident = $name:literal $(on $system:literal)?,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $kind {
            $($(#[$what])* $point,)+
        }

        impl $kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$point),+];

            /// What a test calls it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)+
                }
            }

            /// The one operating system on which it is come to, as [`std::env::consts::OS`] has it.
            #[must_use]
            pub fn only_on(self) -> Option<&'static str> {
                match self {
                    $(Self::$point => points!(@ $($system)?),)+
                }
            }
        }
    };
    (@) => { None };
    (@ $system:literal) => { Some($system) };
}

points! {
    /// A step of `runj`, or of its shim (`shim-`), that touches the host.
    pub enum Point {
        /// The directory of all containers (`--root`) is made.
        StateRoot = "state-root",
        /// A container's directory is made.
        StateDirectory = "state-directory",
        /// A container's lock is opened, and made if the container is.
        Lock = "lock",
        /// A container's ledger is opened or made.
        LedgerOpen = "ledger-open",
        /// A deed is appended to a ledger.
        Ledger = "ledger",
        /// A temporary file is made that becomes a file written whole.
        FileTemporary = "file-temporary",
        /// It is written.
        FileWrite = "file-write",
        /// It takes the name that the file is to have.
        FileRename = "file-rename",
        /// A pid file is opened or made.
        PidFile = "pid-file",
        /// The pid is written into it.
        PidFileWrite = "pid-file-write",
        /// An address is added to an interface.
        AddAlias = "add-alias",
        /// It is removed again.
        RemoveAlias = "remove-alias",
        /// An interface is moved into a jail.
        MoveIn = "move-in",
        /// It is brought home.
        MoveHome = "move-home",
        /// A rule of rctl(4) is added.
        AddRule = "add-rule",
        /// One that does not hold any more is removed.
        ReplaceRule = "replace-rule",
        /// A jail gets its processors.
        SetCpus = "set-cpus",
        /// A mount point is made.
        MountPoint = "mount-point",
        /// The mount point of a read-only root is made.
        View = "view",
        /// Something is mounted.
        Mount = "mount",
        /// A rule says what a devfs shows.
        DevfsRule = "devfs-rule",
        /// A tmpfs is filled with what it covers.
        CopyUp = "copy-up",
        /// It becomes read-only.
        MakeReadOnly = "make-read-only",
        /// What a copy of a file is to cover gets another name.
        KeepFile = "keep-file" on "freebsd",
        /// The copy is made.
        CopyFile = "copy-file" on "freebsd",
        /// A jail is made, under a name that is nobody else's.
        CreateJail = "create-jail",
        /// It gets its own name.
        NameJail = "name-jail",
        /// The socket is made at which a container's process waits.
        Listen = "listen",
        /// So is the lock that it holds meanwhile.
        StartLock = "start-lock",
        /// A terminal is made.
        Terminal = "terminal",
        /// Its other side is sent to whoever is to have it.
        SendTerminal = "send-terminal",
        /// A process of a container is forked.
        Fork = "fork",
        /// It is asked for when it started.
        Identify = "identify",
        /// It is on record, and told to enter the jail.
        LetEnter = "let-enter",
        /// What it has to say is read.
        Report = "report",
        /// A hook is started.
        Hook = "hook",
        /// Its process, which is on record, is let go on.
        HookGo = "hook-go",
        /// Its end is waited for.
        HookWait = "hook-wait",
        /// The process of a container is told to go on.
        Connect = "connect",
        /// The note that it runs hooks is removed.
        Started = "started",
        /// A container's process gets a signal.
        Signal = "signal",
        /// All processes in a jail get one.
        SignalAll = "signal-all",
        /// A container's process is stopped.
        StopInit = "stop-init",
        /// Another process in its jail is.
        Stop = "stop",
        /// All processes in a jail go on.
        Continue = "continue",
        /// A container's process does.
        ContinueInit = "continue-init",
        /// What a container uses is asked for.
        ReadUsage = "read-usage",
        /// Its processes are listed.
        ReadProcesses = "read-processes",
        /// A container's process is killed by `delete --force`, so that others let go of it.
        KillFirst = "kill-first",
        /// A hook that still runs is ended.
        EndHook = "end-hook",
        /// A container's process is ended.
        EndInit = "end-init",
        /// A jail is removed.
        RemoveJail = "remove-jail",
        /// Something is unmounted.
        Unmount = "unmount",
        /// So is what the container mounted by itself.
        UnmountOwn = "unmount-own",
        /// A mount point that was made is removed.
        RemoveMountPoint = "remove-mount-point",
        /// What a copy of a file covers is put back.
        UndoCopy = "undo-copy" on "freebsd",
        /// A rule is removed.
        RemoveRule = "remove-rule",
        /// Mount points are left to another container with the same root.
        Inherit = "inherit",
        /// The mount point of a read-only root is removed.
        ForgetView = "forget-view",
        /// A file of a container's directory is removed.
        ForgetFile = "forget-file",
        /// Its state is.
        ForgetState = "forget-state",
        /// Its lock is.
        ForgetLock = "forget-lock",
        /// The directory is.
        ForgetDirectory = "forget-directory",
        /// A directory without a lock, which its creator left, is removed.
        ForgetEmpty = "forget-empty",
        /// The shim's socket is made.
        ShimListen = "shim-listen",
        /// The shim that stays is started.
        ShimSpawn = "shim-spawn",
        /// Its address is written down.
        ShimAddress = "shim-address",
        /// containerd is told what `start` or `delete` came to.
        ShimAnswer = "shim-answer",
        /// The shim serves from now on.
        ShimServe = "shim-serve",
        /// A file of the bundle is written, under another name.
        ShimWrite = "shim-write",
        /// It takes its name.
        ShimRename = "shim-rename",
        /// A file system of the container's root is mounted.
        ShimMount = "shim-mount",
        /// The root is unmounted.
        ShimUnmount = "shim-unmount",
        /// The streams of a process are opened.
        ShimStreams = "shim-streams",
        /// `runj` is called.
        ShimRunj = "shim-runj",
        /// The pid that it left is read.
        ShimPid = "shim-pid",
        /// What Exec is to run is written for `runj`.
        ShimProcess = "shim-process",
        /// So are new limits.
        ShimResources = "shim-resources",
        /// containerd is told of an event.
        ShimEvent = "shim-event",
        /// The shim's `delete` calls `runj`.
        ShimDelete = "shim-delete",
        /// A socket of the shim's is removed.
        ShimForget = "shim-forget",
    }
}

points! {
    /// A step of a process on its way to its program, between fork(2) and execve(2).
    pub enum InitPoint {
        /// It gets a session of its own.
        Session = "init-session",
        /// It waits until it is on record.
        Recorded = "init-recorded",
        /// It enters the jail.
        Enter = "init-enter",
        /// It is in the jail, and becomes the user that it is to be.
        User = "init-user",
        /// It was started, and has nothing to do but to execute its program.
        Started = "init-started",
        /// It was started, and runs hooks.
        Hooks = "init-hooks",
        /// It executes its program.
        Exec = "init-exec",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_points_have_the_same_name() {
        let mut names: Vec<_> = Point::ALL.iter().map(|point| point.name()).collect();
        names.extend(InitPoint::ALL.iter().map(|point| point.name()));
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}
