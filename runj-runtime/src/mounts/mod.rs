//! The container's mounts: planned from the configuration, then made inside the root.

mod copy_up;
pub(crate) mod devfs_rule;
mod devices;
mod file_copy;
pub(crate) mod file_system;
mod make;
mod options;
mod plan;
mod resolv_conf;
mod table;
mod undo;

pub(crate) use file_copy::{copies_of_others, refuse_copies_of_others, undo as undo_file_copy};
pub(crate) use file_system::FileSystem;
pub(crate) use make::{Roots, mount_all, mount_read_only, prepare};
pub(crate) use options::recognized as recognized_options;
pub(crate) use plan::{MountPlan, plan, ruleset};
pub(crate) use resolv_conf::resolv_conf;
pub(crate) use table::Table;
pub(crate) use undo::{below, unmount_own};
