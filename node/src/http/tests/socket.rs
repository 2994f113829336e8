//! The socket: its mode, who may take its place, and the end of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener as StdListener;
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::oneshot;

use super::api;
use crate::http::{ApiSocket, SocketError, serve};

/// Sends bytes and reads until the other side closes.
async fn exchange(path: &Path, request: &[u8]) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    // Where the server refuses early, the rest of the request meets a closed socket.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn it_is_for_user_and_group_and_gone_with_its_owner() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("api.sock");
    let socket = ApiSocket::bind(&path).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o660);
    drop(socket);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_second_daemon_is_refused_and_a_stale_socket_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("api.sock");
    let first = ApiSocket::bind(&path).unwrap();
    let error = ApiSocket::bind(&path).unwrap_err();
    assert!(matches!(error, SocketError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("api.sock"), "{error}");
    assert!(UnixStream::connect(&path).await.is_ok());
    drop(first);

    // The file of a process that was killed.
    drop(StdListener::bind(&path).unwrap());
    assert!(path.exists());
    let second = ApiSocket::bind(&path).unwrap();
    assert!(UnixStream::connect(&path).await.is_ok());
    drop(second);
    assert!(!path.exists());
}

#[tokio::test]
async fn what_is_not_a_socket_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("api.sock");
    fs::write(&path, "a file").unwrap();
    let error = ApiSocket::bind(&path).unwrap_err();
    assert!(matches!(error, SocketError::NotASocket { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "a file");
    let long = dir.path().join("x".repeat(100));
    let error = ApiSocket::bind(&long).unwrap_err();
    assert!(matches!(error, SocketError::TooLong { .. }), "{error}");
}

#[tokio::test]
async fn a_successors_socket_is_not_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("api.sock");
    let socket = ApiSocket::bind(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let successor = StdListener::bind(&path).unwrap();
    drop(socket);
    assert!(path.exists());
    drop(successor);
}

#[tokio::test]
async fn it_serves_until_stopped_and_finishes_what_is_under_way() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("api.sock");
    let socket = ApiSocket::bind(&path).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(socket, api(), async {
        let _ = stopped.await;
    }));
    let get = b"GET /v1/health HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n";
    let answer = exchange(&path, get).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");

    // An import whose body is half sent when the node is told to stop. The 100 shows that
    // the route is reading it.
    let mut importing = UnixStream::connect(&path).await.unwrap();
    let head = b"POST /v1/import/host?file_name=a.csv HTTP/1.1\r\nHost: node\r\n\
                 Content-Length: 6\r\nExpect: 100-continue\r\n\r\n";
    importing.write_all(head).await.unwrap();
    let mut go_on = [0u8; 25];
    importing.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stop.send(()).unwrap();
    importing.write_all(b"123456").await.unwrap();
    let mut answer = String::new();
    importing.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("\"rows\":6"), "{answer}");
    server.await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn heads_over_the_limits_are_refused_and_others_served_all_the_while() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("api.sock");
    let socket = ApiSocket::bind(&path).unwrap();
    let server = tokio::spawn(serve(socket, api(), std::future::pending()));
    let start = "GET /v1/health HTTP/1.1\r\nHost: node\r\nConnection: close\r\n";
    let long = format!("{start}X-Long: {}\r\n\r\n", "x".repeat(20_000));
    let many: String = (0..40).map(|n| format!("X-{n}: 1\r\n")).collect();
    for request in [long, format!("{start}{many}\r\n")] {
        let answer = exchange(&path, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let answer = exchange(&path, b"\x16\x03\x01 no http\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let answer = exchange(&path, format!("{start}\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    server.abort();
}
