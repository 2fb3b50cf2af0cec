//! veth(4) by rtnetlink(7).

use std::sync::atomic::{AtomicU32, Ordering};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

/// Creates a pair and sets it up.
pub(crate) fn create() -> (String, String) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let [a, b] = ["a", "b"].map(|end| format!("t{}x{number}{end}", std::process::id()));

    let mut message = named(&a);
    message.attributes.push(LinkAttribute::LinkInfo(vec![
        LinkInfo::Kind(InfoKind::Veth),
        LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(named(&b)))),
    ]));
    request(RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL).unwrap();
    for end in [&a, &b] {
        let mut message = named(end);
        message.header.flags = LinkFlags::Up;
        message.header.change_mask = LinkFlags::Up;
        request(RouteNetlinkMessage::SetLink(message), 0).unwrap();
    }
    (a, b)
}

/// Destroys the pair that an interface is of.
pub(crate) fn destroy(interface: &str) {
    let _ = request(RouteNetlinkMessage::DelLink(named(interface)), 0);
}

fn named(interface: &str) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(interface.to_owned()));
    message
}

fn request(message: RouteNetlinkMessage, flags: u16) -> Result<(), String> {
    let mut packet = NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::from(message));
    packet.header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    packet.finalize();
    let mut bytes = vec![0; packet.buffer_len()];
    packet.serialize(&mut bytes);

    let socket = Socket::new(NETLINK_ROUTE).unwrap();
    socket.connect(&SocketAddr::new(0, 0)).unwrap();
    socket.send(&bytes, 0).unwrap();
    let mut answer = Vec::with_capacity(8192);
    socket.recv(&mut answer, 0).unwrap();
    match NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer).unwrap().payload {
        NetlinkPayload::Error(error) if error.code.is_none() => Ok(()),
        other => Err(format!("{other:?}")),
    }
}
