//! The body of an answer: nothing, bytes in memory, or a stream.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Why a body broke off. The connection is cut, so that the client cannot take it for whole.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

type BoxedBody = Pin<Box<dyn Body<Data = Bytes, Error = BodyError> + Send>>;

/// What an answer carries below its headers.
pub struct ResponseBody(Inner);

enum Inner {
    Empty,
    Full(Bytes),
    Streamed(BoxedBody),
}

impl ResponseBody {
    /// No body.
    pub fn empty() -> Self {
        Self(Inner::Empty)
    }

    /// A body that is already in memory.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self(if bytes.is_empty() {
            Inner::Empty
        } else {
            Inner::Full(bytes)
        })
    }

    /// Any other body. An error in it cuts the connection.
    pub fn from_body(body: impl Body<Data = Bytes, Error = BodyError> + Send + 'static) -> Self {
        Self(Inner::Streamed(Box::pin(body)))
    }

    /// A body of exactly `length` bytes, made piece by piece: `step` takes the state and gives the
    /// next piece with the state after it, or `None` at the end. An error cuts the connection.
    pub fn unfold<S, F, Fut, E>(length: u64, state: S, step: F) -> Self
    where
        S: Send + 'static,
        F: FnMut(S) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Option<(Bytes, S)>, E>> + Send + 'static,
        E: Into<BodyError>,
    {
        Self::from_body(Unfold {
            remaining: length,
            state: Some(state),
            step,
            running: None,
        })
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.0 {
            Inner::Empty => Poll::Ready(None),
            Inner::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = Inner::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Inner::Streamed(body) => body.as_mut().poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Empty => true,
            Inner::Full(_) => false,
            Inner::Streamed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Empty => SizeHint::with_exact(0),
            Inner::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Inner::Streamed(body) => body.size_hint(),
        }
    }
}

/// A body with a guard that is dropped when the body is: sent, broken off or given up.
pub struct Guarded<G> {
    body: ResponseBody,
    _guard: G,
}

impl<G> Guarded<G> {
    /// Keeps `guard` for as long as `body` is there.
    pub fn new(body: ResponseBody, guard: G) -> Self {
        Self {
            body,
            _guard: guard,
        }
    }
}

impl<G: Unpin> Body for Guarded<G> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that is a loop over an asynchronous step.
struct Unfold<S, F, Fut> {
    remaining: u64,
    state: Option<S>,
    step: F,
    running: Option<Pin<Box<Fut>>>,
}

// Only the boxed future is ever pinned.
impl<S, F, Fut> Unpin for Unfold<S, F, Fut> {}

impl<S, F, Fut, E> Body for Unfold<S, F, Fut>
where
    F: FnMut(S) -> Fut,
    Fut: Future<Output = Result<Option<(Bytes, S)>, E>>,
    E: Into<BodyError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if this.running.is_none() {
            let Some(state) = this.state.take() else {
                return Poll::Ready(None);
            };
            this.running = Some(Box::pin((this.step)(state)));
        }
        let running = this.running.as_mut().expect("it was set a line above");
        let outcome = std::task::ready!(running.as_mut().poll(context));
        this.running = None;
        match outcome {
            Ok(Some((bytes, state))) => {
                let Some(remaining) = this.remaining.checked_sub(bytes.len() as u64) else {
                    return Poll::Ready(Some(Err("more bytes than the answer promised".into())));
                };
                this.remaining = remaining;
                this.state = Some(state);
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Ok(None) if this.remaining > 0 => {
                Poll::Ready(Some(Err("fewer bytes than the answer promised".into())))
            }
            Ok(None) => Poll::Ready(None),
            Err(error) => Poll::Ready(Some(Err(error.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    /// The bytes of a body that yields these pieces and then, if it is to, fails.
    async fn collected(
        length: u64,
        pieces: &[&'static str],
        fails: bool,
    ) -> Result<String, String> {
        let pieces: Vec<_> = pieces.to_vec();
        let body = ResponseBody::unfold(length, pieces.into_iter(), move |mut rest| async move {
            match rest.next() {
                Some(piece) => Ok(Some((Bytes::from_static(piece.as_bytes()), rest))),
                None if fails => Err("damaged"),
                None => Ok(None),
            }
        });
        let whole = body.collect().await.map_err(|error| error.to_string())?;
        Ok(String::from_utf8(whole.to_bytes().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn pieces_come_in_order() {
        assert_eq!(
            collected(6, &["abc", "def"], false).await.unwrap(),
            "abcdef"
        );
        assert_eq!(collected(0, &[], false).await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_body_never_ends_as_if_it_were_whole() {
        assert_eq!(collected(6, &["abc"], true).await.unwrap_err(), "damaged");
        assert!(collected(6, &["abc"], false).await.is_err());
        assert!(collected(2, &["abc"], false).await.is_err());
    }

    #[test]
    fn lengths_are_known_before_the_first_byte() {
        assert_eq!(ResponseBody::full("abc").size_hint().exact(), Some(3));
        assert_eq!(ResponseBody::empty().size_hint().exact(), Some(0));
        assert!(ResponseBody::full("").is_end_stream());
    }
}
