//! A web server for downloads.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sha2::{Digest as _, Sha256};

/// A mirror of FreeBSD's releases on this host, as a test needs one: it gives its files by HTTP,
/// whole and in parts, and remembers what it was asked for.
#[derive(Debug)]
pub struct Mirror {
    url: String,
    address: SocketAddr,
    shared: Arc<Shared>,
    server: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    files: Mutex<BTreeMap<String, Served>>,
    requests: Mutex<Vec<Request>>,
    over: AtomicBool,
}

/// A file as the server gives it.
#[derive(Clone, Debug, Default)]
pub struct Served {
    /// What is in it.
    pub content: Vec<u8>,
    /// Headers by which its versions are told apart, such as `ETag: "1"`.
    pub validator: Option<(&'static str, &'static str)>,
    /// Whether parts of it can be had.
    pub parts: bool,
    /// After how many bytes the connection is cut.
    pub cut: Option<usize>,
}

/// What a client has asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The path.
    pub path: String,
    /// The header `Range`.
    pub range: Option<String>,
    /// The header `If-Range`.
    pub if_range: Option<String>,
}

impl Mirror {
    /// Starts one without files.
    ///
    /// # Panics
    ///
    /// When it cannot listen.
    #[must_use]
    pub fn start() -> Self {
        Self::serve("http", |serving, mut stream| serving.answer(&mut stream))
    }

    /// The certificate of the authority that vouches for mirrors with TLS, in PEM. Its key is
    /// nowhere any more, so that it will never vouch for anything else.
    pub const AUTHORITY: &str = include_str!("mirror/authority.pem");

    /// Starts one without files that speaks TLS, as `localhost` and under no other name.
    ///
    /// # Panics
    ///
    /// When it cannot listen, or the processor lacks what TLS takes.
    #[must_use]
    pub fn start_with_tls() -> Self {
        let chain = CertificateDer::from_pem_slice(include_bytes!("mirror/server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("mirror/server.key")).unwrap();
        let provider = Arc::new(rustls_graviola::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![chain], key)
            .unwrap();
        let config = Arc::new(config);
        Self::serve("https", move |serving, stream| {
            let connection = ServerConnection::new(Arc::clone(&config));
            let connection = connection.map_err(std::io::Error::other)?;
            let mut stream = StreamOwned::new(connection, stream);
            serving.answer(&mut stream)?;
            // Without this farewell the client could not tell the end from a cut.
            stream.conn.send_close_notify();
            stream.flush()
        })
    }

    fn serve<A>(scheme: &str, answer: A) -> Self
    where
        A: Fn(&Shared, TcpStream) -> std::io::Result<()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        let server = thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.over.load(Ordering::Relaxed) {
                    break;
                }
                // A client that goes away is the test's matter.
                let _ = stream.and_then(|stream| answer(&serving, stream));
            }
        });
        let url = format!("{scheme}://{address}");
        Self { url, address, shared, server: Some(server) }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The port at which it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Gives a file from now on.
    ///
    /// # Panics
    ///
    /// Never.
    pub fn give(&self, path: &str, file: Served) {
        self.shared.files.lock().unwrap().insert(path.to_owned(), file);
    }

    /// Gives the list of checksums beside a release's `base.txz` of that content.
    pub fn give_manifest(&self, directory: &str, base: &[u8]) {
        let digest = Sha256::digest(base);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!(
            "base-dbg.txz\t{}\t1\tbase_dbg\t\"Debugging\"\toff\nbase.txz\t{digest}\t2\tbase\t\"Base\"\ton\n",
            "0".repeat(64)
        );
        let content = text.into_bytes();
        self.give(&format!("{directory}/MANIFEST"), Served { content, ..Served::default() });
    }

    /// What it was asked for since this was called last.
    ///
    /// # Panics
    ///
    /// Never.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.shared.requests.lock().unwrap())
    }
}

impl Shared {
    fn answer(&self, stream: &mut (impl Read + Write)) -> std::io::Result<()> {
        let mut lines = BufReader::new(&mut *stream).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut request = Request { path, ..Request::default() };
        for line in lines.by_ref() {
            let line = line?;
            let Some((name, value)) = line.split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "range" => request.range = Some(value.trim().to_owned()),
                "if-range" => request.if_range = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        self.requests.lock().unwrap().push(request.clone());
        let Some(file) = self.files.lock().unwrap().get(&request.path).cloned() else {
            let none = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            return stream.write_all(none.as_bytes());
        };
        let length = file.content.len();
        let same = match (&request.if_range, file.validator) {
            (Some(asked), Some((_, value))) => asked == value,
            (asked, _) => asked.is_none(),
        };
        let start = request.range.filter(|_| file.parts && same);
        let start = start.map(|range| {
            let first = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
            first.unwrap().parse::<usize>().unwrap()
        });
        let status = match start {
            None => "200 OK".to_owned(),
            Some(start) if start < length => format!(
                "206 Partial Content\r\nContent-Range: bytes {start}-{}/{length}",
                length - 1
            ),
            Some(_) => "416 Range Not Satisfiable".to_owned(),
        };
        let body = file.content.get(start.unwrap_or(0)..).unwrap_or_default();
        let validator = file.validator.map(|(name, value)| format!("{name}: {value}\r\n"));
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\n{}Connection: close\r\n\r\n",
            body.len(),
            validator.unwrap_or_default()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(&body[..file.cut.unwrap_or(body.len()).min(body.len())])
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // It is told by a last client.
        let _ = TcpStream::connect(self.address);
        let _ = self.server.take().map(JoinHandle::join);
    }
}
