//! Frames on a stream: four bytes of length, most significant first, then the frame (P-22).

use quinn::{RecvStream, SendStream};

/// Why a frame was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    /// The peer announced more than the stream may carry. Nothing of it was read.
    #[error("a frame of {announced} bytes where at most {limit} are allowed")]
    TooLong { announced: usize, limit: usize },
    /// The stream or the connection broke.
    #[error("the stream broke: {0}")]
    Broken(#[from] quinn::ReadExactError),
}

/// Reads one frame; `Ok(None)` where the stream ended between frames.
pub(super) async fn read(
    stream: &mut RecvStream,
    limit: usize,
) -> Result<Option<Vec<u8>>, FrameError> {
    let mut length = [0; 4];
    match stream.read_exact(&mut length).await {
        Ok(()) => {}
        Err(quinn::ReadExactError::FinishedEarly(0)) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let announced = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(FrameError::TooLong { announced, limit });
    }
    // Grows with what arrives, not with what was announced.
    let mut frame = Vec::with_capacity(announced.min(4096));
    let mut buffer = [0; 4096];
    while frame.len() < announced {
        let room = buffer.len().min(announced - frame.len());
        let Some(part) = buffer.get_mut(..room) else {
            break;
        };
        stream.read_exact(part).await?;
        frame.extend_from_slice(part);
    }
    Ok(Some(frame))
}

/// Writes one frame.
pub(super) async fn write(stream: &mut SendStream, frame: &[u8]) -> Result<(), quinn::WriteError> {
    let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(frame).await
}
