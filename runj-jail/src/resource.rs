//! The resources that the kernel counts and limits.

use std::fmt;
use std::str::FromStr;

/// A text that names no resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a resource: expected one of {all}", all = names())]
pub struct BadResource(String);

/// Declares the resources with the names that rctl(8) has for them and what the kernel can do
/// about each (`racct_types` in `kern_racct.c`).
macro_rules! resources {
    ($($(#[$doc:meta])+ $resource:ident = $name:literal [$($trait:ident)*],)+) => {
        /// A resource that the kernel counts for a jail (rctl(8), "RESOURCES").
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Resource {
            $($(#[$doc])+ $resource,)+
        }

        impl Resource {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$resource),+];

            /// The name that rctl(8) has for it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$resource => $name,)+
                }
            }

            fn traits(self) -> &'static [Trait] {
                match self {
                    $(Self::$resource => &[$(Trait::$trait),*],)+
                }
            }
        }
    };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Trait {
    /// What would take more can be refused.
    Deniable,
    /// It is a rate, whose use can be slowed down.
    Throttled,
    /// It is counted for the jail as a whole only (`RACCT_SLOPPY`).
    Shared,
}

resources! {
    /// Time of the processor, in seconds.
    CpuTime = "cputime" [],
    /// The size of the data segments, in bytes.
    DataSize = "datasize" [Deniable],
    /// The size of the stacks, in bytes.
    StackSize = "stacksize" [Deniable],
    /// The size of core dumps, in bytes.
    CoreDumpSize = "coredumpsize" [Deniable],
    /// Resident memory, in bytes. Nothing is refused: beyond the limit pages are taken from the
    /// processes, to swap (`vm_daemon`).
    MemoryUse = "memoryuse" [Deniable],
    /// Memory that is wired by mlock(2), in bytes.
    MemoryLocked = "memorylocked" [Deniable],
    /// Processes.
    MaxProc = "maxproc" [Deniable],
    /// Open descriptors.
    OpenFiles = "openfiles" [Deniable],
    /// Address space, in bytes.
    VmemoryUse = "vmemoryuse" [Deniable],
    /// Pseudo-terminals.
    PseudoTerminals = "pseudoterminals" [Deniable Shared],
    /// Swap space that is reserved or used, in bytes: it is reserved for all memory that has no
    /// file behind it, resident or not.
    SwapUse = "swapuse" [Deniable Shared],
    /// Threads.
    Nthr = "nthr" [Deniable],
    /// Queued System V messages.
    MsgqQueued = "msgqqueued" [Deniable Shared],
    /// The size of System V message queues, in bytes.
    MsgqSize = "msgqsize" [Deniable Shared],
    /// System V message queues.
    Nmsgq = "nmsgq" [Deniable Shared],
    /// System V semaphores.
    Nsem = "nsem" [Deniable Shared],
    /// System V semaphores that one semop(2) changes.
    Nsemop = "nsemop" [Deniable],
    /// System V shared memory segments.
    Nshm = "nshm" [Deniable Shared],
    /// The size of System V shared memory, in bytes.
    ShmSize = "shmsize" [Deniable Shared],
    /// Time since the start, in seconds.
    WallClock = "wallclock" [],
    /// The share of one processor, in percent; 200 are two processors.
    Pcpu = "pcpu" [Deniable],
    /// Bytes read from file systems in a second.
    ReadBps = "readbps" [Throttled],
    /// Bytes written to file systems in a second.
    WriteBps = "writebps" [Throttled],
    /// Reads from file systems in a second.
    ReadIops = "readiops" [Throttled],
    /// Writes to file systems in a second.
    WriteIops = "writeiops" [Throttled],
}

impl Resource {
    /// The largest amount that the kernel takes: it counts some in millionths
    /// (`RACCT_IN_MILLIONS`).
    pub(crate) fn most(self) -> u64 {
        const LARGEST: u64 = i64::MAX.cast_unsigned();
        match self {
            Self::CpuTime | Self::WallClock | Self::Pcpu => LARGEST / 1_000_000,
            _ => LARGEST,
        }
    }

    /// Whether the kernel can refuse what would exceed a limit.
    pub(crate) fn is_deniable(self) -> bool {
        self.traits().contains(&Trait::Deniable)
    }

    /// Whether the kernel can slow down what would exceed a limit.
    pub(crate) fn is_throttled(self) -> bool {
        self.traits().contains(&Trait::Throttled)
    }

    /// Whether it is counted for single processes as well.
    pub(crate) fn is_of_a_process(self) -> bool {
        !self.traits().contains(&Trait::Shared)
    }
}

fn names() -> String {
    Resource::ALL.iter().map(|resource| resource.name()).collect::<Vec<_>>().join(", ")
}

impl FromStr for Resource {
    type Err = BadResource;

    fn from_str(text: &str) -> Result<Self, BadResource> {
        let found = Self::ALL.iter().find(|resource| resource.name() == text);
        found.copied().ok_or_else(|| BadResource(text.to_owned()))
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
