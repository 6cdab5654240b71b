//! One case on tonic's API. What the five stream types do is prescribed: `docs/testing_clients.md` of
//! connectrpc/conformance. To cancel is to drop, as with every tonic client, after which there is nothing to ask: that
//! the call is CANCELED then is said here, and what the server saw of it by the server.

use std::future::{pending, ready};
use std::pin::Pin;
use std::time::Duration;

use futures_channel::{mpsc, oneshot};
use futures_util::future::{Either, LocalBoxFuture, select};
use futures_util::stream::{self, LocalBoxStream};
use futures_util::{FutureExt as _, StreamExt as _};
use gloo_timers::future::sleep;
use http::{HeaderMap, HeaderName, HeaderValue};
use prost::{Message, Name};
use tidewire::channel::{CallKind, Local, UseHttpGet, local};
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};

use crate::outcome::Outcome;
use crate::proto::client_compat_request::cancel::CancelTiming;
use crate::proto::{ClientCompatRequest, ConformancePayload, StreamType};

type Payload = Option<ConformancePayload>;

pub(crate) struct Case(ClientCompatRequest);

impl Case {
    pub(crate) fn new(request: ClientCompatRequest) -> Self {
        Self(request)
    }

    pub(crate) fn method(&self) -> &str {
        self.0.method()
    }

    pub(crate) async fn unary<Q: Message + Name + Default, A>(
        &self,
        call: impl AsyncFnOnce(Request<Q>) -> Result<Response<A>, Status>,
        payload: impl FnOnce(A) -> Payload,
    ) -> Result<Outcome, String> {
        let mut cancel = Cancel::new(self.cancelled_after(ready(()).boxed_local()));
        let answer = cancel.unless(call(self.single()?)).await;
        Ok(one(answer, payload))
    }

    pub(crate) async fn client_stream<Q: Message + Name + Default + 'static, A>(
        &self,
        call: impl AsyncFnOnce(Request<Requests<Q>>) -> Result<Response<A>, Status>,
        payload: impl FnOnce(A) -> Payload,
    ) -> Result<Outcome, String> {
        let (requests, mut cancel) = self.requests()?;
        let answer = cancel.unless(call(requests)).await;
        Ok(one(answer, payload))
    }

    pub(crate) async fn server_stream<Q: Message + Name + Default, A>(
        &self,
        call: impl AsyncFnOnce(Request<Q>) -> Result<Response<Streaming<A>>, Status>,
        payload: impl Fn(A) -> Payload,
    ) -> Result<Outcome, String> {
        let mut cancel = Cancel::new(self.cancelled_after(ready(()).boxed_local()));
        let answer = cancel.unless(call(self.single()?)).await;
        Ok(self.many(answer, &payload, &mut cancel).await)
    }

    pub(crate) async fn bidi_stream<Q: Message + Name + Default + 'static, A>(
        &self,
        call: impl AsyncFnOnce(Request<Requests<Q>>) -> Result<Response<Streaming<A>>, Status>,
        payload: impl Fn(A) -> Payload,
    ) -> Result<Outcome, String> {
        if self.0.stream_type() == StreamType::FullDuplexBidiStream {
            return self.full_duplex(call, payload).await;
        }
        let (requests, mut cancel) = self.requests()?;
        let answer = cancel.unless(call(requests)).await;
        Ok(self.many(answer, &payload, &mut cancel).await)
    }

    /// Each request is answered before the next is sent.
    async fn full_duplex<Q: Message + Name + Default + 'static, A>(
        &self,
        call: impl AsyncFnOnce(Request<Requests<Q>>) -> Result<Response<Streaming<A>>, Status>,
        payload: impl Fn(A) -> Payload,
    ) -> Result<Outcome, String> {
        let requests = self.messages::<Q>()?;
        let count = requests.len();
        let (sender, outgoing) = mpsc::unbounded();
        let mut sender = Some(sender).filter(|_| count > 0);
        let mut requests = requests.into_iter();
        let mut send_next = |sender: &mut Option<mpsc::UnboundedSender<Q>>| {
            // Refused where the call has ended; its end says why.
            requests
                .next()
                .is_some_and(|next| sender.as_ref().is_some_and(|s| s.unbounded_send(next).is_ok()))
        };
        let mut sent = usize::from(send_next(&mut sender));
        let (closed, is_closed) = oneshot::channel();
        let mut cancel = Cancel::new(self.cancelled_after(is_closed.map(drop).boxed_local()));
        let answer = cancel.unless(call(self.request(local(outgoing.boxed_local()))?)).await;
        let mut reading = Reading::new(answer);
        while sent > reading.outcome.payloads.len() && reading.next(&payload, &mut cancel).await {
            if self.has_enough(&reading.outcome) {
                return Ok(reading.cancelled());
            }
            sent += usize::from(send_next(&mut sender));
        }
        reading.outcome.unsent = count - sent;
        if self.timing() == Some(CancelTiming::BeforeCloseSend(())) {
            return Ok(reading.cancelled());
        }
        drop(sender.take());
        let _ = closed.send(());
        Ok(self.drain(reading, &payload, &mut cancel).await)
    }

    async fn many<A>(
        &self,
        answer: Result<Response<Streaming<A>>, Status>,
        payload: &impl Fn(A) -> Payload,
        cancel: &mut Cancel,
    ) -> Outcome {
        self.drain(Reading::new(answer), payload, cancel).await
    }

    async fn drain<A>(
        &self,
        mut reading: Reading<A>,
        payload: &impl Fn(A) -> Payload,
        cancel: &mut Cancel,
    ) -> Outcome {
        while reading.next(payload, cancel).await {
            if self.has_enough(&reading.outcome) {
                return reading.cancelled();
            }
        }
        reading.outcome
    }

    fn has_enough(&self, outcome: &Outcome) -> bool {
        self.timing() == Some(CancelTiming::AfterNumResponses(outcome.payloads.len() as u32))
    }

    /// Set and empty is to mean: right after the half-close.
    fn timing(&self) -> Option<CancelTiming> {
        let cancel = self.0.cancel?;
        Some(cancel.cancel_timing.unwrap_or(CancelTiming::AfterCloseSendMs(0)))
    }

    /// When to cancel for the time that has passed since `half_close`.
    fn cancelled_after(&self, half_close: LocalBoxFuture<'static, ()>) -> LocalBoxFuture<'static, ()> {
        match self.timing() {
            Some(CancelTiming::AfterCloseSendMs(ms)) => {
                half_close.then(move |()| sleep(Duration::from_millis(ms.into()))).boxed_local()
            }
            _ => pending().boxed_local(),
        }
    }

    /// All requests, one after the other, and when to cancel.
    fn requests<Q: Message + Name + Default + 'static>(
        &self,
    ) -> Result<(Request<Requests<Q>>, Cancel), String> {
        let delay = Duration::from_millis(self.0.request_delay_ms.into());
        let before_close = self.timing() == Some(CancelTiming::BeforeCloseSend(()));
        let (all_taken, taken) = oneshot::channel::<()>();
        let taken = taken.map(drop).boxed_local();
        let messages = stream::iter(self.messages::<Q>()?).then(move |message| async move {
            if !delay.is_zero() {
                sleep(delay).await;
            }
            message
        });
        let end = stream::once(async move {
            let _ = all_taken.send(());
            if before_close {
                pending::<()>().await;
            }
        });
        let requests = messages.map(Some).chain(end.map(|()| None)).filter_map(ready).boxed_local();
        let cancel = if before_close { taken } else { self.cancelled_after(taken) };
        Ok((self.request(local(requests))?, Cancel::new(cancel)))
    }

    fn single<Q: Message + Name + Default>(&self) -> Result<Request<Q>, String> {
        let message =
            self.messages()?.into_iter().next().ok_or("a case without the request that it is to send")?;
        self.request(message)
    }

    fn request<B>(&self, body: B) -> Result<Request<B>, String> {
        let mut request = Request::new(body);
        let mut headers = HeaderMap::new();
        for header in &self.0.request_headers {
            let name = HeaderName::try_from(&header.name).map_err(|error| error.to_string())?;
            for value in &header.value {
                let value = HeaderValue::try_from(value).map_err(|error| error.to_string())?;
                headers.append(name.clone(), value);
            }
        }
        *request.metadata_mut() = MetadataMap::from_headers(headers);
        request.extensions_mut().insert(match self.0.stream_type() {
            StreamType::ClientStream => CallKind::ClientStream,
            StreamType::ServerStream => CallKind::ServerStream,
            StreamType::HalfDuplexBidiStream | StreamType::FullDuplexBidiStream => CallKind::Bidi,
            StreamType::Unary | StreamType::Unspecified => CallKind::Unary,
        });
        if self.0.use_get_http_method {
            request.extensions_mut().insert(UseHttpGet);
        }
        if let Some(ms) = self.0.timeout_ms {
            request.set_timeout(Duration::from_millis(ms.into()));
        }
        Ok(request)
    }

    fn messages<Q: Message + Name + Default>(&self) -> Result<Vec<Q>, String> {
        if self.0.raw_request.is_some() {
            return Err("raw requests are for the suite's own client".to_owned());
        }
        let decoded = self.0.request_messages.iter().map(|any| any.to_msg());
        decoded.collect::<Result<_, _>>().map_err(|error| error.to_string())
    }
}

pub(crate) type Requests<Q> = Local<LocalBoxStream<'static, Q>>;

/// What drops a call.
struct Cancel(LocalBoxFuture<'static, ()>);

impl Cancel {
    fn new(when: LocalBoxFuture<'static, ()>) -> Self {
        Self(when)
    }

    async fn unless<T>(&mut self, future: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
        match select(Box::pin(future), Pin::new(&mut self.0)).await {
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => {
                self.0 = pending().boxed_local();
                Err(Status::cancelled("the call was dropped"))
            }
        }
    }
}

/// A stream of answers, up to its end.
struct Reading<A> {
    outcome: Outcome,
    answers: Option<Streaming<A>>,
}

impl<A> Reading<A> {
    fn new(answer: Result<Response<Streaming<A>>, Status>) -> Self {
        match answer {
            Ok(answer) => {
                let (headers, answers, _) = answer.into_parts();
                Self { outcome: Outcome { headers, ..Outcome::default() }, answers: Some(answers) }
            }
            Err(error) => Self { outcome: Outcome::default().failed(error), answers: None },
        }
    }

    /// Whether there was one more.
    async fn next(&mut self, payload: impl Fn(A) -> Payload, cancel: &mut Cancel) -> bool {
        let Some(answers) = &mut self.answers else { return false };
        let message = cancel.unless(answers.message()).await;
        let end = match message {
            Ok(Some(answer)) => {
                self.outcome.payloads.push(payload(answer).unwrap_or_default());
                return true;
            }
            Ok(None) => answers.trailers().await,
            Err(error) => Err(error),
        };
        self.answers = None;
        match end {
            Ok(trailers) => self.outcome.trailers = trailers.unwrap_or_default(),
            Err(error) => self.outcome = std::mem::take(&mut self.outcome).failed(error),
        }
        false
    }

    fn cancelled(self) -> Outcome {
        self.outcome.failed(Status::cancelled("the call was dropped"))
    }
}

/// Headers and trailers of one answer are one map, and are shown as both.
fn one<A>(answer: Result<Response<A>, Status>, payload: impl FnOnce(A) -> Payload) -> Outcome {
    match answer {
        Ok(answer) => {
            let (metadata, answer, _) = answer.into_parts();
            Outcome {
                headers: metadata.clone(),
                payloads: vec![payload(answer).unwrap_or_default()],
                trailers: metadata,
                ..Outcome::default()
            }
        }
        Err(error) => Outcome::default().failed(error),
    }
}
