//! Telling containerd what happens.

use std::time::Duration;

use jiff::Timestamp;
use protobuf::well_known_types::any::Any;
use protobuf::{Message, MessageField};
use runj_faults::{Point, at};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use ttrpc::r#async::Client;
use ttrpc::context;

use crate::error::whole;
use crate::exit::timestamp;
use crate::rpc::events::{Envelope, ForwardRequest};
use crate::rpc::events_ttrpc::EventsClient;
use crate::rpc::task_events::{
    TaskCreate, TaskDelete, TaskExecAdded, TaskExecStarted, TaskExit, TaskPaused, TaskResumed,
    TaskStart,
};

/// How long containerd may take to accept an event.
const PATIENCE: Duration = Duration::from_secs(5);

/// Something that happened, with what containerd calls it.
pub(crate) trait Event: Message {
    const TOPIC: &'static str;
    const TYPE_URL: &'static str;
}

macro_rules! events {
    ($($event:ident $topic:literal),+ $(,)?) => {$(
        impl Event for $event {
            const TOPIC: &'static str = concat!("/tasks/", $topic);
            const TYPE_URL: &'static str = concat!("containerd.events.", stringify!($event));
        }
    )+};
}

events! {
    TaskCreate "create",
    TaskStart "start",
    TaskExit "exit",
    TaskDelete "delete",
    TaskExecAdded "exec-added",
    TaskExecStarted "exec-started",
    TaskPaused "paused",
    TaskResumed "resumed",
}

/// Where events are left. They reach containerd in the order in which they are left here.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    namespace: String,
    queue: mpsc::UnboundedSender<Item>,
}

#[derive(Debug)]
enum Item {
    Event(Box<Envelope>),
    /// To be told when everything before has been delivered.
    Flush(oneshot::Sender<()>),
}

impl Events {
    /// Delivers events to containerd's socket of that path.
    pub(crate) fn start(namespace: &str, address: String) -> Self {
        let (queue, items) = mpsc::unbounded_channel();
        tokio::spawn(deliver(address, items));
        Self { namespace: namespace.to_owned(), queue }
    }

    pub(crate) fn publish<E: Event>(&self, event: &E) {
        let Ok(value) = event.write_to_bytes() else { return };
        let event = Any { type_url: E::TYPE_URL.into(), value, ..Any::default() };
        let envelope = Envelope {
            timestamp: MessageField::some(timestamp(Timestamp::now())),
            namespace: self.namespace.clone(),
            topic: E::TOPIC.into(),
            event: MessageField::some(event),
            ..Envelope::default()
        };
        // The other side lives as long as the runtime.
        let _ = self.queue.send(Item::Event(Box::new(envelope)));
    }

    /// Waits until everything published so far has been delivered, but no longer than `limit`.
    pub(crate) async fn flush(&self, limit: Duration) {
        let (sender, flushed) = oneshot::channel();
        if self.queue.send(Item::Flush(sender)).is_ok() && timeout(limit, flushed).await.is_err() {
            tracing::warn!("containerd does not accept events");
        }
    }
}

async fn deliver(address: String, mut items: mpsc::UnboundedReceiver<Item>) {
    let mut client = None;
    while let Some(item) = items.recv().await {
        match item {
            // Whoever asked may not have waited.
            Item::Flush(sender) => drop(sender.send(())),
            Item::Event(envelope) => {
                let topic = envelope.topic.clone();
                let request = ForwardRequest {
                    envelope: MessageField::from_option(Some(*envelope)),
                    ..ForwardRequest::default()
                };
                forward(&address, &mut client, &request).await;
                tracing::debug!("published {topic}");
            }
        }
    }
}

/// Delivers one event. containerd may be gone for a while: it is tried until it succeeds.
async fn forward(address: &str, client: &mut Option<EventsClient>, request: &ForwardRequest) {
    const LONGEST_PAUSE: Duration = Duration::from_secs(1);
    let mut pause = Duration::from_millis(10);
    loop {
        let error = match connected(address, client).await {
            Ok(client) => match client.forward(context::with_duration(PATIENCE), request).await {
                Ok(_) => return,
                // containerd has received it and does not want it.
                Err(ttrpc::Error::RpcStatus(status)) => {
                    tracing::warn!("containerd refuses an event: {}", status.message());
                    return;
                }
                Err(error) => error,
            },
            Err(error) => error,
        };
        tracing::debug!("telling containerd: {}", whole(&error));
        *client = None;
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn connected<'a>(
    address: &str,
    client: &'a mut Option<EventsClient>,
) -> ttrpc::Result<&'a EventsClient> {
    at(Point::ShimEvent).map_err(|fault| ttrpc::Error::Others(fault.to_string()))?;
    if client.is_none() {
        let connection = Client::connect(&format!("unix://{address}")).await?;
        *client = Some(EventsClient::new(connection));
    }
    client.as_ref().ok_or(ttrpc::Error::Others("not connected".into()))
}
