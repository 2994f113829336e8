//! samod's side: two repositories in this process, over TCP on loopback, with its own file
//! storage, which does not flush.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use automerge::transaction::Transactable;
use automerge::{Automerge, ObjId, ROOT, ReadDoc};
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, join_all};
use samod::storage::TokioFilesystemStorage;
use samod::{BackoffConfig, DialError, Dialer, DocHandle, DocumentId, Repo, Transport, Url};
use system_tests::harness::Random;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::report::Figure;

/// A repository that holds the whole region and listens.
pub(crate) struct Server {
    repo: Repo,
    documents: Vec<DocHandle>,
    port: u16,
}

impl Server {
    /// Has samod store the documents, and listens.
    pub(crate) async fn make(dir: &Path, saved: &[Vec<u8>]) -> Self {
        let storage = TokioFilesystemStorage::new(dir.join("samod-holder"));
        let repo = Repo::build_tokio().with_storage(storage).load().await;
        let mut documents = Vec::new();
        for bytes in saved {
            let document = Automerge::load(bytes).unwrap();
            documents.push(repo.create(document).await.unwrap());
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = repo.make_acceptor(url(port)).unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                acceptor.accept_tokio_io(stream).unwrap();
            }
        });
        Self {
            repo,
            documents,
            port,
        }
    }

    fn ids(&self) -> Vec<DocumentId> {
        self.documents
            .iter()
            .map(|document| document.document_id().clone())
            .collect()
    }

    pub(crate) async fn stop(self) {
        self.repo.stop().await;
    }
}

fn url(port: u16) -> Url {
    Url::parse(&format!("tcp://127.0.0.1:{port}")).unwrap()
}

/// A repository that dialled the server and asked for everything.
pub(crate) struct Client {
    repo: Repo,
    documents: Vec<DocHandle>,
    bytes: Arc<AtomicU64>,
}

impl Client {
    /// An empty repository that fetches all documents of the server. Returns how long that
    /// took, until each had all changes in memory.
    pub(crate) async fn cold_start(server: &Server, dir: &Path) -> (Self, Duration) {
        let begun = Instant::now();
        let storage = TokioFilesystemStorage::new(dir);
        let repo = Repo::build_tokio().with_storage(storage).load().await;
        let bytes = Arc::new(AtomicU64::new(0));
        let dialer = Counting {
            port: server.port,
            bytes: Arc::clone(&bytes),
        };
        let dialling = repo
            .dial(BackoffConfig::default(), Arc::new(dialer))
            .unwrap();
        dialling.established().await.unwrap();
        let found = join_all(server.ids().into_iter().map(|id| repo.find(id))).await;
        let documents: Vec<DocHandle> = found
            .into_iter()
            .map(|found| found.unwrap().unwrap())
            .collect();
        for (mine, theirs) in documents.iter().zip(&server.documents) {
            let wanted = theirs.with_document(|document| document.get_heads());
            let mut changes = mine.changes();
            while mine.with_document(|document| document.get_heads()) != wanted {
                changes.next().await;
            }
        }
        let time = begun.elapsed();
        (
            Self {
                repo,
                documents,
                bytes,
            },
            time,
        )
    }

    /// Bytes that went over TCP so far, both ways.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) async fn stop(self) {
        self.repo.stop().await;
    }
}

/// One edit after another at the server, each until the client has it. In milliseconds.
pub(crate) async fn edits(
    server: &Server,
    client: &Client,
    random: &mut Random,
    count: usize,
) -> Figure {
    let (from, to) = (&server.documents[0], &client.documents[0]);
    let records: Vec<ObjId> = from.with_document(|document| {
        let (_, map) = document.get(ROOT, "records").unwrap().unwrap();
        let keys: Vec<String> = document.keys(&map).collect();
        let object = |key: String| document.get(&map, key).unwrap().unwrap().1;
        keys.into_iter().map(object).collect()
    });
    let mut figure = Figure::default();
    let mut changes = to.changes();
    for n in 0..count {
        let record = &records[random.below(records.len() as u64) as usize];
        let begun = Instant::now();
        let heads = from.with_document(|document| {
            let mut transaction = document.transaction();
            let value = i64::try_from(n).unwrap();
            transaction.put(record, "current_capacity", value).unwrap();
            transaction.commit();
            document.get_heads()
        });
        while to.with_document(|document| document.get_heads()) != heads {
            changes.next().await;
        }
        figure.add(begun.elapsed().as_secs_f64() * 1e3);
    }
    figure
}

/// Dials over TCP, and counts what goes over it.
struct Counting {
    port: u16,
    bytes: Arc<AtomicU64>,
}

impl Dialer for Counting {
    type Error = std::convert::Infallible;

    fn url(&self) -> Url {
        url(self.port)
    }

    fn connect(&self) -> BoxFuture<'static, Result<Transport, DialError<Self::Error>>> {
        let (port, bytes) = (self.port, Arc::clone(&self.bytes));
        Box::pin(async move {
            let stream = TcpStream::connect(("127.0.0.1", port))
                .await
                .map_err(DialError::transient)?;
            stream.set_nodelay(true).map_err(DialError::transient)?;
            Ok(Transport::from_tokio_io(Counted { stream, bytes }))
        })
    }
}

struct Counted {
    stream: TcpStream,
    bytes: Arc<AtomicU64>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let read = buffer.filled().len() - before;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.bytes.fetch_add(written as u64, Ordering::Relaxed);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
