//! What a container is allowed beyond the default.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode::{Decoded, Reader, boolean};
use crate::{AllowMount, AllowParameter};

/// What a container is allowed or forbidden beyond the kernel's default (OCI `freebsd.jail.allow`):
/// jail(8)'s parameters `allow.*`. What is not given stays as the kernel has it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FreebsdJailAllow {
    /// `allow.set_hostname`: to change its host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_hostname: Option<bool>,
    /// `allow.raw_sockets`: to use raw sockets, as ping(8) does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_sockets: Option<bool>,
    /// `allow.chflags`: to change system file flags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chflags: Option<bool>,
    /// `allow.mount` and `allow.mount.*`: to mount file systems.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount: Option<AllowMount>,
    /// `allow.quotas`: to administer quotas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quotas: Option<bool>,
    /// `allow.socket_af`: to use protocols other than IP, routing and local sockets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket_af: Option<bool>,
    /// `allow.mlock`: to lock memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mlock: Option<bool>,
    /// `allow.reserved_ports`: to bind ports below 1024.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserved_ports: Option<bool>,
    /// `allow.suser`: to have a super-user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suser: Option<bool>,
    /// `allow.sysvipc`: to use System V IPC. The specification's table has it, its schema does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sysvipc: Option<bool>,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl FreebsdJailAllow {
    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        Ok(Self {
            set_hostname: fields.optional("setHostname", boolean),
            raw_sockets: fields.optional("rawSockets", boolean),
            chflags: fields.optional("chflags", boolean),
            mount: fields.optional("mount", AllowMount::decode),
            quotas: fields.optional("quotas", boolean),
            socket_af: fields.optional("socketAf", boolean),
            mlock: fields.optional("mlock", boolean),
            reserved_ports: fields.optional("reservedPorts", boolean),
            suser: fields.optional("suser", boolean),
            sysvipc: fields.optional("sysvipc", boolean),
            extra: fields.rest(),
        })
    }

    /// What is given: the parameter of jail(8), the property that gave it, and the value.
    pub(crate) fn given(&self) -> Vec<(AllowParameter, &'static str, bool)> {
        let flags = [
            ("set_hostname", "setHostname", self.set_hostname),
            ("raw_sockets", "rawSockets", self.raw_sockets),
            ("chflags", "chflags", self.chflags),
            ("quotas", "quotas", self.quotas),
            ("socket_af", "socketAf", self.socket_af),
            ("mlock", "mlock", self.mlock),
            ("reserved_ports", "reservedPorts", self.reserved_ports),
            ("suser", "suser", self.suser),
            ("sysvipc", "sysvipc", self.sysvipc),
        ];
        let mut given: Vec<_> = flags
            .into_iter()
            .filter_map(|(name, key, value)| Some((AllowParameter::known(name), key, value?)))
            .collect();
        match &self.mount {
            None => {}
            Some(AllowMount::Any(any)) => {
                given.push((AllowParameter::known("mount"), "mount", *any));
            }
            Some(AllowMount::Types(types)) => {
                if !types.is_empty() {
                    given.push((AllowParameter::known("mount"), "mount", true));
                }
                given.extend(types.iter().map(|typ| (AllowParameter::mount(typ), "mount", true)));
            }
        }
        given
    }
}
