//! Getting files by HTTP.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Error, anyhow, bail};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body, http::Response};

use super::partial::{Partial, Source};
use crate::progress;

/// How long the other side may keep silent.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most bytes of a MANIFEST; they have about 2000.
const MANIFEST_LIMIT: u64 = 1 << 20;

/// What fetches files.
pub(super) struct Client {
    agent: Agent,
}

impl Client {
    pub(super) fn new(mirror: &str) -> Result<Self, Error> {
        let mut config = Agent::config_builder()
            .user_agent(concat!("runj/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_read(Some(PATIENCE));
        if mirror.starts_with("https:") {
            // What is asked for safely is not fetched otherwise, wherever one is sent.
            config = config.https_only(true).tls_config(tls()?);
        }
        Ok(Self { agent: config.build().into() })
    }

    /// A small text.
    pub(super) fn text(&self, url: &str) -> Result<String, Error> {
        let mut response = self.agent.get(url).call().map_err(|error| failed(url, error))?;
        let body = response.body_mut().with_config().limit(MANIFEST_LIMIT);
        body.read_to_string().map_err(|error| failed(url, error))
    }

    /// Fetches what is missing of the file with that checksum.
    pub(super) fn fetch(
        &self,
        url: &str,
        sha256: &str,
        partial: &mut Partial,
    ) -> Result<(), Error> {
        let there = partial.there(url, sha256);
        let mut request = self.agent.get(url);
        if let Some(there) = &there {
            // A server whose file is another one by now sends all of that.
            request = request
                .header("Range", format!("bytes={}-", there.length))
                .header("If-Range", &there.validator);
        }
        let response = match request.call() {
            // All of it is there.
            Err(ureq::Error::StatusCode(416)) if there.is_some() => return Ok(()),
            result => result.map_err(|error| failed(url, error))?,
        };
        let start = start(&response).with_context(|| format!("{url}: an answer without sense"))?;
        match there {
            _ if start == 0 => partial.restart(&Source {
                url: url.to_owned(),
                sha256: sha256.to_owned(),
                validator: validator(&response),
            })?,
            Some(there) if start == there.length => {}
            _ => bail!("{url}: the server sent what comes after byte {start}, unasked"),
        }
        let missing = response.body().content_length();
        let progress = progress::bar(start, missing);
        let mut body = response.into_body().into_reader();
        let copied = io::copy(&mut body, &mut progress.wrap_write(&mut *partial));
        progress.finish_and_clear();
        let copied = copied.with_context(|| kept(url, partial))?;
        match missing {
            Some(missing) if missing != copied => {
                Err(anyhow!("the connection ended early")).with_context(|| kept(url, partial))
            }
            _ => Ok(()),
        }
    }
}

/// By what the server can tell whether its file has changed since: a strong entity tag, or else the
/// time of the last change.
fn validator(response: &Response<Body>) -> Option<String> {
    let header = |name| response.headers().get(name)?.to_str().ok();
    let tag = header("ETag").filter(|tag| !tag.starts_with("W/"));
    tag.or_else(|| header("Last-Modified")).map(str::to_owned)
}

/// Of which byte the answer begins.
fn start(response: &Response<Body>) -> Option<u64> {
    if response.status() != 206 {
        return Some(0);
    }
    // bytes FIRST-LAST/ALL (RFC 9110, section 14.4).
    let range = response.headers().get("Content-Range")?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}

fn kept(url: &str, partial: &Partial) -> String {
    format!(
        "{url}: what has come is in {:?}, and the same command goes on from there",
        partial.path()
    )
}

fn failed(url: &str, error: ureq::Error) -> Error {
    match error {
        ureq::Error::StatusCode(404) => anyhow!("{url}: the server has no such file"),
        ureq::Error::StatusCode(status) => {
            anyhow!("{url}: the server answers with status {status}")
        }
        error => anyhow!("{url}: {error}"),
    }
}

/// TLS with the certificates that the host trusts.
fn tls() -> Result<TlsConfig, Error> {
    if !runj_demo::processor_has_tls() {
        bail!(
            "this processor is too old for the TLS that runj has; --mirror takes http:// as well"
        );
    }
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        bail!("the host has no trusted certificates (on FreeBSD, certctl rehash makes them)");
    }
    let certificates =
        found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(certificates)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls_graviola::default_provider()))
        .build())
}
